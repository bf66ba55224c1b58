"""The result of explaining one prediction: how much each time span, frequency band and property contributed to it."""

import math
from dataclasses import dataclass

from overtone.datatypes import Prediction, require

SMALL_CHANGE = 0.05  # of a probability: less is not worth a word
FOR, AGAINST, LITTLE, UNCLEAR = "for", "against", "little", "unclear"


@dataclass(frozen=True)
class Contribution:
    """How the probability of a class changes without a part of the clip, which is replaced in several ways.

    Log-odds are ln(p / (1 - p)): unlike the probability, they do not change less near 0 and 1.

    Attributes:
        value: log-odds of the class for the clip, minus those without the part, mean over the replacements: positive
            where the part speaks for the class, negative where it speaks against it.
        low, high: the smallest and the largest of the replacements.
        probability: of the class without the part, from the mean log-odds, in [0, 1].
    """

    value: float
    low: float
    high: float
    probability: float

    def __post_init__(self) -> None:
        numbers = (self.value, self.low, self.high)
        require(all(map(math.isfinite, numbers)), self, "finite contributions", numbers)
        require(self.low <= self.value + 1e-9 and self.value <= self.high + 1e-9, self, "low <= value <= high", numbers)
        require(0 <= self.probability <= 1, self, "probability in [0, 1]", self.probability)

    @property
    def is_reliable(self) -> bool:
        """Whether all replacements agree on the sign."""
        return self.low > 0 or self.high < 0

    def verdict(self, probability: float) -> str:
        """Return "for", "against" or "little", or "unclear" where the change is not small but not reliable.

        Args:
            probability: of the class for the clip as it is.
        """
        if abs(self.probability - probability) < SMALL_CHANGE:
            return LITTLE
        return UNCLEAR if not self.is_reliable else FOR if self.value > 0 else AGAINST


@dataclass(frozen=True)
class SpanContribution(Contribution):
    """The contribution of the sound from `start_s` to `end_s`, seconds from the start of the recording."""

    start_s: float = 0.0
    end_s: float = 0.0


@dataclass(frozen=True)
class BandContribution(Contribution):
    """The contribution of the frequencies from `low_hz` to `high_hz`."""

    low_hz: float = 0.0
    high_hz: float = 0.0


@dataclass(frozen=True)
class PropertyContribution(Contribution):
    """The contribution of a property of the speech: how the prediction changes when the property is made average.

    Attributes:
        name: "pitch", "loudness", "tempo" or "voice quality".
        artefact: largest absolute change of the log-odds when the change is undone again: of the processing alone.
    """

    name: str = ""
    artefact: float = 0.0

    @property
    def is_reliable(self) -> bool:
        """Whether all replacements agree on the sign, and the change is larger than that of the processing alone."""
        return super().is_reliable and abs(self.value) > self.artefact


@dataclass(frozen=True)
class Explanation:
    """What made the prediction for one clip, measured by changing the clip.

    Attributes:
        emotion: the class that is explained; by default the predicted one.
        probability: of this class, in [0, 1].
        prediction: for the clip as it is.
        start_s, end_s: the clip in its recording.
        spans: in order of time, adjacent; empty if there is no speech, like the bands and the properties.
        bands: in order of frequency, adjacent.
        properties: of the speech.
        model_runs: number of changed clips that the model was run on.
    """

    emotion: str
    probability: float
    prediction: Prediction
    start_s: float
    end_s: float
    spans: tuple[SpanContribution, ...] = ()
    bands: tuple[BandContribution, ...] = ()
    properties: tuple[PropertyContribution, ...] = ()
    model_runs: int = 0

    def __post_init__(self) -> None:
        require(self.emotion in self.prediction.emotions, self, f"one of {self.prediction.emotions}", self.emotion)
        require(0 <= self.start_s < self.end_s, self, "0 <= start_s < end_s", (self.start_s, self.end_s))
