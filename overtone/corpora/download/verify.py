"""Verifies a corpus folder: lists missing, surplus, unreadable and duplicate clips. Decodes every clip."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import overtone.corpora
from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Utterance, Waveform
from overtone.errors import AudioError


@dataclass(frozen=True)
class Verification:
    """The content of a corpus folder compared with the complete corpus. All tuples are sorted.

    Attributes:
        clips: number of clips found.
        missing: missing clips; empty if the complete list of clips is unknown.
        surplus: files that are not clips of the corpus, each as "path (reason)", path relative to the folder.
        unreadable: clips that cannot be decoded completely, each as "clip: reason".
        duplicates: groups of clips that contain identical audio.
        stereo: clips with more than one channel.
        expected: number of clips of the complete corpus; 0 if that is unknown. Of some corpora only the number of
            clips is known: then clips are counted, and none is listed as missing.
    """

    clips: int
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    unreadable: tuple[str, ...]
    duplicates: tuple[tuple[str, ...], ...]
    stereo: tuple[str, ...]
    expected: int = 0

    @property
    def complete(self) -> bool:
        """Whether every clip exists and is readable. Duplicates and stereo are as published, surplus files harmless."""
        return not (self.missing or self.unreadable) and self.clips >= self.expected


def verify(
    corpus: str, folder: str | Path, read: Callable[..., Waveform], progress: Progress = silent_progress
) -> Verification:
    """Compare a folder with the complete corpus, and decode every clip.

    Args:
        corpus: a key of `overtone.corpora.CORPORA`.
        folder: its folder; for "manifest" the table.
        read: decodes an interval of an audio file: `overtone.audio.decode.read`.
        progress: called with the number of clips done, their total number, and the name of the clip.

    Raises:
        OptionError: no such corpus.
        CorpusError: no clip of it in the folder, or an invalid table.
    """
    module = overtone.corpora.get_corpus(corpus)
    scan = module.read(Path(folder))
    expected = module.clips_expected()
    names = {utterance.clip for utterance in scan.utterances}
    unreadable: list[str] = []
    stereo: list[str] = []
    clips_by_digest: defaultdict[bytes, list[str]] = defaultdict(list)
    for done, utterance in enumerate(scan.utterances, 1):
        try:
            digest, channels = _digest_and_channels(utterance, read)
            clips_by_digest[digest].append(utterance.clip)
            stereo += [utterance.clip] if channels != 1 else []
        except AudioError as error:
            unreadable.append(f"{utterance.clip}: {error}")
        progress(done, len(scan.utterances), utterance.clip)
    return Verification(
        clips=len(names),
        missing=tuple(sorted(expected - names)),
        surplus=tuple(_surplus(Path(folder), scan.left_out)),
        unreadable=tuple(sorted(unreadable)),
        duplicates=tuple(sorted(tuple(sorted(clips)) for clips in clips_by_digest.values() if len(clips) > 1)),
        stereo=tuple(sorted(stereo)),
        expected=len(expected) or module.INFO.clips,
    )


def _digest_and_channels(utterance: Utterance, read: Callable[..., Waveform]) -> tuple[bytes, int]:
    """Return a digest of the audio as the model receives it (mono, 16 kHz), and the channel count of the file."""
    import soundfile  # here, so that `import overtone.corpora.download.verify` stays light

    waveform = read(utterance.path, start_s=utterance.start_s, end_s=utterance.end_s)
    with utterance.path.open("rb") as file:  # an open file, so that libsndfile ignores the suffix of its name
        return hashlib.blake2b(waveform.samples.tobytes()).digest(), soundfile.info(file).channels


def _surplus(folder: Path, left_out: dict[str, tuple[Path, ...]]) -> list[str]:
    return sorted(
        f"{path.relative_to(folder).as_posix()} ({reason})" for reason, paths in left_out.items() for path in paths
    )
