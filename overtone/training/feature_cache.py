"""Utterances -> features of every version of them, measured once and kept on disk.

Nothing in the front end is trained, so what it gives is the same in every epoch, fold and seed. The kept files are
named after what they were made from (sound files, front-end code): a change of either makes new ones.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import torch

from overtone._internal.atomic_write import write_bytes
from overtone._internal.fingerprint import FEATURES, fingerprint
from overtone._internal.progress import Progress, silent_progress
from overtone.audio.decode import read
from overtone.datatypes import Utterance, Waveform
from overtone.errors import AudioError, CorpusError
from overtone.features.augment import augment_waveform
from overtone.features.front_end import FrontEnd
from overtone.features.loudness import SILENCE_BELOW_PEAK_DB

SHOWN_BAD_FILES = 5


@dataclass(frozen=True)
class ClipFeatures:
    """Features of one clip.

    Attributes:
        log_mel: float32 `(frames, bands)`.
        tracks: pitch in Hz, periodicity, loudness in dB; float32 `(frames, 3)`.
        rates: tempo in bpm, speech rate in Hz, pause ratio; float32 `(3,)`.
    """

    log_mel: np.ndarray
    tracks: np.ndarray
    rates: np.ndarray

    def around_speech(self, margin_frames: int) -> "ClipFeatures":
        """The same clip with at most `margin_frames` of silence before and after the speech."""
        loudness_db = self.tracks[:, 2]
        active = np.flatnonzero(loudness_db > loudness_db.max() - SILENCE_BELOW_PEAK_DB)
        kept = slice(max(0, active[0] - margin_frames), active[-1] + 1 + margin_frames)
        return ClipFeatures(self.log_mel[kept], self.tracks[kept], self.rates)


@dataclass(frozen=True)
class FeatureStore:
    """Features of all utterances, in every version: 0 is the clean one, the others are augmented.

    Attributes:
        versions: one dict per version of arrays `log_mel`, `tracks` (all clips one after the other), `rates`, `ends`.
    """

    versions: tuple[dict[str, np.ndarray], ...]

    def __len__(self) -> int:
        return len(self.versions[0]["ends"])

    def clip(self, index: int, version: int = 0) -> ClipFeatures:
        """Features of one utterance.

        Args:
            index: position in the list of utterances.
            version: 0 for the clean clip.
        """
        arrays = self.versions[version]
        span = slice(arrays["ends"][index - 1] if index else 0, arrays["ends"][index])
        return ClipFeatures(arrays["log_mel"][span], arrays["tracks"][span], arrays["rates"][index])


def default_cache() -> Path:
    """Folder of the user's cache where features are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "overtone"


def _cache_key(utterances: Sequence[Utterance]) -> str:
    """A name for these sound files as this code hears them."""
    files = []
    for utterance in utterances:
        try:
            found = utterance.path.stat()
        except OSError as error:
            raise CorpusError(f"{utterance.path}: cannot be read: {error.strerror}") from error
        files.append((utterance.clip, found.st_size, found.st_mtime_ns, utterance.start_s, utterance.end_s))
    return fingerprint(*FEATURES, more=repr(files))


def read_waveforms(utterances: Sequence[Utterance], progress: Progress) -> list[Waveform]:
    """The sound of every utterance.

    Raises:
        CorpusError: some cannot be read; the message names the first of them and counts all.
    """
    waveforms, failures = [], []
    for done, utterance in enumerate(utterances):
        try:
            waveforms.append(read(utterance.path, start_s=utterance.start_s, end_s=utterance.end_s))
        except AudioError as error:
            failures.append(str(error))
        progress(done + 1, len(utterances), "reading")
    if failures:
        shown = "\n  ".join(failures[:SHOWN_BAD_FILES])
        raise CorpusError(f"{len(failures)} of {len(utterances)} clips cannot be read, take them out:\n  {shown}")
    return waveforms


@torch.inference_mode()
def extract(waveforms: Sequence[Waveform], version: int, progress: Progress) -> dict[str, np.ndarray]:
    """One version of all clips through the front end.

    Args:
        waveforms: the clean clips.
        version: 0 leaves them clean; any other number is the seed of their variation.
        progress: told after each clip.
    """
    front_end = FrontEnd()
    log_mels, tracks, rates = [], [], []
    for index, waveform in enumerate(waveforms):
        samples = waveform.samples
        if version:
            samples = augment_waveform(samples, np.random.default_rng([version, index]))
        found = front_end(torch.from_numpy(samples)[None])
        log_mels.append(found.log_mel[0].numpy())
        tracks.append(torch.stack([found.pitch_hz[0], found.periodicity[0], found.loudness_db[0]], -1).numpy())
        rates.append(torch.cat([found.tempo_bpm, found.speech_rate_hz, found.pause_ratio]).numpy())
        progress(index + 1, len(waveforms), f"measuring version {version}")
    ends = np.cumsum([len(track) for track in tracks])
    return {
        # Half precision is 0.3 % of a decibel or so: nothing beside the variation itself, and half the disk.
        "log_mel": np.concatenate(log_mels).astype(np.float16 if version else np.float32),
        "tracks": np.concatenate(tracks),
        "rates": np.stack(rates),
        "ends": ends,
    }


def _load_cached(path: Path) -> dict[str, np.ndarray] | None:
    """The features in this file; None where it is missing or damaged, so that they are measured again."""
    try:
        return safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError):
        return None


def load_features(
    utterances: Sequence[Utterance], variants: int, cache: Path | None = None, progress: Progress = silent_progress
) -> FeatureStore:
    """Features of every utterance in `1 + variants` versions, from the cache where they are there.

    Args:
        utterances: the labelled clips.
        variants: number of augmented versions.
        cache: folder where features are kept; None for that of the user.
        progress: told about each clip.

    Raises:
        CorpusError: clips that cannot be read.
        OvertoneError: the cache cannot be written.
    """
    folder = (cache or default_cache()) / "features"
    stem = _cache_key(utterances)
    waveforms: list[Waveform] = []
    versions = []
    for version in range(1 + variants):
        path = folder / f"{stem}-{version}.safetensors"
        arrays = _load_cached(path)
        if arrays is None:
            waveforms = waveforms or read_waveforms(utterances, progress)
            arrays = extract(waveforms, version, progress)
            write_bytes(path, safetensors.numpy.save(arrays))
        versions.append(arrays)
    return FeatureStore(tuple(versions))
