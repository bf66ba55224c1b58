"""Folder -> its files, sorted out: what every reader of a corpus that goes by file names does alike."""

import os
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.datatypes import Utterance
from overtone.errors import CorpusError

LOSSLESS = (".wav", ".flac")
AUDIO_SUFFIXES = (*LOSSLESS, ".ogg", ".opus", ".mp3")
DUPLICATE = "same clip twice"


def scan_folder(
    folder: Path,
    about: CorpusInfo,
    known: Callable[[Path], Utterance | str],
    suffixes: tuple[str, ...] = AUDIO_SUFFIXES,
) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there.

    Of a clip that is there twice (in two formats, or in two folders) a lossless file is kept before another, then the
    first path in alphabetical order. Hidden files are not looked at; links to folders are followed.

    Args:
        folder: where to look.
        about: the corpus.
        known: the clip that a file of this name holds, or why it holds none; opens nothing.
        suffixes: of sound files, in lower case.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    clips: dict[str, Utterance] = {}
    left_out: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(_files(Path(folder), about), key=_lossless_first):
        found = known(path)
        if isinstance(found, Utterance) and path.suffix.lower() not in suffixes:
            found = f"not {', '.join(suffixes[:-1])} or {suffixes[-1]}"
        if isinstance(found, Utterance) and clips.setdefault(found.clip, found) is not found:
            found = DUPLICATE
        if isinstance(found, str):
            left_out[found].append(path)
    if not clips:
        reasons = ", ".join(f"{len(paths)} x {reason}" for reason, paths in left_out.items())
        raise CorpusError(
            f"{folder}: no {display_name(about)} speech clip in it ({reasons or 'no file at all'}); expected\n{about.tree}"
        )
    utterances = tuple(clips[name] for name in sorted(clips))
    return CorpusScan(utterances, {reason: tuple(sorted(paths)) for reason, paths in sorted(left_out.items())})


def display_name(about: CorpusInfo) -> str:
    """How people call a corpus."""
    return about.label or about.name


def name_mismatch(about: CorpusInfo) -> str:
    """The reason to leave out a file that is not named as the corpus names its files."""
    return f"not {'an' if display_name(about)[0] in 'AEIOU' else 'a'} {display_name(about)} name"


def invalid_field(fields: Iterable[tuple[str, str, Container[str]]]) -> str | None:
    """What is wrong with the parts of a name, the first of it; None where nothing is.

    Args:
        fields: name of the part, what stands there, what may stand there.
    """
    for field, value, allowed in fields:
        if value not in allowed:
            return f"{field} {value} does not exist"
    return None


def numbers(first: int, last: int, digits: int = 2) -> tuple[str, ...]:
    """The numbers from first to last as file names write them: ("01", "02", ...)."""
    return tuple(f"{number:0{digits}d}" for number in range(first, last + 1))


def _lossless_first(path: Path) -> tuple[bool, Path]:
    return path.suffix.lower() not in LOSSLESS, path


def _files(folder: Path, about: CorpusInfo) -> Iterator[Path]:
    """Every file below a folder, in no particular order; hidden ones are not looked at."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise CorpusError(f"{folder}: {what}; name the folder that holds {display_name(about)}:\n{about.tree}")
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
