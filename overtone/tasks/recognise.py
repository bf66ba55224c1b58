"""Sound -> answer, with a model file alone: no torch, no librosa, no compiler.

    recogniser = load()                                # the model that comes with the package
    answer = recogniser.recognise("clip.wav")
    for answer in recogniser.recognise_many(paths):    # a bad file gives an error in its place, the rest goes on
        ...
    known = recogniser.adapt(clips_of_anna)            # the same model, for one speaker: unlabelled clips are enough

The model file is one ONNX graph. Its input is `waveform`, float32 `(batch, samples)` at 16 kHz. Its outputs, by name:

    probabilities, mel_probabilities, prosody_probabilities    (batch, emotions), each row summing to 1
    pitch_hz, loudness_db                                      (batch, frames), pitch 0 where nothing is voiced
    tempo_bpm, speech_rate_hz, pause_ratio                     (batch,)

A model that can adapt to a speaker has more of both: see `overtone.tasks.usual`.
"""

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from overtone.audio.opened import Source
from overtone.audio.read import expect_no_longer, from_array, read
from overtone.errors import AudioError, ModelError, OptionError, OvertoneError
from overtone.tasks import usual
from overtone.tasks.card import read_card
from overtone.tasks.seal import expect_intact, expect_seal
from overtone.values import Answer, Waveform

Samples = np.ndarray | Sequence[float] | Sequence[Sequence[float]]

BUNDLED = Path(__file__).parent.parent / "bundled" / "overtone.onnx"

INPUT = "waveform"
FUSED = "probabilities"
BRANCHES = {"mel": "mel_probabilities", "prosody": "prosody_probabilities"}
TRACKS = ("pitch_hz", "loudness_db")
RATES = ("tempo_bpm", "speech_rate_hz", "pause_ratio")

SHORTEST_S = 0.1  # below this there is no syllable to judge
LONGEST_S = 600.0  # the graph hears a sound in one go, and its memory grows with the length
SILENCE = 1e-4  # -80 dB of full scale, three steps of 16 bit
LOUD_RANGE_DB = 30.0  # frames this far below the loudest are pauses: they say nothing of how loud someone speaks
PITCH_PERCENT = (10, 50, 90)
SEMITONES_PER_OCTAVE = 12

LOG_NOTHING_BELOW_FATAL = 4  # what goes wrong is raised, once, with the name of the file


class Recogniser:
    """A loaded model.

    Attributes:
        emotions: its classes, in the order of every probability vector.
        card: what the model file says of itself; see `overtone.tasks.card`.
        uncertain_below: confidence under which its answers are called uncertain, in [0, 1].
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, card: dict[str, Any], source: str, uncertain_below: float
    ) -> None:
        self.card = card
        self.uncertain_below = uncertain_below
        self.emotions: tuple[str, ...] = tuple(card["emotions"])
        self._session = session
        self._source = source
        shapes = {node.name: node.shape for node in session.get_inputs()}
        self._usual = usual.unknown(shapes[usual.USUAL][1]) if usual.USUAL in shapes else None

    @property
    def adapts(self) -> bool:
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
            raise ModelError(f"{self._source}: this model cannot adapt to a speaker: it was trained without an adapter")
        if isinstance(sources, str | bytes | os.PathLike):
            raise OptionError("adapt: expected several clips, such as a list of paths, got one")
        voices = []
        for source in sources:
            try:
                voices.append(self._outputs(source)[1][usual.VOICE][0])
            except OvertoneError as error:
                if on_error is None:
                    raise
                on_error(error)
        known = copy.copy(self)
        known._usual = usual.usual_of(voices)
        return known

    def recognise(self, source: Source | Waveform | Samples, rate_hz: float | None = None) -> Answer:
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
        fused = usual.ADAPTED if self._usual is not None and self._usual.clips else FUSED
        tracks = {name: outputs[name][0, :frames].astype(float) for name in TRACKS}
        return Answer(
            emotions=self.emotions,
            probabilities=outputs[fused][0].astype(float),
            branches={branch: outputs[name][0].astype(float) for branch, name in BRANCHES.items()},
            duration_s=waveform.duration_s,
            prosody={**prosody_of(tracks["pitch_hz"], tracks["loudness_db"]), **_finite(outputs)},
            model=self.card["id"],
            source=waveform.source,
            uncertain_below=self.uncertain_below,
        )

    def recognise_many(self, sources: Iterable[Source | Waveform]) -> Iterator[Answer | OvertoneError]:
        """One answer per source, in order; where one cannot be recognised, the error in its place."""
        for source in sources:
            try:
                yield self.recognise(source)
            except OvertoneError as error:
                yield error

    def _outputs(
        self, source: Source | Waveform | Samples, rate_hz: float | None = None
    ) -> tuple[Waveform, dict[str, np.ndarray]]:
        waveform = _heard(source, rate_hz)
        _expect_speech(waveform)
        samples = waveform.samples
        missing = self.card["min_samples"] - len(samples)
        heard = np.pad(samples, (0, missing)) if missing > 0 else samples
        return waveform, self._run(heard[np.newaxis], waveform.source)

    def _run(self, batch: np.ndarray, source: str) -> dict[str, np.ndarray]:
        names = [FUSED, *BRANCHES.values(), *TRACKS, *RATES]
        inputs = {INPUT: batch}
        if self._usual is not None:
            names += [usual.VOICE, usual.ADAPTED]
            inputs |= self._usual.inputs
        try:
            outputs = dict(zip(names, self._session.run(names, inputs), strict=True))
        except Exception as error:  # onnxruntime raises bare `Exception`s of its own
            raise ModelError(f"{source}: the model {self._source} fails on it: {_first_line(error)}") from error
        for name in (FUSED, *BRANCHES.values(), *((usual.ADAPTED,) if self._usual is not None else ())):
            if outputs[name].shape != (1, len(self.emotions)):
                raise ModelError(f"{self._source}: '{name}' has shape {outputs[name].shape}; export the model again")
            if not abs(float(outputs[name].sum()) - 1) < 1e-3:
                raise ModelError(f"{source}: the model {self._source} gives no probabilities on it")
        return outputs


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
    path = Path(model) if model is not None else BUNDLED
    content = _content(path)
    expect_intact(content, str(path))
    session = _session(content, path, threads)
    card = read_card(session.get_modelmeta().custom_metadata_map, str(path))
    expect_seal(content, str(path))  # last: whatever else is wrong with the file says more
    inputs = {node.name for node in session.get_inputs()}
    outputs = {node.name for node in session.get_outputs()}
    missing = ({INPUT} - inputs) | ({FUSED, *BRANCHES.values(), *TRACKS, *RATES} - outputs)
    if usual.USUAL in inputs:
        missing |= ({usual.USUAL_CLIPS} - inputs) | ({usual.VOICE, usual.ADAPTED} - outputs)
    if missing:
        raise ModelError(f"{path}: the graph lacks {', '.join(sorted(missing))}; export the model again")
    threshold = card.get("uncertain_below", 0.0) if uncertain_below is None else uncertain_below
    return Recogniser(session, card, str(path), threshold)


def prosody_of(pitch_hz: np.ndarray, loudness_db: np.ndarray) -> dict[str, float]:
    """The voice in a few numbers; what cannot be measured (the pitch of a whisper) is left out.

    Args:
        pitch_hz: `(frames,)`, 0 where unvoiced.
        loudness_db: `(frames,)`.

    Returns:
        pitch_median_hz, pitch_range_semitones (10th to 90th percentile), loudness_db, voiced_ratio in [0, 1].
    """
    voiced_hz = pitch_hz[np.isfinite(pitch_hz) & (pitch_hz > 0)]
    prosody = {"voiced_ratio": len(voiced_hz) / max(1, len(pitch_hz))}
    if len(voiced_hz):
        low_hz, median_hz, high_hz = np.percentile(voiced_hz, PITCH_PERCENT)
        prosody["pitch_median_hz"] = float(median_hz)
        prosody["pitch_range_semitones"] = float(SEMITONES_PER_OCTAVE * np.log2(high_hz / low_hz))
    finite_db = loudness_db[np.isfinite(loudness_db)]
    if len(finite_db):
        prosody["loudness_db"] = float(finite_db[finite_db >= finite_db.max() - LOUD_RANGE_DB].mean())
    return prosody


def _finite(outputs: dict[str, np.ndarray]) -> dict[str, float]:
    """The single numbers of one sound that the model could measure."""
    values = {name: float(outputs[name].reshape(-1)[0]) for name in RATES}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _heard(source: Source | Waveform | Samples, rate_hz: float | None) -> Waveform:
    knows_its_rate = isinstance(source, Waveform | str | os.PathLike | bytes | bytearray | memoryview)
    if knows_its_rate or hasattr(source, "read"):
        if rate_hz is not None:
            raise OptionError(f"rate_hz: goes with arrays only; {type(source).__name__} knows its own")
        return source if isinstance(source, Waveform) else read(source, longest_s=LONGEST_S)  # type: ignore[arg-type]
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
        raise AudioError(f"{kind}: cannot be made an array of samples: {_first_line(error)}") from error
    if array.ndim == 0:
        raise AudioError(f"{kind}: expected a path, bytes, a file object, a Waveform or samples")
    return array


def _expect_speech(waveform: Waveform) -> None:
    name, duration_s = waveform.source or "waveform", waveform.duration_s
    if duration_s < SHORTEST_S:
        raise AudioError(
            f"{name}: no speech in {1000 * duration_s:.0f} ms of sound; {1000 * SHORTEST_S:.0f} ms at least"
        )
    expect_no_longer(duration_s, LONGEST_S, name)
    spread = float(np.ptp(waveform.samples))  # a constant offset is no sound
    if not np.isfinite(spread):
        raise AudioError(f"{name}: holds samples that are not finite (NaN or infinity); write it again without them")
    if spread < 2 * SILENCE:
        raise AudioError(f"{name}: no speech: nothing but silence; see whether the microphone was on")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelError(f"{path}: the model cannot be read: {error}") from error


def _session(content: bytes, path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = LOG_NOTHING_BELOW_FATAL
    onnxruntime.disable_telemetry_events()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises bare `Exception`s of its own
        raise ModelError(f"{path}: not a model, or damaged: {_first_line(error)}; copy it again") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
