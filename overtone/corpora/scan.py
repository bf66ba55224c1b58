"""Finds the clips of a corpus in a folder, and sorts all other files by the reason why they were left out."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from overtone._internal.folder_walk import list_files
from overtone.corpora.copies import LOSSLESS_SUFFIXES, check_copies, preference
from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.datatypes import Utterance
from overtone.errors import CorpusError

CLIP_SUFFIXES = (*LOSSLESS_SUFFIXES, ".ogg", ".opus", ".mp3")
DUPLICATE = "same clip twice"


def scan_folder(
    folder: Path,
    info: CorpusInfo,
    parse: Callable[[Path], Utterance | str],
    suffixes: tuple[str, ...] = CLIP_SUFFIXES,
) -> CorpusScan:
    """Return the clips in a folder, at any depth, and the files that were left out.

    If there are copies of a clip (in two formats, or in two folders), a lossless file is preferred, then the first path
    in alphabetical order. Hidden files are ignored; links to folders are followed.

    Args:
        folder: where to look.
        info: the corpus.
        parse: returns the clip in a file of this name, or the reason to leave the file out; does not open it.
        suffixes: suffixes of audio files, in lower case.

    Raises:
        CorpusError: the folder does not exist, cannot be opened, or has no clip in it; or two files of one clip
            have different content.
    """
    files: defaultdict[str, list[Utterance]] = defaultdict(list)
    left_out: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(_list_files(Path(folder), info), key=preference):
        result = parse(path)
        if isinstance(result, Utterance) and path.suffix.lower() not in suffixes:
            result = f"not {', '.join(suffixes[:-1])} or {suffixes[-1]}"
        if isinstance(result, str):
            left_out[result].append(path)
            continue
        files[result.clip].append(result)
        if len(files[result.clip]) > 1:
            left_out[DUPLICATE].append(path)
    if not files:
        reasons = ", ".join(f"{len(paths)} x {reason}" for reason, paths in left_out.items())
        raise CorpusError(
            f"{folder}: no {info.display_name} clip in it ({reasons or 'no file at all'}); expected\n{info.tree}"
        )
    check_copies(Path(folder), files)
    utterances = tuple(files[name][0] for name in sorted(files))
    return CorpusScan(utterances, {reason: tuple(sorted(paths)) for reason, paths in sorted(left_out.items())})


def _list_files(folder: Path, info: CorpusInfo) -> Iterator[Path]:
    """Return the files in a folder, at any depth and in no particular order, except hidden ones."""
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "no such folder"
        raise CorpusError(f"{folder}: {problem}; name the folder that holds {info.display_name}:\n{info.tree}")
    return list_files(folder, _raise_unreadable)


def _raise_unreadable(error: OSError) -> None:
    raise CorpusError(f"{error.filename}: cannot be opened: {error.strerror}; see: chmod +rx") from error
