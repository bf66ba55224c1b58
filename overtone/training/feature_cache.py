"""Utterances -> features of every version of them, computed once and cached on disk.

Nothing in the front end is trained, so its output is the same in every epoch, fold and seed. The names of the cache
files depend on the audio files and the front-end code: a change of either computes the features again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from overtone._internal.atomic_write import write_bytes
from overtone._internal.cache_folder import default_cache
from overtone._internal.fingerprint import FEATURES, fingerprint
from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Utterance, Waveform
from overtone.errors import CorpusError
from overtone.features.front_end import ExtraFeature
from overtone.features.loudness import SILENCE_BELOW_PEAK_DB
from overtone.features.spectrum import HOP_SAMPLES
from overtone.training.feature_extraction import Arrays, extract, read_waveforms


@dataclass(frozen=True)
class ClipFeatures:
    """Features of one clip.

    Attributes:
        log_mel: float32 `(frames, bands)`.
        tracks: pitch in Hz, periodicity, loudness in dB; float32 `(frames, 3)`.
        rates: tempo in bpm, speech rate in Hz, pause ratio; float32 `(3,)`.
        extra: name of an extra feature -> its values `(its frames, ...)`.
    """

    log_mel: np.ndarray
    tracks: np.ndarray
    rates: np.ndarray
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def around_speech(self, margin_frames: int, extra: Mapping[str, ExtraFeature] | None = None) -> "ClipFeatures":
        """The clip with at most `margin_frames` of silence before and after the speech.

        Args:
            margin_frames: frames of the front end.
            extra: name -> extra feature of the clip, for its frame rate.
        """
        loudness_db = self.tracks[:, 2]
        active = np.flatnonzero(loudness_db > loudness_db.max() - SILENCE_BELOW_PEAK_DB)
        start, stop = max(0, active[0] - margin_frames), active[-1] + 1 + margin_frames
        cropped = dict(self.extra)
        for name, feature in (extra or {}).items():
            if feature.hop_samples is not None:
                scale = HOP_SAMPLES / feature.hop_samples
                cropped[name] = self.extra[name][int(start * scale) : max(1, round(stop * scale))]
        return ClipFeatures(self.log_mel[start:stop], self.tracks[start:stop], self.rates, cropped)


@dataclass(frozen=True)
class FeatureStore:
    """Features of all utterances, in every version: 0 is the clean one, the others are augmented.

    Attributes:
        versions: a dict per version of the arrays `log_mel`, `tracks` (of all clips, concatenated), `rates`, `ends`;
            and of each extra feature `extra.NAME` (concatenated) and `extra.NAME.ends`.
        extra: name -> extra feature that the arrays hold.
        positions: position of each utterance in the arrays, where several utterances have the same audio; else None.
    """

    versions: tuple[Arrays, ...]
    extra: Mapping[str, ExtraFeature] = field(default_factory=dict)
    positions: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.versions[0]["ends"] if self.positions is None else self.positions)

    def first_versions(self, count: int) -> "FeatureStore":
        """The same clips in the first versions only; the features are shared."""
        return replace(self, versions=self.versions[:count])

    def clip(self, index: int, version: int = 0) -> ClipFeatures:
        """Features of one utterance.

        Args:
            index: position in the list of utterances.
            version: 0 for the clean clip.
        """
        arrays = self.versions[version]
        index = index if self.positions is None else self.positions[index]
        span = _span(arrays["ends"], index)
        extra = {name: arrays[f"extra.{name}"][_span(arrays[f"extra.{name}.ends"], index)] for name in self.extra}
        return ClipFeatures(arrays["log_mel"][span], arrays["tracks"][span], arrays["rates"][index], extra)


def _span(ends: np.ndarray, index: int) -> slice:
    return slice(ends[index - 1] if index else 0, ends[index])


def _cache_key(utterances: Sequence[Utterance], extra: Mapping[str, ExtraFeature]) -> str:
    """The cache key of the features of these audio files, computed by the current code."""
    files = []
    for utterance in utterances:
        try:
            stat = utterance.path.stat()
        except OSError as error:
            raise CorpusError(f"{utterance.origin or utterance.path}: cannot be read: {error.strerror}") from error
        interval = utterance.start_s, utterance.end_s
        channel = (utterance.channel,) if utterance.channel else ()  # none: the keys of earlier versions stay valid
        files.append((utterance.clip, stat.st_size, stat.st_mtime_ns, *interval, utterance.speaker, *channel))
    code = dict.fromkeys([*FEATURES, *(part for feature in extra.values() for part in feature.code)])
    weights = [feature.pretrained.sha256 for feature in extra.values() if feature.pretrained]
    return "-".join([fingerprint(*code, more=repr((files, weights))), *sorted(extra)])


def _load_cached(path: Path, extra: Mapping[str, ExtraFeature]) -> Arrays | None:
    """The features in this file; None if it is missing, damaged or lacks an extra feature."""
    try:
        arrays: Arrays = safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError):
        return None
    return arrays if all(f"extra.{name}" in arrays for name in extra) else None


def load_features(
    utterances: Sequence[Utterance],
    variants: int,
    cache: Path | None = None,
    progress: Progress = silent_progress,
    extra: Mapping[str, ExtraFeature] | None = None,
) -> FeatureStore:
    """Features of every utterance in `1 + variants` versions, from the cache where possible.

    Each corpus has cache files of its own, so that it is computed once for all combinations of corpora; utterances with
    the same audio share their features.

    Args:
        utterances: the labelled clips.
        variants: number of augmented versions.
        cache: cache folder; None for that of the user.
        progress: called after each clip.
        extra: name -> feature to compute beyond the shared ones; see `overtone.models.branches.extra_features`.

    Raises:
        CorpusError: clips that cannot be read.
        OvertoneError: the cache cannot be written.
    """
    extra = dict(extra or {})
    distinct, positions = _distinct_audio(utterances)
    if len(distinct) < len(utterances):
        return replace(load_features(distinct, variants, cache, progress, extra), positions=positions)
    by_corpus = [
        list(_versions(clips, files, progress, extra)) for clips, files in _files(distinct, variants, cache, extra)
    ]
    return FeatureStore(tuple(map(_concatenate, zip(*by_corpus, strict=True))), extra)


def missing_features(
    utterances: Sequence[Utterance],
    variants: int,
    cache: Path | None = None,
    extra: Mapping[str, ExtraFeature] | None = None,
) -> dict[Path, int]:
    """Each cache file that `load_features` with these arguments would write -> number of its clips.

    Raises:
        CorpusError: a clip is missing.
    """
    distinct, _ = _distinct_audio(utterances)
    files = _files(distinct, variants, cache, extra or {})
    return {path: len(clips) for clips, paths in files for path in paths if not path.is_file()}


def _distinct_audio(utterances: Sequence[Utterance]) -> tuple[list[Utterance], tuple[int, ...]]:
    """The first utterance with each audio, and the position of each utterance's audio among them."""
    sources = [(u.path, u.start_s, u.end_s, u.channel) for u in utterances]
    first = dict(zip(reversed(sources), reversed(utterances), strict=True))
    position_of = {source: position for position, source in enumerate(dict.fromkeys(sources))}
    return [first[source] for source in position_of], tuple(position_of[source] for source in sources)


def _files(
    utterances: Sequence[Utterance], variants: int, cache: Path | None, extra: Mapping[str, ExtraFeature]
) -> list[tuple[list[Utterance], list[Path]]]:
    """The clips of each corpus, and the cache files of their versions."""
    folder = (cache or default_cache()) / "features"
    corpora = [list(clips) for _, clips in groupby(utterances, key=lambda utterance: utterance.corpus)]
    stems = [_cache_key(clips, extra) for clips in corpora]
    return [
        (clips, [folder / f"{stem}-{version}.safetensors" for version in range(1 + variants)])
        for clips, stem in zip(corpora, stems, strict=True)
    ]


def _concatenate(parts: Sequence[Arrays]) -> Arrays:
    """The features of several corpora as one; the positions of the last frames are counted on."""
    if len(parts) == 1:
        return parts[0]
    joined = {}
    for name in parts[0]:
        arrays = [part[name] for part in parts]
        if name == "ends" or name.endswith(".ends"):
            offsets = np.cumsum([0, *(ends[-1] for ends in arrays[:-1])])
            arrays = [ends + offset for ends, offset in zip(arrays, offsets, strict=True)]
        joined[name] = np.concatenate(arrays)
    return joined


def _versions(
    utterances: Sequence[Utterance], files: Sequence[Path], progress: Progress, extra: Mapping[str, ExtraFeature]
) -> Iterator[Arrays]:
    """The versions of the features of the clips of one corpus, each from its file where possible."""
    waveforms: list[Waveform] = []
    for version, path in enumerate(files):
        arrays = _load_cached(path, extra)
        if arrays is None:
            waveforms = waveforms or read_waveforms(utterances, progress)
            speakers = [
                f"{utterance.corpus}/{utterance.speaker}" if utterance.speaker else "" for utterance in utterances
            ]
            arrays = extract(waveforms, version, progress, extra, speakers)
            write_bytes(path, safetensors.numpy.save(arrays))
        yield arrays
