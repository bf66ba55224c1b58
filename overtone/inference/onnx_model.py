"""Model file -> the graph in it, ready to hear: loaded once, checked, with its card.

The model file is one ONNX graph. Its input is `waveform`, float32 `(batch, samples)` at 16 kHz. Its outputs, by name:

    probabilities, mel_probabilities, prosody_probabilities    (batch, emotions), each row summing to 1
    pitch_hz, loudness_db                                      (batch, frames), pitch 0 where nothing is voiced
    tempo_bpm, speech_rate_hz, pause_ratio                     (batch,)

A model that can adapt to a speaker has more of both: see `overtone.inference.speaker_statistics`.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from overtone.errors import ModelError
from overtone.inference import speaker_statistics
from overtone.inference.checksum import check_intact, require_checksum
from overtone.inference.model_card import read_card

INPUT = "waveform"
FUSED = "probabilities"
BRANCHES = {"mel": "mel_probabilities", "prosody": "prosody_probabilities"}
PROBABILITIES = (FUSED, *BRANCHES.values())
TRACKS = ("pitch_hz", "loudness_db")
RATES = ("tempo_bpm", "speech_rate_hz", "pause_ratio")

LOG_NOTHING_BELOW_FATAL = 4  # what goes wrong is raised, once, with the name of the file


class OnnxModel:
    """A model file that is loaded; threads may use it at the same time.

    Args:
        path: of the file.
        threads: cores to use for one sound.

    Attributes:
        card: what the file says of itself; see `overtone.inference.model_card`.
        emotions: its classes, in the order of every probability vector.
        path: of the file.
        unknown: a speaker of whom nothing is known; None where the model cannot adapt to a speaker.

    Raises:
        ModelError: missing, damaged, not a model of Overtone, or of another version.
    """

    def __init__(self, path: Path, threads: int) -> None:
        content = _content(path)
        check_intact(content, str(path))
        self._graph = _graph(content, path, threads)
        self.path = path
        self.card = read_card(self._graph.get_modelmeta().custom_metadata_map, str(path))
        require_checksum(content, str(path))  # last: whatever else is wrong with the file says more
        self.emotions: tuple[str, ...] = tuple(self.card["emotions"])
        inputs = {node.name: node.shape for node in self._graph.get_inputs()}
        self.unknown_speaker = (
            speaker_statistics.unknown_speaker(inputs[speaker_statistics.STATISTICS_INPUT][1])
            if speaker_statistics.STATISTICS_INPUT in inputs
            else None
        )
        _check_tensors(set(inputs), {node.name for node in self._graph.get_outputs()}, path)

    def run(
        self, samples: np.ndarray, known: speaker_statistics.SpeakerStatistics | None, source: str
    ) -> dict[str, np.ndarray]:
        """What the graph gives for one sound, by name, each with a batch of one.

        Args:
            samples: float32 `(samples,)` at 16 kHz; a sound that is too short for the graph is padded at its end.
            known: what is usual for the speaker, None where the model cannot adapt. Where anything is known,
                `probabilities` are those of the adapter.
            source: name of the sound, for messages.

        Raises:
            ModelError: the model fails on it.
        """
        missing = self.card["min_samples"] - len(samples)
        batch = (np.pad(samples, (0, missing)) if missing > 0 else samples)[np.newaxis]
        names = [*PROBABILITIES, *TRACKS, *RATES]
        inputs = {INPUT: batch}
        if known is not None:
            names += [speaker_statistics.FEATURES_OUTPUT, speaker_statistics.ADAPTED_OUTPUT]
            inputs |= known.inputs
        try:
            outputs = dict(zip(names, self._graph.run(names, inputs), strict=True))
        except Exception as error:  # onnxruntime raises bare `Exception`s of its own
            raise ModelError(f"{source}: the model {self.path} fails on it: {first_line(error)}") from error
        for name in (*PROBABILITIES, *((speaker_statistics.ADAPTED_OUTPUT,) if known is not None else ())):
            if outputs[name].shape != (1, len(self.emotions)):
                raise ModelError(f"{self.path}: '{name}' has shape {outputs[name].shape}; export the model again")
            if not abs(float(outputs[name].sum()) - 1) < 1e-3:
                raise ModelError(f"{source}: the model {self.path} gives no probabilities on it")
        return (
            outputs | {FUSED: outputs[speaker_statistics.ADAPTED_OUTPUT]}
            if known is not None and known.clips
            else outputs
        )


def first_line(error: Exception) -> str:
    """The first line of what an error says, or its kind."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelError(f"{path}: the model cannot be read: {error}") from error


def _graph(content: bytes, path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = LOG_NOTHING_BELOW_FATAL
    onnxruntime.disable_telemetry_events()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises bare `Exception`s of its own
        raise ModelError(f"{path}: not a model, or damaged: {first_line(error)}; copy it again") from error


def _check_tensors(inputs: set[str], outputs: set[str], path: Path) -> None:
    missing = ({INPUT} - inputs) | ({*PROBABILITIES, *TRACKS, *RATES} - outputs)
    if speaker_statistics.STATISTICS_INPUT in inputs:
        missing |= ({speaker_statistics.CLIP_COUNT_INPUT} - inputs) | (
            {speaker_statistics.FEATURES_OUTPUT, speaker_statistics.ADAPTED_OUTPUT} - outputs
        )
    if missing:
        raise ModelError(f"{path}: the graph lacks {', '.join(sorted(missing))}; export the model again")
