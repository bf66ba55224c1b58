"""How long training runs will take on this machine: a few steps are tried, and the rest is counted."""

import dataclasses
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from overtone._internal.progress import silent_progress
from overtone.corpora.label_mapping import present_emotions
from overtone.datatypes import Split, Utterance
from overtone.features.front_end import ExtraFeature
from overtone.models import build
from overtone.recipe import FUSION, Recipe, read_teacher
from overtone.training.ensemble_members import distils_itself
from overtone.training.feature_cache import FeatureStore, missing_features
from overtone.training.feature_extraction import Arrays, extract, read_waveforms
from overtone.training.loop import fit
from overtone.training.run_config import RunConfig, part_splits
from overtone.training.targets import make_targets
from overtone.training.teacher import required_features

PROBE_CLIPS, PROBE_EPOCHS = 24, 2
MAX_BATCH_CLIPS, PROBE_BATCHES = 64, 2  # larger batches take about as long per clip
VALIDATION_SHARE = 5  # one clip in five of the probe is validated, about as many as in most protocols
SEED = 0
BYTES_PER_FRAME = 64 * 2 + 3 * 4 + 8  # of cached features, about


class Job(NamedTuple):
    """Training runs on the same clips.

    Attributes:
        utterances: the clips.
        configs: of the runs that are not finished, all of one recipe.
    """

    utterances: Sequence[Utterance]
    configs: Sequence[RunConfig]


@dataclass(frozen=True)
class Estimate:
    """What training runs are and how long they take; runs that stop early take less.

    Attributes:
        runs: number of runs.
        networks: number of networks that are trained, with teachers and students.
        feature_clips: number of clips, in all versions, whose features are computed.
        feature_bytes: size of their cache files, about.
        feature_s: seconds to compute them.
        training_s: seconds to train.
    """

    runs: int
    networks: int
    feature_clips: int
    feature_bytes: float
    feature_s: float
    training_s: float

    @property
    def seconds(self) -> float:
        """Seconds for everything."""
        return self.feature_s + self.training_s


@dataclass(frozen=True)
class Probe:
    """Times that were measured on a few clips.

    Attributes:
        feature_s: seconds per clip and version to read it and compute its features.
        frames: mean number of frames per clip.
        arrays: the features.
        clips: the clips.
        training_s: recipe, as text -> seconds per training clip and epoch of all phases together.
    """

    feature_s: float
    frames: float
    arrays: Arrays
    clips: Sequence[Utterance]
    training_s: dict[str, float] = field(default_factory=dict)

    def seconds_per_clip(self, recipe: Recipe, extra: Mapping[str, ExtraFeature]) -> float:
        """Seconds per training clip and epoch of a recipe; measured at the first call."""
        key = repr(recipe)
        if key not in self.training_s:
            self.training_s[key] = _time_training(recipe, self.clips, self.arrays, extra)
        return self.training_s[key]


def probe_features(utterances: Sequence[Utterance], extra: Mapping[str, ExtraFeature]) -> Probe:
    """Read a few clips and compute their features, augmented.

    Raises:
        CorpusError: a clip cannot be read.
    """
    picked = [utterances[k] for k in np.random.default_rng(SEED).permutation(len(utterances))[:PROBE_CLIPS]]
    start_s = time.perf_counter()
    arrays = extract(read_waveforms(picked, silent_progress), 1, silent_progress, extra)
    seconds = (time.perf_counter() - start_s) / len(picked)
    return Probe(seconds, float(arrays["ends"][-1] / len(picked)), arrays, picked)


def _time_training(
    recipe: Recipe, clips: Sequence[Utterance], arrays: Arrays, extra: Mapping[str, ExtraFeature]
) -> float:
    """Seconds per training clip and epoch, all phases together.

    The clips are repeated to fill batches as large as those of the training: a step of the optimiser takes as long for
    a small batch.
    """
    batch_clips = min(recipe.batch_clips, MAX_BATCH_CLIPS)
    training = PROBE_BATCHES * batch_clips
    count = training + max(1, training // (VALIDATION_SHARE - 1))
    positions = tuple(k % len(clips) for k in range(count))
    clips, store = [clips[k] for k in positions], FeatureStore((arrays,), extra, positions)
    emotions = present_emotions(clips)
    split = Split("probe", "1", train=tuple(range(training)), validation=tuple(range(training, count)), test=())
    probe = dataclasses.replace(recipe, epochs=PROBE_EPOCHS, patience=PROBE_EPOCHS, batch_clips=batch_clips)
    ends_s: list[float] = []
    # The random numbers of the trainings must not depend on whether their time was measured.
    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        network, targets = build(probe, len(emotions)), make_targets(clips, emotions)
        fit(
            network, store, targets, dict.fromkeys(recipe.parts, split), probe,
            seed=SEED, path=Path(folder) / "probe.safetensors",
            device="cuda" if torch.cuda.is_available() else "cpu",
            progress=lambda done, total, text: ends_s.append(time.perf_counter()),
        )  # fmt: skip
    # The first epoch of a phase includes its preparation.
    epochs_s = np.diff(np.reshape(ends_s, (len(recipe.phases), PROBE_EPOCHS)), axis=1).min(axis=1)
    return float(epochs_s.sum() / training)


def estimate(jobs: Sequence[Job], *, cache: Path | None = None, processes: int = 1) -> Estimate:
    """The time that training runs take, one job after the other.

    Args:
        jobs: at least one, each with at least one run; recipes with the same features share a probe.
        cache: cache folder for features; None for that of the user.
        processes: number of runs that are trained at the same time; they are taken to have a core each.

    Raises:
        OptionError: a recipe does not fit.
        CorpusError: a clip cannot be read.
    """
    probes: dict[tuple[str, ...], Probe] = {}
    missing: dict[Path, np.ndarray] = {}  # features that several jobs need are computed once
    runs, networks, training_s = 0, 0, 0.0
    for utterances, configs in jobs:
        recipe = configs[0].recipe
        variants, extra = required_features(recipe)
        if tuple(extra) not in probes:
            probes[tuple(extra)] = probe_features(utterances, extra)
        probe = probes[tuple(extra)]
        for path, clips in missing_features(utterances, variants, cache, extra).items():
            missing[path] = clips * np.array([1, probe.frames * BYTES_PER_FRAME, probe.feature_s])
        trained = _networks(recipe)
        per_clip_s = sum(count * row.epochs * probe.seconds_per_clip(row, extra) for row, count in trained)
        training_s += _training_clips(utterances, configs) * per_clip_s / min(processes, len(configs))
        runs, networks = runs + len(configs), networks + len(configs) * sum(count for _, count in trained)
    feature_clips, feature_bytes, feature_s = map(float, sum(missing.values(), start=np.zeros(3)))
    return Estimate(runs, networks, round(feature_clips), feature_bytes, feature_s, training_s)


def clip_epochs(job: Job) -> int:
    """Number of training clips times epochs and networks, of all runs of a job."""
    epochs = sum(count * recipe.epochs * len(recipe.phases) for recipe, count in _networks(job.configs[0].recipe))
    return epochs * _training_clips(*job)


def _training_clips(utterances: Sequence[Utterance], configs: Sequence[RunConfig]) -> int:
    return sum(len(part_splits(config, utterances)[FUSION].train) for config in configs)


def _networks(recipe: Recipe) -> list[tuple[Recipe, int]]:
    """Each recipe that a run trains networks of, and their number."""
    teacher = read_teacher(recipe)
    students = [(recipe, recipe.members + distils_itself(recipe))]
    return students + ([(teacher, recipe.members)] if teacher is not None else [])
