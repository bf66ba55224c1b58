"""SAVEE, Surrey Audio-Visual Expressed Emotion, the audio: 4 British men, seven emotions, 480 clips.

`DC/sa03.wav` is speaker DC, the third sad sentence; `DC_sa03.wav` is the same clip: if the name does not contain the
speaker, the folder does. There are 15 sentences for each emotion and 30 for neutral.

Three sentences are common to all emotions, and two of each emotion were spoken neutrally too, but the names do not say
which numbers those are. So the sentence of a clip is "sad3" here: the same text may have several such names, and a
split by sentence is not free of leakage on this corpus.

Source: Info.txt of the corpus; http://kahlan.eps.surrey.ac.uk/savee/.
"""

from pathlib import Path

from overtone.corpora.file_names import Fields, FileNameScheme, number_codes, speaker_genders
from overtone.corpora.metadata import CorpusInfo

INFO = CorpusInfo(
    name="savee",
    title="Surrey Audio-Visual Expressed Emotion (SAVEE), audio",
    language="English (Great Britain)",
    speakers=4,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
    licence="free for research, after registration; see the home page",
    citation="Jackson P, Haq S, Surrey Audio-Visual Expressed Emotion (SAVEE) database, University of Surrey",
    url="http://kahlan.eps.surrey.ac.uk/savee/",
    tree=(
        "FOLDER/\n├── DC/\n│   ├── a01.wav   (or DC_a01.wav in any folder; or .flac, .ogg, .opus, .mp3)\n│   └── ...\n"
        "├── JE/ JK/\n└── KL/"
    ),
    label="SAVEE",
    clips=480,
)

EMOTION_CODES = {
    "n": "neutral",
    "h": "happy",
    "sa": "sad",
    "a": "angry",
    "f": "fearful",
    "d": "disgust",
    "su": "surprised",
}
NEUTRAL_SENTENCES, OTHER_SENTENCES = 30, 15


def _exclude_sentence(path: Path, fields: Fields) -> str | None:
    """Return a reason for the sentences 16 to 30, which only neutral has."""
    if fields["emotion"] != "n" and int(fields["sentence"]) > OTHER_SENTENCES:
        return f"sentence {fields['sentence']} does not exist"
    return None


SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?:(?P<speaker>[A-Z]{2})_?)?(?P<emotion>[a-z]{1,2})(?P<sentence>[0-9]{2})",
    emotions=EMOTION_CODES,
    genders=speaker_genders(male=("DC", "JE", "JK", "KL")),
    codes={"sentence": number_codes(1, NEUTRAL_SENTENCES)},
    sentence=lambda fields: f"{EMOTION_CODES[fields['emotion']]}{int(fields['sentence'])}",
    clip=lambda fields: f"{fields['speaker']}/{fields['emotion']}{fields['sentence']}",
    exclude=_exclude_sentence,
    all_stems="{speaker}_{emotion}{sentence}",
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
