"""RAVDESS, the speech part: 24 actors, two sentences, eight emotions, 1440 clips.

A file is known by its name alone, wherever it lies: `03-01-06-01-02-01-12.wav` is audio only (03), speech (01), fearful
(06), normal intensity (01), sentence 2, first repetition, actor 12. Odd actors are male, even ones female; neutral has
no strong intensity.

Source: Livingstone and Russo 2018, section "File naming"; https://zenodo.org/records/1188976.
"""

import itertools
import re
from pathlib import Path

from overtone.corpora.metadata import Archive, CorpusInfo, CorpusScan
from overtone.corpora.scan import LOSSLESS, invalid_field, name_mismatch, numbers, scan_folder
from overtone.datatypes import Utterance

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")  # 01 to 08

ABOUT = CorpusInfo(
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

NAME = re.compile(r"[0-9]{2}(-[0-9]{2}){6}")
FIELDS = ("modality", "vocal channel", "emotion", "intensity", "statement", "repetition", "actor")
VALUES = tuple(numbers(1, most) for most in (3, 2, 8, 2, 2, 2, 24))
AUDIO_ONLY, SPEECH, NEUTRAL, STRONG = "03", "01", "01", "02"


def read(folder: Path) -> CorpusScan:
    """The speech clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    Returns:
        Utterances sorted by clip, `speaker` "01" to "24", `sentence` "1" or "2", `clip` such as
        "Actor_01/03-01-01-01-01-01-01" wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no speech clip in it.
    """
    return scan_folder(folder, ABOUT, clip_named, LOSSLESS)


def clips_expected() -> frozenset[str]:
    """Names of the 1440 speech clips of the whole corpus."""
    names = ("-".join(values) for values in itertools.product((AUDIO_ONLY,), (SPEECH,), *VALUES[2:]))
    return frozenset(_clip(name) for name in names if _foreign_value(name) is None)


def clip_named(path: Path) -> Utterance | str:
    """The clip that a file of this name holds, or why it is no RAVDESS speech clip; opens nothing."""
    if not NAME.fullmatch(path.stem):
        return name_mismatch(ABOUT)
    foreign = _foreign_value(path.stem)
    if foreign:
        return foreign
    modality, channel, emotion, intensity, statement, repetition, actor = path.stem.split("-")
    if modality != AUDIO_ONLY:
        return "video"
    if channel != SPEECH:
        return "song"
    return Utterance(
        path=path,
        emotion=EMOTIONS[int(emotion) - 1],
        speaker=actor,
        sentence=str(int(statement)),
        corpus=ABOUT.name,
        gender="male" if int(actor) % 2 else "female",
        intensity="strong" if intensity == STRONG else "normal",
        repetition=int(repetition),
        clip=_clip(path.stem),
    )


def _foreign_value(name: str) -> str | None:
    """What is wrong with the numbers of a name; None where nothing is."""
    values = name.split("-")
    foreign = invalid_field(zip(FIELDS, values, VALUES, strict=True))
    if not foreign and values[2] == NEUTRAL and values[3] == STRONG:
        return "neutral has no strong intensity"
    return foreign


def _clip(name: str) -> str:
    return f"Actor_{name[-2:]}/{name}"
