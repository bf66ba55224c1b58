"""What the windows of a recording are adapted to: nothing, reference clips, or other windows of the same recording.

    reference = live_reference(model, adapt=True)        # for a stream: all windows so far
    outputs = reference.model(speaker).run(window)
    reference.add(speaker, outputs)

The statistics of the windows with speech describe a speaker and a recording (voice, microphone, room) without a label,
just as those of reference clips do.
"""

from collections.abc import Mapping
from typing import Protocol

from overtone._internal.tensor_names import SPEAKER_FEATURES, Outputs
from overtone.errors import OptionError
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.speaker_statistics import MIN_CLIPS, RunningStatistics
from overtone.timeline import ADAPTED_TO_RECORDING, ADAPTED_TO_REFERENCE, ADAPTED_TO_SPEAKERS, ADAPTED_TO_STREAM


class Reference(Protocol):
    """Which model predicts a window.

    Attributes:
        adaptation: what the windows are adapted to, a value of `Timeline.adaptation`.
        is_running: whether each window changes the model of later ones, so that they must be predicted in order.
    """

    adaptation: str
    is_running: bool

    def model(self, speaker: str) -> OnnxModel:
        """The model for the next window of a speaker."""

    def add(self, speaker: str, outputs: Outputs) -> None:
        """Take the outputs of the model for a window of a speaker into account."""


class FixedReference:
    """A reference that no window changes.

    Args:
        model: for all windows.
        by_speaker: speaker -> the adapted model for the windows of that speaker, instead.
        adaptation: what the models are adapted to.
    """

    is_running = False

    def __init__(
        self,
        model: OnnxModel,
        by_speaker: Mapping[str, OnnxModel] | None = None,
        adaptation: str = ADAPTED_TO_REFERENCE,
    ) -> None:
        self.adaptation = adaptation
        self._model, self._by_speaker = model, by_speaker or {}

    def model(self, speaker: str) -> OnnxModel:
        """The model of the speaker, else the one for all."""
        return self._by_speaker.get(speaker, self._model)

    def add(self, speaker: str, outputs: Outputs) -> None:
        """Change nothing."""


class RunningReference:
    """The windows of each speaker so far, once there are `MIN_CLIPS`; before, the model is not adapted.

    Args:
        model: a model with a speaker adapter.
    """

    is_running = True
    adaptation = ADAPTED_TO_STREAM

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self._statistics: dict[str, RunningStatistics] = {}

    def model(self, speaker: str) -> OnnxModel:
        """The model, adapted to the windows of the speaker so far."""
        statistics = self._statistics.get(speaker)
        if statistics is None or statistics.clips < MIN_CLIPS:
            return self._model
        return self._model.with_statistics(statistics.statistics())

    def add(self, speaker: str, outputs: Outputs, weight: float = 1.0) -> None:
        """Add a window of a speaker.

        Args:
            speaker: name of the speaker; "" for all windows of a recording without turns.
            outputs: of the model for the window.
            weight: number of windows that it stands for.
        """
        self._statistics.setdefault(speaker, RunningStatistics()).add(outputs[SPEAKER_FEATURES][0], weight)

    def fixed(self, *, has_turns: bool) -> FixedReference:
        """The reference as it is now, which later windows do not change.

        Args:
            has_turns: whether the windows belong to speaker turns.
        """
        models = {speaker: self.model(speaker) for speaker in self._statistics}
        return FixedReference(self._model, models, ADAPTED_TO_SPEAKERS if has_turns else ADAPTED_TO_RECORDING)


def live_reference(model: OnnxModel, adapt: bool) -> Reference:
    """The reference for audio that is read once: the windows so far.

    It is the model as it is if the model cannot adapt, or is adapted to reference clips, which have priority.

    Args:
        model: the model.
        adapt: whether the audio may be adapted to itself.

    Raises:
        OptionError: it is neither True nor False.
    """
    if not isinstance(adapt, bool):
        raise OptionError(f"adapt: expected True or False, got {adapt!r:.80}")
    adapts = adapt and model.can_adapt and not model.reference_clips
    return RunningReference(model) if adapts else FixedReference(model)
