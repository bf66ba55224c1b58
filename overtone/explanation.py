"""The result of explaining one prediction: how much each time span, frequency band and property contributed to it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overtone.datatypes import FloatArray, Prediction, require
from overtone.equality import EqualByValue

SMALL_CHANGE = 0.05  # of a probability: less is not worth a word
FOR, AGAINST, LITTLE, UNCLEAR = "for", "against", "little", "unclear"
PROPERTY_NAMES = ("pitch", "loudness", "tempo", "voice quality")


@dataclass(frozen=True)
class Contribution:
    """How the probability of a class changes without a part of the clip, which is replaced in several ways.

    Log-odds are ln(p / (1 - p)): unlike the probability, they do not change less near 0 and 1.

    Attributes:
        value: log-odds of the class for the clip, minus those without the part, mean over the replacements: positive
            where the part speaks for the class, negative where it speaks against it.
        low, high: the smallest and the largest of the replacements.
        probability: of the class without the part, from the mean log-odds, in [0, 1]; spans and bands are replaced in
            windows of two, so theirs is the mean over the windows that contain them.
    """

    value: float
    low: float
    high: float
    probability: float

    def __post_init__(self) -> None:
        numbers = (self.value, self.low, self.high)
        require(all(map(math.isfinite, numbers)), self, "finite contributions", numbers)
        require(self.low - 1e-6 <= self.value <= self.high + 1e-6, self, "low <= value <= high", numbers)
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
        name: one of `PROPERTY_NAMES`.
        artefact: largest absolute change of the log-odds when the change is undone again: of the processing alone.
    """

    name: str = ""
    artefact: float = 0.0

    @property
    def is_reliable(self) -> bool:
        """Whether all replacements agree on the sign, and the change is larger than that of the processing alone."""
        return (self.low > 0 or self.high < 0) and abs(self.value) > self.artefact


@dataclass(frozen=True, eq=False)
class Explanation(EqualByValue):
    """What made the prediction for one clip, measured by changing the clip.

    Attributes:
        emotion: the class that is explained; by default the predicted one.
        probability: of this class, in [0, 1].
        prediction: for the clip as it is.
        start_s, end_s: the clip in its recording.
        spans: in order of time, adjacent; empty if there is no speech, like the bands and the properties.
        bands: in order of frequency, adjacent.
        properties: those that can be measured in the clip.
        levels_db: level of each band over time, `(steps, bands)`, 0 at the loudest, in steps of equal length.
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
    levels_db: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    model_runs: int = 0

    def __post_init__(self) -> None:
        require(self.emotion in self.prediction.emotions, self, f"one of {self.prediction.emotions}", self.emotion)
        require(0 <= self.start_s < self.end_s, self, "0 <= start_s < end_s", (self.start_s, self.end_s))

    @classmethod
    def from_values(cls, values: Mapping[str, Any], prediction: Prediction) -> "Explanation":
        """Return the explanation of a JSON object as `overtone.formats.explanation_json` writes it.

        Args:
            values: the object.
            prediction: that of its key "prediction".
        """
        return cls(
            emotion=values["emotion"],
            probability=values["probability"],
            prediction=prediction,
            start_s=values["start_s"],
            end_s=values["end_s"],
            spans=tuple(
                SpanContribution(**_common(row), **_picked(row, "start_s", "end_s")) for row in values["spans"]
            ),
            bands=tuple(
                BandContribution(**_common(row), **_picked(row, "low_hz", "high_hz")) for row in values["bands"]
            ),
            properties=tuple(
                PropertyContribution(**_common(row), **_picked(row, "name", "artefact")) for row in values["properties"]
            ),
            levels_db=np.array(values["levels_db"], float).reshape(len(values["levels_db"]), len(values["bands"])),
            model_runs=values["model_runs"],
        )


def _picked(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": row["contribution"], **_picked(row, "low", "high", "probability")}
