"""The data types that packages exchange: frozen dataclasses that validate their shapes, units and ranges."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from overtone.channels import parse_channel
from overtone.emotions import parse_label
from overtone.equality import EqualByValue
from overtone.errors import InputError

SAMPLE_RATE_HZ = 16_000
MIN_SPEECH_S = 0.5  # two or three syllables; with less speech, no prediction is certain

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
Float32Array: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
StrArray: TypeAlias = npt.NDArray[np.str_]


def require(condition: bool, owner: object, expected: str, got: object) -> None:
    """Check a condition on a field of `owner`.

    Raises:
        InputError: the condition is false; the message names the expected and the actual value.
    """
    if not condition:
        raise InputError(f"{type(owner).__name__}: expected {expected}, got {got!r}")


@dataclass(frozen=True)
class Utterance:
    """A labelled interval of speech in an audio file.

    Attributes:
        path, start_s, end_s: the audio file, and the interval in it; `end_s` is None for the end of the file.
        emotion: a class, as `overtone.emotions.parse_label` returns it.
        speaker, sentence: name, unique within the corpus; spoken sentence (an id or the text); "" where unknown.
        gender, intensity: "female" or "male"; "weak", "normal" or "strong"; "" where unknown.
        corpus, repetition: name of the corpus; 1, 2, ... or 0 where unknown.
        clip: id that does not depend on where the corpus is stored: path relative to its folder, without suffix.
        training_only: whether the clip is in the training set of every protocol.
        channel: "left", "right" or a number from 1; "" for the mean of all channels.
        origin: the table and the row whose audio was copied to the file, for messages; "" if there is none.
    """

    path: Path
    emotion: str
    speaker: str = ""
    sentence: str = ""
    corpus: str = ""
    start_s: float = 0.0
    end_s: float | None = None
    gender: str = ""
    intensity: str = ""
    repetition: int = 0
    clip: str = ""
    training_only: bool = False
    channel: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        require(self.emotion == parse_label(self.emotion), self, "a label as `parse_label` returns it", self.emotion)
        require(self.gender in ("female", "male", ""), self, "gender 'female', 'male' or ''", self.gender)
        require(self.channel in ("", parse_channel(self.channel or 1)), self, "a channel or ''", self.channel)
        require(self.start_s >= 0, self, "start_s >= 0", self.start_s)
        require(self.end_s is None or self.end_s > self.start_s, self, "end_s > start_s", (self.start_s, self.end_s))


@dataclass(frozen=True, eq=False)
class Waveform(EqualByValue):
    """Mono audio at 16 kHz.

    Attributes:
        samples: float32 `(samples,)`, finite, nominally in [-1, 1].
        source: file name or description, for messages.
    """

    samples: Float32Array
    source: str = ""

    def __post_init__(self) -> None:
        require(isinstance(self.samples, np.ndarray), self, "samples as numpy array", type(self.samples))
        require(self.samples.dtype == np.float32, self, "samples of dtype float32", self.samples.dtype)
        require(self.samples.ndim == 1, self, "samples of shape (samples,)", self.samples.shape)

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, eq=False)
class Prediction(EqualByValue):
    """The prediction of a model for one clip.

    Attributes:
        emotions, duration_s: names of the classes, in the order of every probability vector; duration of the clip.
        probabilities, branches: the fused one, float `(emotions,)`, and by name of the branch; each summing to 1.
        prosody: name with unit -> measured value, e.g. "pitch_median_hz", "speech_rate_hz", "tempo_bpm".
        model, source: id of the model; file name or description.
        uncertain_below, columns: confidence below which it counts as uncertain, in [0, 1]; manifest column -> value.
        speech_s: duration of the speech that was detected in the clip, without pauses; NaN if unknown.
        arousal, valence: from calm (0) to excited (1), and from negative (0) to positive (1); NaN if unknown.
        reference_clips: number of reference clips, or windows of the same recording, it is adapted to; 0 for none.
        channel: "left", "right", a number from 1, "mix", or the name given to a channel; "" where none was asked for.
    """

    emotions: tuple[str, ...]
    probabilities: FloatArray
    branches: dict[str, FloatArray] = field(default_factory=dict)
    duration_s: float = 0.0
    prosody: dict[str, float] = field(default_factory=dict)
    model: str = ""
    source: str = ""
    uncertain_below: float = 0.0
    columns: Mapping[str, str | float | bool | None] = field(default_factory=dict)
    speech_s: float = math.nan
    arousal: float = math.nan
    valence: float = math.nan
    reference_clips: int = 0
    channel: str = ""

    def __post_init__(self) -> None:
        require(0 <= self.uncertain_below <= 1, self, "uncertain_below in [0, 1]", self.uncertain_below)
        for name, values in {"fused": self.probabilities, **self.branches}.items():
            require(np.shape(values) == (len(self.emotions),), self, f"({len(self.emotions)},) for {name}", values)
            require(abs(float(np.sum(values)) - 1) < 1e-3, self, f"{name} probabilities summing to 1", values)

    @property
    def emotion(self) -> str:
        """The most probable emotion."""
        return self.emotions[int(np.argmax(self.probabilities))]

    @property
    def confidence(self) -> float:
        """Probability of the most probable emotion, in [0, 1]."""
        return float(np.max(self.probabilities))

    @property
    def uncertain(self) -> bool:
        """Whether the confidence is below `uncertain_below`, or the speech shorter than `MIN_SPEECH_S`."""
        return bool(self.confidence < self.uncertain_below or self.speech_s < MIN_SPEECH_S)

    @property
    def no_speech(self) -> bool | None:
        """Whether no speech at all was detected in the clip; None if that is unknown."""
        return None if math.isnan(self.speech_s) else self.speech_s == 0

    @property
    def branches_agree(self) -> bool:
        """Whether the same emotion is the most probable one in every branch."""
        return len({int(np.argmax(values)) for values in self.branches.values()}) < 2


@dataclass(frozen=True)
class Split:
    """The training, validation and test utterances of one fold.

    Attributes:
        protocol, fold: name of the protocol, and of the fold within it.
        train, validation, test: indices into the list of utterances. Epoch, recipe and calibration are chosen on the
            validation set; the test set is used once.
    """

    protocol: str
    fold: str
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]

    def __post_init__(self) -> None:
        subsets = (set(self.train), set(self.validation), set(self.test))
        total = sum(len(subset) for subset in subsets)
        require(len(set().union(*subsets)) == total, self, "train, validation and test without common clips", self.fold)


@dataclass(frozen=True)
class LeakAudit:
    """Numbers of distinct test clips, speakers and sentences, and of those that also occur in the training data.

    Attributes:
        test_clips, test_speakers, test_sentences: numbers of all test clips, speakers and sentences.
        shared_speakers, shared_sentences: numbers of those that any part of the model was trained on.
        seen_clips: number of test clips whose audio any part of the model was trained on.
    """

    test_clips: int
    test_speakers: int
    test_sentences: int
    shared_speakers: int
    shared_sentences: int
    seen_clips: int

    def __str__(self) -> str:
        return (
            f"trained or chosen on: {self.seen_clips} of {self.test_clips} test clips, "
            f"{self.shared_speakers} of {self.test_speakers} test speakers, "
            f"{self.shared_sentences} of {self.test_sentences} test sentences"
        )


@dataclass(frozen=True)
class OofPredictions:
    """Out-of-fold predictions: one row per clip and seed, each by a model that had the clip in its test fold.

    Attributes:
        emotions: names of the classes, in the order of the columns of `probabilities`.
        path: str `(n,)`, clip ids such as "Actor_01/03-01-01-01-01-01-01"; unique per corpus and seed.
        corpus, speaker, sentence: str `(n,)`; "" where unknown.
        fold, seed: str and int `(n,)`, name of the fold in which the clip was tested, and seed of the training run.
        truth: str `(n,)`, true emotion of each clip, one of `emotions`.
        probabilities: float `(n, emotions)`, rows summing to 1.
    """

    emotions: tuple[str, ...]
    path: StrArray
    corpus: StrArray
    speaker: StrArray
    sentence: StrArray
    fold: StrArray
    seed: IntArray
    truth: StrArray
    probabilities: FloatArray

    def __post_init__(self) -> None:
        n = len(self.path)
        require(n > 0, self, "at least one row", n)
        for name in ("path", "corpus", "speaker", "sentence", "fold", "seed", "truth"):
            shape = np.shape(getattr(self, name))
            require(shape == (n,), self, f"{name} of shape ({n},)", shape)
        require(np.shape(self.probabilities) == (n, len(self.emotions)), self, "one column per emotion", self.emotions)
        unknown = sorted(set(self.truth.tolist()) - set(self.emotions))
        require(not unknown, self, f"truth values among {self.emotions}", unknown)
        sums = self.probabilities.sum(axis=1)
        worst = self.path[np.argmax(np.nan_to_num(np.abs(sums - 1), nan=np.inf))]
        require(np.allclose(sums, 1, atol=1e-3), self, "probabilities summing to 1 in each row", str(worst))
        distinct = len(set(zip(self.corpus.tolist(), self.path.tolist(), self.seed.tolist(), strict=True)))
        require(distinct == n, self, "each clip once per seed", f"{n - distinct} duplicate rows")

    def __len__(self) -> int:
        return len(self.path)


@dataclass(frozen=True)
class Score:
    """A value, in [0, 1] for rates, and the bounds `low` and `high` of its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and F1 of one emotion, each in [0, 1], and its number of predictions (clips x seeds)."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """The scores of a set of predictions.

    Attributes:
        emotions, classes: names of the classes; emotion -> `ClassScore`.
        n, clips, speakers: numbers of predictions (clips x seeds), and of distinct clips and speakers.
        uar: unweighted average recall (balanced accuracy), the primary score.
        wa, macro_f1: weighted accuracy (plain accuracy); unweighted mean of the F1 scores of the classes.
        confusion: counts `(emotions, emotions)`, rows = truth, columns = prediction.
        seeds, seed_spread: number of random seeds; standard deviation of the UAR over them, 0 for one seed.
        interval_over: unit that the bootstrap resampled: "speakers", or "clips" where speakers are unknown.
        folds: fold -> its UAR, where the scores are means over folds; else empty.
    """

    emotions: tuple[str, ...]
    n: int
    clips: int
    speakers: int
    uar: Score
    wa: Score
    macro_f1: Score
    classes: dict[str, ClassScore]
    confusion: FloatArray | IntArray
    seeds: int = 1
    seed_spread: float = 0.0
    interval_over: str = "speakers"
    folds: dict[str, float] = field(default_factory=dict)
