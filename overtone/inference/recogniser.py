"""Sound -> answer, with a model file alone: no torch, no librosa, no compiler.

    recogniser = load()                                # the model that comes with the package
    answer = recogniser.recognise("clip.wav")
    for answer in recogniser.recognise_many(paths):    # a bad file gives an error in its place, the rest goes on
        ...
    known = recogniser.adapt(clips_of_anna)            # the same model, for one speaker: unlabelled clips are enough
    timeline = recogniser.timeline("an-hour.flac")     # what is heard when
    stream = recogniser.stream(rate_hz=48_000)         # the same while it is still being said

`overtone.inference.onnx_model` says what a model file is.
"""

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from overtone.audio.decode import check_duration, from_array, read
from overtone.audio.source import Source
from overtone.datatypes import Prediction, Waveform
from overtone.errors import AudioError, ModelError, OptionError, OvertoneError
from overtone.inference import speaker_statistics
from overtone.inference.onnx_model import BRANCHES, PROBABILITIES, RATES, TRACKS, OnnxModel, first_line
from overtone.inference.prosody_summary import summarise_prosody
from overtone.timeline import Segment, Timeline

if TYPE_CHECKING:
    from overtone.inference.streaming import Stream

Samples = np.ndarray | Sequence[float] | Sequence[Sequence[float]]

BUNDLED = Path(__file__).parents[1] / "bundled" / "overtone.onnx"

MIN_DURATION_S = 0.1  # below this there is no syllable to judge
MAX_DURATION_S = 600.0  # the graph hears a sound in one go, and its memory grows with the length
SILENCE = 1e-4  # -80 dB of full scale, three steps of 16 bit


class Recogniser:
    """A loaded model.

    Attributes:
        emotions: its classes, in the order of every probability vector.
        card: what the model file says of itself; see `overtone.inference.model_card`.
        uncertain_below: confidence under which its answers are called uncertain, in [0, 1].
    """

    def __init__(self, session: OnnxModel, uncertain_below: float) -> None:
        self.card = session.card
        self.emotions = session.emotions
        self.uncertain_below = uncertain_below
        self._session = session
        self._usual = session.unknown_speaker

    @property
    def can_adapt(self) -> bool:
        """Whether the model can adapt to a speaker."""
        return self._usual is not None

    def adapt(
        self, sources: Iterable[Source | Waveform], on_error: Callable[[OvertoneError], None] | None = None
    ) -> "Recogniser":
        """The same model for one speaker: it hears how far a clip is from what is usual for the voice.

        Args:
            sources: clips of the speaker, unlabelled; ten or more, in different moods, are worth most. How much is
                measured on `docs/results.md`.
            on_error: told of clips that cannot be recognised, which are then left out; None raises at the first.

        Raises:
            ModelError: the model has no adapter.
            OptionError: no clip that can be recognised, or a path instead of a list.
            AudioError: a clip cannot be recognised, and nobody is told by `on_error`.
        """
        if self._usual is None:
            raise ModelError(
                f"{self._session.path}: this model cannot adapt to a speaker: it was trained without an adapter"
            )
        if isinstance(sources, str | bytes | os.PathLike):
            raise OptionError("adapt: expected several clips, such as a list of paths, got one")
        voices = []
        for source in sources:
            try:
                voices.append(self._outputs(source)[1][speaker_statistics.FEATURES_OUTPUT][0])
            except OvertoneError as error:
                if on_error is None:
                    raise
                on_error(error)
        known = copy.copy(self)
        known._usual = speaker_statistics.compute_speaker_statistics(voices)
        return known

    def recognise(self, source: Source | Waveform | Samples, rate_hz: float | None = None) -> Prediction:
        """What the model says of one sound as a whole.

        Args:
            source: path, bytes, file object, `Waveform`, or samples `(samples,)` or `(samples, channels)`: an
                array, or what numpy makes one of, such as a list of floats.
            rate_hz: samples per second of an array; files know their own.

        Raises:
            AudioError: the sound cannot be read, or holds nothing to judge: silence, or less than 0.1 s.
            OptionError: an array without a rate, a rate that is no number, or one with something that knows its own.
            ModelError: the model fails on it.
        """
        waveform, outputs = self._outputs(source, rate_hz)
        frames = max(1, len(waveform.samples) // self.card["hop_samples"])
        tracks = {name: outputs[name][0, :frames].astype(float) for name in TRACKS}
        return self.make_prediction(
            np.concatenate([outputs[name] for name in PROBABILITIES]).astype(float),
            waveform.duration_s,
            {**summarise_prosody(tracks["pitch_hz"], tracks["loudness_db"]), **_finite(outputs)},
            waveform.source,
        )

    def make_prediction(
        self, probabilities: np.ndarray, duration_s: float, prosody: dict[str, float], source: str
    ) -> Prediction:
        """An answer of this model.

        Args:
            probabilities: of the whole and of each branch `(parts, emotions)`, rows summing to 1.
            duration_s: length of the stretch.
            prosody: measured values by name with unit.
            source: file name or description.
        """
        return Prediction(
            emotions=self.emotions,
            probabilities=probabilities[0],
            branches=dict(zip(BRANCHES, probabilities[1:], strict=True)),
            duration_s=duration_s,
            prosody=prosody,
            model=self.card["id"],
            source=source,
            uncertain_below=self.uncertain_below,
        )

    def recognise_many(self, sources: Iterable[Source | Waveform]) -> Iterator[Prediction | OvertoneError]:
        """One answer per source, in order; where one cannot be recognised, the error in its place."""
        for source in sources:
            try:
                yield self.recognise(source)
            except OvertoneError as error:
                yield error

    def timeline(
        self,
        source: Source | Waveform | Samples,
        rate_hz: float | None = None,
        *,
        segments: Iterable[Segment] | None = None,
        threads: int = 1,
        on_progress: Callable[[float], None] | None = None,
    ) -> Timeline:
        """What is heard when, in a recording of any length, in flat memory.

        Args:
            source: as `recognise` takes it.
            rate_hz: samples per second of an array; files know their own.
            segments: the turns of speakers, such as `overtone.speaker_turns.read_turns` gives; each is given one answer. None
                parts the recording where the emotion changes.
            threads: cores to use.
            on_progress: told how many seconds have been read.

        Raises:
            AudioError: the sound cannot be read, or is shorter than 0.1 s.
            InputError: a turn lies beyond the end of the recording.
            OptionError: fewer threads than 1; or as `recognise`.
            ModelError: the model fails on it.
        """
        from overtone.inference import streaming

        return streaming.timeline(self, source, rate_hz, turns=segments, threads=threads, on_progress=on_progress)

    def stream(self, rate_hz: float, *, source: str = "stream", threads: int = 1) -> "Stream":
        """Sound that is still coming in: push it chunk by chunk, and get the timeline at the end.

        Args:
            rate_hz: samples per second of what will be pushed, 8 000 to 192 000.
            source: a name for messages.
            threads: cores to use.

        Raises:
            AudioError: a rate outside the range.
            OptionError: a rate that is no number, or fewer threads than 1.
        """
        from overtone.inference.streaming import Stream

        return Stream(self, rate_hz, source, threads=threads)

    def hear(self, waveform: Waveform) -> dict[str, np.ndarray]:
        """What the graph gives for a sound in which there is speech; see `OnnxModel.run`."""
        return self._session.run(waveform.samples, self._usual, waveform.source)

    def _outputs(
        self, source: Source | Waveform | Samples, rate_hz: float | None = None
    ) -> tuple[Waveform, dict[str, np.ndarray]]:
        waveform = (
            read(source, longest_s=MAX_DURATION_S)
            if is_file_source(source, rate_hz)
            else waveform_from_samples(source, rate_hz)  # type: ignore[arg-type]
        )
        _check_speech(waveform)
        return waveform, self.hear(waveform)


def load(model: str | Path | None = None, *, threads: int = 1, uncertain_below: float | None = None) -> Recogniser:
    """A model, ready to recognise.

    Args:
        model: path of a model file; None for the one that comes with the package.
        threads: cores to use for one sound, at least 1.
        uncertain_below: confidence under which an answer is called uncertain, in [0, 1]; None for what the model's
            card says, or never where it says nothing.

    Raises:
        ModelError: missing, damaged, not a model of Overtone, or of another version.
        OptionError: fewer threads than 1, or a confidence outside [0, 1].
    """
    if threads < 1:
        raise OptionError(f"threads: expected at least 1, got {threads}")
    if uncertain_below is not None and not 0 <= uncertain_below <= 1:
        raise OptionError(f"uncertain_below: expected a confidence in [0, 1], got {uncertain_below}")
    session = OnnxModel(Path(model) if model is not None else BUNDLED, threads)
    threshold = session.card.get("uncertain_below", 0.0) if uncertain_below is None else uncertain_below
    return Recogniser(session, threshold)


def _finite(outputs: dict[str, np.ndarray]) -> dict[str, float]:
    """The single numbers of one sound that the model could measure."""
    values = {name: float(outputs[name].reshape(-1)[0]) for name in RATES}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def is_file_source(source: object, rate_hz: float | None) -> TypeGuard[Source]:
    """Whether a source is a file, and not samples or a `Waveform`.

    Raises:
        OptionError: a rate with something that knows its own.
    """
    is_named = isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(source, "read")
    if (is_named or isinstance(source, Waveform)) and rate_hz is not None:
        raise OptionError(f"rate_hz: goes with arrays only; {type(source).__name__} knows its own")
    return is_named


def waveform_from_samples(source: Waveform | Samples, rate_hz: float | None) -> Waveform:
    """A sound that is no file.

    Raises:
        AudioError: no samples, or samples that are no sound.
        OptionError: an array without a rate.
    """
    if isinstance(source, Waveform):
        return source
    array = _array(source)
    if rate_hz is None:
        raise OptionError("rate_hz: an array does not know its rate; give it, for example rate_hz=16000")
    return from_array(array, rate_hz)


def _array(samples: object) -> np.ndarray:
    """Samples of any kind as an array, `(samples,)` or `(samples, channels)`."""
    kind = type(samples).__name__
    try:
        array = np.asarray(samples)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of different lengths; a tensor of torch on a GPU
        raise AudioError(f"{kind}: cannot be made an array of samples: {first_line(error)}") from error
    if array.ndim == 0:
        raise AudioError(f"{kind}: expected a path, bytes, a file object, a Waveform or samples")
    return array


def _check_speech(waveform: Waveform) -> None:
    name, duration_s = waveform.source or "waveform", waveform.duration_s
    if duration_s < MIN_DURATION_S:
        raise AudioError(
            f"{name}: no speech in {1000 * duration_s:.0f} ms of sound; {1000 * MIN_DURATION_S:.0f} ms at least"
        )
    check_duration(duration_s, MAX_DURATION_S, name)
    spread = float(np.ptp(waveform.samples))  # a constant offset is no sound
    if not np.isfinite(spread):
        raise AudioError(f"{name}: holds samples that are not finite (NaN or infinity); write it again without them")
    if spread < 2 * SILENCE:
        raise AudioError(f"{name}: no speech: nothing but silence; see whether the microphone was on")
