"""Recogniser: the entry point of inference. Audio -> predictions and timelines, with a model file alone.

    recogniser = load()                                # the default model; load(emotions=("happy", "sad")): two classes
    prediction = recogniser.recognise("clip.wav")
    for prediction in recogniser.recognise_many(paths):  # a bad file yields an error in its place
        ...
    adapted = recogniser.adapt(clips_of_anna)          # the same model, adapted to a speaker by unlabelled clips
    timeline = recogniser.timeline("an-hour.flac")     # emotions over time; channel="each": each channel is a speaker
    stream = recogniser.stream(rate_hz=48_000)         # the same for live audio

The model file is described in `overtone.inference.onnx_model`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from overtone._internal import tensor_names
from overtone._internal.tensor_names import Outputs
from overtone.audio.source import Source
from overtone.audio.vad import measure_speech
from overtone.channels import MIX, Channel, parse_channel
from overtone.datatypes import Float32Array, Prediction, Waveform
from overtone.each_channel import choose_channels
from overtone.errors import ModelError, OptionError, OvertoneError
from overtone.inference.bundled_models import model_path
from overtone.inference.inputs import Samples, check_confidence, check_several, check_threads, load_waveform
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.prosody_summary import summarise_clip
from overtone.inference.speaker_statistics import SpeakerStatistics, collect_statistics

if TYPE_CHECKING:
    from overtone.explanation import Explanation
    from overtone.inference.explaining.request import ExplainOptions
    from overtone.inference.streaming import Stream
    from overtone.timeline import Segment, Timeline


class Recogniser:
    """A loaded model; `load` returns one.

    Attributes:
        model: the model file and its settings, the only argument.
    """

    def __init__(self, model: OnnxModel) -> None:
        self.model = model

    @property
    def card(self) -> dict[str, Any]:
        """The model card; see `overtone.inference.model_card`."""
        return self.model.card

    @property
    def emotions(self) -> tuple[str, ...]:
        """The classes, in the order of every probability vector."""
        return self.model.emotions

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the branches that predictions include, such as "mel" and "prosody"."""
        return self.model.branches

    @property
    def uncertain_below(self) -> float:
        """Confidence below which a prediction is uncertain, in [0, 1]."""
        return self.model.uncertain_below

    @property
    def can_adapt(self) -> bool:
        """Whether the model has a speaker adapter, and all its branches are in use, which the adapter needs."""
        return self.model.can_adapt

    def check_can_adapt(self) -> None:
        """Check that the model can adapt.

        Raises:
            ModelError: the model has no speaker adapter.
            OptionError: some of the branches are chosen: the speaker adapter needs all of them.
        """
        if self.model.statistics is None:
            raise ModelError(f"{self.model.path}: this model has no speaker adapter, so it cannot adapt to a speaker")
        if not self.can_adapt:
            raise OptionError("adapt: the speaker adapter uses all branches of the model; choose none, or do not adapt")

    def adapt(
        self,
        sources: Iterable[Source | Waveform],
        on_error: Callable[[OvertoneError], None] | None = None,
        *,
        channel: Channel = MIX,
    ) -> "Recogniser":
        """The same model, adapted to one speaker: features are normalised by those of the reference clips.

        Args:
            sources: unlabelled clips of the speaker; ten or more, of various emotions, work best. docs/results.md shows
                the gain by number of clips.
            on_error: called with the error of each clip that cannot be recognised, which is then left out; None raises
                the first one.
            channel: as for `recognise`, of all clips.

        Raises:
            ModelError: the model has no speaker adapter.
            OptionError: no clip that can be recognised, a path instead of a list, not a channel, or some of the
                branches are chosen: the speaker adapter needs all of them.
            AudioError: a clip cannot be recognised, and `on_error` is None.
        """
        self.check_can_adapt()
        check_several(sources, "adapt")
        measure = partial(self.speaker_features, channel=parse_channel(channel))
        return self.adapt_to(collect_statistics(measure, sources, on_error))

    def adapt_to(self, statistics: SpeakerStatistics) -> "Recogniser":
        """The same model, adapted to a speaker whose statistics are known; raises errors as `check_can_adapt` does."""
        self.check_can_adapt()
        return Recogniser(self.model.with_statistics(statistics))

    def speaker_features(self, source: Source | Waveform, channel: Channel = MIX) -> Float32Array:
        """The speaker features of one reference clip, float32 `(values,)`, from which `adapt` computes statistics.

        Raises:
            ModelError: the model has no speaker adapter, or fails on the clip.
            OptionError: some of the branches are chosen, or not a channel.
            AudioError: the clip cannot be recognised.
        """
        self.check_can_adapt()
        features: Float32Array = self._run(source, None, channel)[1][tensor_names.SPEAKER_FEATURES][0]
        return features

    def recognise(
        self, source: Source | Waveform | Samples, rate_hz: float | None = None, *, channel: Channel = MIX
    ) -> Prediction:
        """The prediction for one clip as a whole; uncertain if the clip contains hardly any speech.

        Args:
            source: path, bytes, file object, `Waveform`, or what numpy converts to samples `(samples[, channels])`.
            rate_hz: sample rate of samples; files have their own.
            channel: "mix" for the mean of all channels, "left" or "right" of two, or a number from 1.

        Raises:
            AudioError: the audio cannot be read or lacks the channel, or there is nothing to recognise: silence, or
                less than 0.1 s.
            OptionError: samples without a valid rate, a rate for another source, or not a channel of one prediction.
            ModelError: the model fails on the clip.
        """
        waveform, outputs = self._run(source, rate_hz, channel)
        prosody = summarise_clip(waveform.samples, outputs)
        probabilities = self.model.probabilities(outputs).astype(float)
        durations_s = waveform.duration_s, measure_speech(waveform.samples)
        affect = self.model.arousal_valence(outputs)
        prediction = self.model.make_prediction(probabilities, affect, *durations_s, prosody, waveform.source)
        return replace(prediction, channel=parse_channel(channel).removeprefix(MIX))

    def recognise_many(
        self, sources: Iterable[Source | Waveform], *, channel: Channel = MIX, channel_names: Sequence[str] = ()
    ) -> Iterator[Prediction | OvertoneError]:
        """One prediction per source, in order; if a source cannot be recognised, the error in its place.

        With the channel "each" there is one per channel: `Prediction.channel` is its name, or its number from 1.

        Raises:
            OptionError: a single source instead of a list, not a channel, or names that are not valid or not needed.
        """
        from overtone.inference.many_clips import recognise_all

        check_several(sources, "recognise_many")
        return recognise_all(self.recognise, sources, choose_channels(channel, channel_names))

    def explain(
        self, source: Source | Waveform | Samples, rate_hz: float | None = None, **options: "Unpack[ExplainOptions]"
    ) -> "Explanation":
        """What made the prediction for one clip: contributions of its time spans, frequency bands and properties.

        Args:
            source: as for `recognise`; at most 30 s of it are explained.
            rate_hz: likewise.
            options: `emotion`, `start_s`, `end_s`, `offset_s`, `channel`, `seed`, as in `request.ExplainOptions`.

        Raises:
            AudioError: as `recognise`, or the part is too long or not in the recording.
            OptionError: as `recognise`, an unknown class, or times that are not in order.
            ModelError: the model fails on it.
        """
        from overtone.inference.explaining.request import explain

        return explain(self.model, self.recognise, source, rate_hz, **options)

    def timeline(
        self,
        source: Source | Waveform | Samples,
        rate_hz: float | None = None,
        *,
        channel: Channel = MIX,
        channel_names: Sequence[str] = (),
        turns: "Iterable[Segment] | None" = None,
        threads: int = 1,
        adapt: bool = True,
        on_progress: Callable[[float], None] | None = None,
    ) -> "Timeline":
        """Emotions over time in a recording of any length, with constant memory.

        If the model has a speaker adapter, the recording is adapted to itself: a first pass measures the windows with
        speech, of each speaker of the turns or of the whole recording, and a second one predicts with these statistics.
        A speaker with fewer than three windows is not adapted. A pipe, and a file object that cannot seek, are read
        once only: like a stream, they are adapted to the windows before. `Timeline.adaptation` says which of these was
        done. A recogniser that `adapt` returned keeps to its reference clips; one with some of the branches is not
        adapted, as the speaker adapter needs all of them.

        Args:
            source: as for `recognise`.
            rate_hz: sample rate of an array; files have their own.
            channel: as for `recognise`; or "each": each channel is a speaker, adapted to itself, with own segments.
            channel_names: names of these speakers; by default "left" and "right" of two, else "channel-1", ...
            turns: speaker turns, such as `overtone.read_turns` returns; each gets one prediction. None splits the
                recording where the emotion changes.
            threads: number of threads.
            adapt: whether to adapt the recording to itself.
            on_progress: called with the number of seconds that have been processed; each of two passes counts half.

        Raises:
            AudioError: the audio cannot be read, lacks the channel, has not a channel per name, or is below 0.1 s.
            InputError: the turns are no segments, or a turn ends after the recording.
            OptionError: fewer threads than 1; turns or names that the channel does not allow; or as for `recognise`.
            ModelError: the model fails on it.
        """
        from overtone.inference import channel_speakers

        return channel_speakers.timeline(
            self.model,
            source,
            rate_hz,
            choice=choose_channels(channel, channel_names),
            turns=turns,
            threads=threads,
            adapt=adapt,
            on_progress=on_progress,
        )

    def stream(self, rate_hz: float, *, source: str = "stream", threads: int = 1, adapt: bool = True) -> "Stream":
        """A stream for live audio: push it chunk by chunk, and get the timeline at the end.

        If the model has a speaker adapter, each window is adapted to those before, from the fourth window with speech
        on: predictions improve during the stream, and earlier ones are not changed.

        Args:
            rate_hz: sample rate of the chunks, 8 000 to 192 000.
            source: a name for messages.
            threads: number of threads; of no use while a stream is adapted to itself, as windows depend on each other.
            adapt: whether to adapt the stream to itself.

        Raises:
            AudioError: a sample rate outside the range.
            OptionError: an invalid sample rate, or fewer threads than 1.
        """
        from overtone.inference.self_reference import live_reference
        from overtone.inference.streaming import Stream

        return Stream(self.model, rate_hz, source, threads=threads, reference=live_reference(self.model, adapt))

    def _run(
        self, source: Source | Waveform | Samples, rate_hz: float | None, channel: Channel
    ) -> tuple[Waveform, Outputs]:
        waveform = load_waveform(source, rate_hz, channel)
        return waveform, self.model.run(waveform)


def load(
    model: str | Path | None = None,
    *,
    threads: int = 1,
    uncertain_below: float | None = None,
    emotions: Sequence[str] | None = None,
    branches: Sequence[str] | None = None,
) -> Recogniser:
    """A model, ready for inference.

    Args:
        model: path of a model file, or name of a bundled model: "overtone" or "lite"; None for "overtone".
        threads: number of threads for one clip, at least 1.
        uncertain_below: confidence below which a prediction is uncertain, in [0, 1]; None takes the threshold of the
            model card, or 0 if it has none.
        emotions: the classes of predictions, at least two of the model's; None for all. The probabilities of the others
            are dropped, and the rest sums to 1; calm and bored count to neutral if only neutral is chosen.
        branches: the branches of predictions, at least one of the model's; None for all. The fused prediction of some
            branches is the normalised geometric mean of their probabilities.

    Raises:
        ModelError: missing, damaged, not a model of Overtone, or of another version.
        OptionError: fewer threads than 1, a confidence outside [0, 1], an unknown class or branch, or too few.
    """
    check_threads(threads)
    check_confidence(uncertain_below, "uncertain_below")
    loaded = OnnxModel(model_path(model), threads, uncertain_below)
    if emotions is not None or branches is not None:
        from overtone.inference.selection import select

        loaded = loaded.with_selection(select(emotions, branches, loaded.emotions, loaded.branches))
    return Recogniser(loaded)
