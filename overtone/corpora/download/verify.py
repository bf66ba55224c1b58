"""CORPUS FOLDER -> WHAT IS MISSING, SURPLUS, UNREADABLE OR TWICE IN IT. Decodes every clip."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import overtone.corpora
from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Utterance
from overtone.errors import AudioError


@dataclass(frozen=True)
class Verification:
    """What a corpus folder holds, next to what it should hold. Clips go by name, all tuples are sorted.

    Attributes:
        clips: number of clips found.
        missing: clips of the whole corpus that are not there; empty where the corpus does not say what it holds.
        surplus: files that are no clip of the corpus, each as "path (reason)", path relative to the folder.
        unreadable: clips that cannot be decoded to the end, each as "clip: reason".
        duplicates: groups of clips that hold the very same sound.
        stereo: clips with another number of channels than one.
        expected: number of clips of the whole corpus; 0 where that is not known. Some corpora tell how many clips they
            have and not which: then clips are counted, and none is named as missing.
    """

    clips: int
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    unreadable: tuple[str, ...]
    duplicates: tuple[tuple[str, ...], ...]
    stereo: tuple[str, ...]
    expected: int = 0

    @property
    def whole(self) -> bool:
        """Whether every clip is there and readable. Duplicates and stereo are as published, surplus does no harm."""
        return not (self.missing or self.unreadable) and self.clips >= self.expected


def verify(corpus: str, folder: str | Path, progress: Progress = silent_progress) -> Verification:
    """Compares a folder with what the corpus should hold, and decodes every clip.

    Args:
        corpus: a key of `overtone.corpora.CORPORA`.
        folder: its folder; for "manifest" the CSV file.
        progress: called with clips done, clips in all, and the name of the clip.

    Raises:
        OptionError: there is no such corpus.
        CorpusError: no clip of it in the folder at all, or a faulty table.
    """
    module = overtone.corpora.get_corpus(corpus)
    reading = module.read(Path(folder))
    expected = module.clips_expected()
    found = {utterance.clip for utterance in reading.utterances}
    unreadable: list[str] = []
    stereo: list[str] = []
    clips_of: defaultdict[bytes, list[str]] = defaultdict(list)
    for done, utterance in enumerate(reading.utterances, 1):
        try:
            digest, channels = _heard(utterance)
            clips_of[digest].append(utterance.clip)
            stereo += [utterance.clip] if channels != 1 else []
        except AudioError as error:
            unreadable.append(f"{utterance.clip}: {error}")
        progress(done, len(reading.utterances), utterance.clip)
    return Verification(
        clips=len(found),
        missing=tuple(sorted(expected - found)),
        surplus=tuple(_surplus(Path(folder), reading.left_out)),
        unreadable=tuple(sorted(unreadable)),
        duplicates=tuple(sorted(tuple(sorted(clips)) for clips in clips_of.values() if len(clips) > 1)),
        stereo=tuple(sorted(stereo)),
        expected=len(expected) or module.ABOUT.clips,
    )


def _heard(utterance: Utterance) -> tuple[bytes, int]:
    """Digest of the sound as the model hears it (mono, 16 kHz), and the number of channels of the file."""
    import soundfile  # here, so that `import overtone.corpora.download.verify` stays light

    from overtone.audio.decode import read

    waveform = read(utterance.path, start_s=utterance.start_s, end_s=utterance.end_s)
    with utterance.path.open("rb") as file:  # opened here: libsndfile then goes by content, whatever the name says
        return hashlib.blake2b(waveform.samples.tobytes()).digest(), soundfile.info(file).channels


def _surplus(folder: Path, left_out: dict[str, tuple[Path, ...]]) -> list[str]:
    return sorted(f"{path.relative_to(folder).as_posix()} ({why})" for why, paths in left_out.items() for path in paths)
