"""RAVDESS, the speech part: 24 actors, two sentences, eight emotions, 1440 clips.

A file is known by its name alone, wherever it lies: `03-01-06-01-02-01-12.wav` is audio only (03), speech (01), fearful
(06), normal intensity (01), sentence 2, first repetition, actor 12. Odd actors are male, even ones female; neutral has
no strong intensity.

Source: Livingstone and Russo 2018, section "File naming"; https://zenodo.org/records/1188976.
"""

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from overtone.corpora.about import Archive, CorpusAbout, Reading
from overtone.emotions import EMOTIONS
from overtone.errors import CorpusError
from overtone.values import Utterance

ABOUT = CorpusAbout(
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
    archives=(
        Archive(
            url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            name="Audio_Speech_Actors_01-24.zip",
            size_bytes=208_468_073,
            md5="bc696df654c87fed845eb13823edef8a",
        ),
    ),
)

SUFFIXES = (".wav", ".flac")
NAME = re.compile(r"[0-9]{2}(-[0-9]{2}){6}")
FIELDS = ("modality", "vocal channel", "emotion", "intensity", "statement", "repetition", "actor")
VALUES = tuple(tuple(f"{number:02d}" for number in range(1, most + 1)) for most in (3, 2, 8, 2, 2, 2, 24))
AUDIO_ONLY, SPEECH, NEUTRAL, STRONG = "03", "01", "01", "02"
NOT_A_NAME = "not a RAVDESS name"
TWICE = "same clip twice"


def read(folder: Path) -> Reading:
    """The speech clips below a folder, at any depth, and what else lies there.

    Of a clip that is there twice (WAV and FLAC, or in two folders) the first path in alphabetical order is kept.

    Args:
        folder: holds the actors' folders, or folders that hold them; links to folders are followed.

    Returns:
        Utterances sorted by clip, `speaker` "01" to "24", `sentence` "1" or "2", `clip` such as
        "Actor_01/03-01-01-01-01-01-01" wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no speech clip in it.
    """
    clips: dict[str, Utterance] = {}
    left_out: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(_files(Path(folder))):
        reason = _why_not(path)
        if reason is None and (utterance := _utterance(path)).clip not in clips:
            clips[utterance.clip] = utterance
        else:
            left_out[reason or TWICE].append(path)
    if not clips:
        found = ", ".join(f"{len(paths)} x {reason}" for reason, paths in left_out.items()) or "no file at all"
        raise CorpusError(f"{folder}: no RAVDESS speech clip in it ({found}); expected\n{ABOUT.tree}")
    utterances = tuple(clips[name] for name in sorted(clips))
    return Reading(utterances, {reason: tuple(paths) for reason, paths in sorted(left_out.items())})


def clips_expected() -> frozenset[str]:
    """Names of the 1440 speech clips of the whole corpus."""
    names = ("-".join(numbers) for numbers in itertools.product((AUDIO_ONLY,), (SPEECH,), *VALUES[2:]))
    return frozenset(_clip(name) for name in names if _foreign_value(name) is None)


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in no particular order; hidden ones are not looked at."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise CorpusError(f"{folder}: {what}; name the folder that holds RAVDESS:\n{ABOUT.tree}")
    seen: set[str] = set()
    for here, folders, names in os.walk(folder, onerror=_cannot_look, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:  # a link back up would be followed for ever
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in names if not name.startswith("."))


def _cannot_look(error: OSError) -> None:
    raise CorpusError(f"{error.filename}: cannot be looked into: {error.strerror}; see: chmod +rx") from error


def _why_not(path: Path) -> str | None:
    """Why a file is no RAVDESS speech clip; None if it is one."""
    if not NAME.fullmatch(path.stem):
        return NOT_A_NAME
    modality, channel = path.stem.split("-")[:2]
    foreign = _foreign_value(path.stem)
    if foreign:
        return foreign
    if modality != AUDIO_ONLY:
        return "video"
    if channel != SPEECH:
        return "song"
    return None if path.suffix.lower() in SUFFIXES else f"not {' or '.join(SUFFIXES)}"


def _foreign_value(name: str) -> str | None:
    """What is wrong with the numbers of a name; None where nothing is."""
    numbers = name.split("-")
    for field, number, known in zip(FIELDS, numbers, VALUES, strict=True):
        if number not in known:
            return f"{field} {number} does not exist"
    if numbers[2] == NEUTRAL and numbers[3] == STRONG:
        return "neutral has no strong intensity"
    return None


def _utterance(path: Path) -> Utterance:
    """The clip that a file with a proper name holds."""
    _, _, emotion, intensity, statement, repetition, actor = path.stem.split("-")
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


def _clip(name: str) -> str:
    return f"Actor_{name[-2:]}/{name}"
