"""What travels from room to room: frozen values that check their own shape, unit and range."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from overtone.emotions import EMOTIONS
from overtone.errors import InputError

SAMPLE_RATE_HZ = 16_000


def require(condition: bool, owner: object, expected: str, got: object) -> None:
    """Nothing, where a value holds what it should.

    Raises:
        InputError: it does not; the message says what was expected and what came.
    """
    if not condition:
        raise InputError(f"{type(owner).__name__}: expected {expected}, got {got!r}")


@dataclass(frozen=True)
class Utterance:
    """One labelled stretch of speech in a file.

    Attributes:
        path: the sound file.
        emotion: one of `EMOTIONS`.
        speaker: who speaks, unique within the corpus; "" where unknown.
        sentence: what is said (an id or the text); "" where unknown.
        corpus: name of the corpus.
        start_s: where the stretch begins in the file.
        end_s: where it ends; None for the end of the file.
        gender: "female", "male" or "" where unknown.
        intensity: "weak", "normal", "strong" or "" where unknown.
        repetition: 1, 2, ... or 0 where unknown.
        clip: a name that stays the same wherever the corpus lies: path relative to the corpus folder, without suffix.
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

    def __post_init__(self) -> None:
        require(self.emotion in EMOTIONS, self, f"an emotion out of {EMOTIONS}", self.emotion)
        require(self.gender in ("female", "male", ""), self, "gender 'female', 'male' or ''", self.gender)
        require(self.start_s >= 0, self, "start_s >= 0", self.start_s)
        require(self.end_s is None or self.end_s > self.start_s, self, "end_s > start_s", (self.start_s, self.end_s))


@dataclass(frozen=True)
class Waveform:
    """Mono sound at 16 kHz.

    Attributes:
        samples: float32 `(samples,)`, finite, nominally in [-1, 1].
        source: file name or description, for messages.
    """

    samples: np.ndarray
    source: str = ""

    def __post_init__(self) -> None:
        samples = self.samples
        require(isinstance(samples, np.ndarray), self, "samples as numpy array", type(samples))
        require(samples.dtype == np.float32, self, "samples of dtype float32", samples.dtype)
        require(samples.ndim == 1, self, "samples of shape (samples,)", samples.shape)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Prediction:
    """What a model says of one stretch of speech.

    Attributes:
        emotions: names of the classes, in the order of every probability vector.
        probabilities: float `(emotions,)`, summing to 1: the fused answer.
        branches: branch name ("mel", "prosody") -> float `(emotions,)`, each summing to 1.
        duration_s: length of the stretch.
        prosody: measured values by name with unit, e.g. "pitch_median_hz", "speech_rate_hz", "tempo_bpm".
        model: id of the model that answered.
        source: file name or description.
        uncertain_below: confidence under which the answer counts as uncertain, in [0, 1]; 0 for never.
        columns: what a manifest says of it, column -> value; text, numbers, truth values or None.
    """

    emotions: tuple[str, ...]
    probabilities: np.ndarray
    branches: dict[str, np.ndarray] = field(default_factory=dict)
    duration_s: float = 0.0
    prosody: dict[str, float] = field(default_factory=dict)
    model: str = ""
    source: str = ""
    uncertain_below: float = 0.0
    columns: Mapping[str, str | float | bool | None] = field(default_factory=dict)

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
        """Whether the confidence is too low to rely on the emotion."""
        return bool(self.confidence < self.uncertain_below)

    @property
    def branches_agree(self) -> bool:
        """Whether all branches find the same emotion most probable."""
        return len({int(np.argmax(values)) for values in self.branches.values()}) < 2


@dataclass(frozen=True)
class Split:
    """Which utterances a model learns from, is chosen on, and is tested on.

    Attributes:
        protocol: name of the protocol.
        fold: name of the fold within the protocol.
        train: positions in the list of utterances.
        validation: likewise; epoch, recipe and calibration are chosen here.
        test: likewise; touched once.
    """

    protocol: str
    fold: str
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]

    def __post_init__(self) -> None:
        sides = (set(self.train), set(self.validation), set(self.test))
        total = sum(len(side) for side in sides)
        require(len(set().union(*sides)) == total, self, "train, validation and test without a common clip", self.fold)


@dataclass(frozen=True)
class LeakAudit:
    """Who and what stands on both sides of a split.

    Attributes:
        test_clips: number of test clips.
        shared_speakers: speakers of the test side that any part of the model was trained on.
        shared_sentences: sentences, likewise.
        seen_clips: test clips that any part of the model was trained on.
        test_speakers: number of speakers on the test side.
        test_sentences: number of sentences on the test side.
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
    """Out-of-fold answers: one row per clip and seed, each by a model that was tested on that clip.

    Attributes:
        emotions: names of the classes, in the order of the columns of `probabilities`.
        path: str `(n,)`, clip ids such as "Actor_01/03-01-01-01-01-01-01"; each once per seed.
        speaker: str `(n,)`; "" where unknown.
        sentence: str `(n,)`; "" where unknown.
        fold: str `(n,)`, name of the fold the clip was tested in.
        seed: int `(n,)`, seed of the training.
        truth: str `(n,)`, each one of `emotions`.
        probabilities: float `(n, emotions)`, rows summing to 1.
    """

    emotions: tuple[str, ...]
    path: np.ndarray
    speaker: np.ndarray
    sentence: np.ndarray
    fold: np.ndarray
    seed: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.path)
        require(n > 0, self, "at least one row", n)
        for name in ("path", "speaker", "sentence", "fold", "seed", "truth"):
            shape = np.shape(getattr(self, name))
            require(shape == (n,), self, f"{name} of shape ({n},)", shape)
        require(np.shape(self.probabilities) == (n, len(self.emotions)), self, "a column per emotion", self.emotions)
        foreign = sorted(set(self.truth.tolist()) - set(self.emotions))
        require(not foreign, self, f"truth out of {self.emotions}", foreign)
        sums = self.probabilities.sum(axis=1)
        worst = self.path[np.argmax(np.nan_to_num(np.abs(sums - 1), nan=np.inf))]
        require(np.allclose(sums, 1, atol=1e-3), self, "probabilities summing to 1 in each row", str(worst))
        once = len(set(zip(self.path.tolist(), self.seed.tolist(), strict=True)))
        require(once == n, self, "each clip once per seed", f"{n - once} rows too many")

    def __len__(self) -> int:
        return len(self.path)


@dataclass(frozen=True)
class Score:
    """One figure with its 95 % interval.

    Attributes:
        value: the figure, in [0, 1] for rates.
        low: lower end of the interval.
        high: upper end.
    """

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
    """How well predictions fit the truth.

    Attributes:
        emotions: names of the classes.
        n: number of predictions (clips x seeds).
        clips: number of different clips.
        speakers: number of different speakers.
        uar: unweighted average recall (balanced accuracy), the score to quote first.
        wa: weighted accuracy (plain accuracy).
        macro_f1: unweighted mean of the F1 of the classes.
        classes: emotion -> `ClassScore`.
        confusion: int `(emotions, emotions)`, rows = truth, columns = answer.
        seeds: number of trainings with different seeds behind the predictions.
        seed_spread: standard deviation of the UAR between seeds; 0 for one seed.
        interval_over: what the bootstrap drew: "speakers", or "clips" where speakers are not known.
    """

    emotions: tuple[str, ...]
    n: int
    clips: int
    speakers: int
    uar: Score
    wa: Score
    macro_f1: Score
    classes: dict[str, ClassScore]
    confusion: np.ndarray
    seeds: int = 1
    seed_spread: float = 0.0
    interval_over: str = "speakers"
