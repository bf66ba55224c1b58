"""RAVDESS, the speech part: 24 actors, two sentences, eight emotions, 1440 clips.

`03-01-06-01-02-01-12.wav` is audio only (03), speech (01), fearful (06), normal intensity (01), sentence 2, first
repetition, actor 12. Odd actors are male, even ones female; neutral has no strong intensity.

Source: Livingstone and Russo 2018, section "File naming"; https://zenodo.org/records/1188976.
"""

from pathlib import Path

from overtone.corpora.copies import LOSSLESS_SUFFIXES
from overtone.corpora.file_names import Fields, FileNameScheme, number_codes
from overtone.corpora.metadata import Archive, CorpusInfo

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")  # 01 to 08

INFO = CorpusInfo(
    name="ravdess",
    title="Ryerson Audio-Visual Database of Emotional Speech and Song, speech part",
    language="English (North America)",
    speakers=24,
    emotions=EMOTIONS,
    licence="CC BY-NC-SA 4.0",
    citation=(
        "Livingstone SR, Russo FA (2018) The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS): "
        "A dynamic, multimodal set of facial and vocal expressions in North American English. "
        "PLoS ONE 13(5): e0196391. https://doi.org/10.1371/journal.pone.0196391"
    ),
    url="https://zenodo.org/records/1188976",
    tree="FOLDER/\n├── Actor_01/\n│   ├── 03-01-01-01-01-01-01.wav   (or .flac)\n│   └── ...\n└── Actor_24/",
    label="RAVDESS",
    clips=1440,
    archives=(
        Archive(
            url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            name="Audio_Speech_Actors_01-24.zip",
            size_bytes=208_468_073,
            md5="bc696df654c87fed845eb13823edef8a",
        ),
    ),
)

AUDIO_ONLY, SPEECH, NEUTRAL, STRONG = "03", "01", "01", "02"


def _exclude(path: Path, fields: Fields) -> str | None:
    """Return why a file with valid codes is not a speech clip, or None."""
    if fields["emotion"] == NEUTRAL and fields["intensity"] == STRONG:
        return "neutral has no strong intensity"
    if fields["modality"] != AUDIO_ONLY:
        return "video"
    return "song" if fields["vocal_channel"] != SPEECH else None


SCHEME = FileNameScheme(
    info=INFO,
    pattern=(
        r"(?P<modality>[0-9]{2})-(?P<vocal_channel>[0-9]{2})-(?P<emotion>[0-9]{2})-(?P<intensity>[0-9]{2})"
        r"-(?P<sentence>[0-9]{2})-(?P<repetition>[0-9]{2})-(?P<speaker>[0-9]{2})"
    ),
    emotions=dict(zip(number_codes(1, 8), EMOTIONS, strict=True)),
    genders={actor: "male" if int(actor) % 2 else "female" for actor in number_codes(1, 24)},
    intensities={"01": "normal", STRONG: "strong"},
    repetitions={"01": 1, "02": 2},
    codes={"modality": number_codes(1, 3), "vocal_channel": number_codes(1, 2), "sentence": number_codes(1, 2)},
    sentence=lambda fields: str(int(fields["sentence"])),
    clip=lambda fields: f"Actor_{fields['speaker']}/{fields['stem']}",
    exclude=_exclude,
    suffixes=LOSSLESS_SUFFIXES,
    all_stems=f"{AUDIO_ONLY}-{SPEECH}-{{emotion}}-{{intensity}}-{{sentence}}-{{repetition}}-{{speaker}}",
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
