"""A loaded and checked model file: runs the graph, and makes predictions from its outputs.

The model file is one ONNX graph. Its input is `waveform`, float32 `(batch, samples)` at 16 kHz. Its outputs are named
in `overtone._internal.tensor_names`:

    probabilities, <branch>_probabilities    (batch, emotions), each row summing to 1
    pitch_hz, loudness_db                    (batch, frames), pitch 0 in unvoiced frames
    tempo_bpm, speech_rate_hz, pause_ratio   (batch,)

`OnnxModel.run` leaves out `pitch_hz`: predictions show the pitch of `overtone.inference.pitch_track`.
A model with a speaker adapter has further inputs and outputs; see `overtone.inference.speaker_statistics`.
"""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from overtone._internal import tensor_names
from overtone._internal.tensor_names import LOUDNESS, PROBABILITIES, RATES, TRACKS, WAVEFORM, Outputs
from overtone.arousal_valence import arousal_valence
from overtone.datatypes import FloatArray, Prediction, Waveform
from overtone.errors import ModelError, first_line
from overtone.inference.checksum import ENTRY_BYTES, check_intact, require_checksum
from overtone.inference.model_card import read_card
from overtone.inference.onnx_session import start_session
from overtone.inference.speaker_statistics import SpeakerStatistics, unknown_speaker

if TYPE_CHECKING:
    from overtone.inference.selection import Selection


class _Graph:
    """The graph of a model file. A pickled one holds the path of the file, which must be the same where it is loaded.

    Args:
        path: path of the model file.
        threads: number of threads for one clip.

    Attributes:
        session: the graph, loaded by onnxruntime.

    Raises:
        ModelError: missing or damaged.
    """

    def __init__(self, path: Path, threads: int) -> None:
        content = _read(path)
        check_intact(content, str(path))
        self.session = _load_graph(content, path, threads)
        self._path, self._threads, self._checksum = path, threads, content[-ENTRY_BYTES:]

    def require_checksum(self) -> None:
        """Check that the file has a checksum, as `overtone.inference.checksum.require_checksum` does."""
        require_checksum(self._checksum, str(self._path))

    def __getstate__(self) -> tuple[Path, int, bytes]:
        return self._path, self._threads, self._checksum

    def __setstate__(self, state: tuple[Path, int, bytes]) -> None:
        path, threads, checksum = state
        self.__init__(path, threads)  # type: ignore[misc]
        if self._checksum != checksum:
            raise ModelError(f"{path}: not the model that was pickled: the file has changed; load it again")

    def __deepcopy__(self, _: object) -> "_Graph":
        return self  # it does not change


class OnnxModel:
    """A loaded model file with its settings; several threads may use it at the same time.

    It can be copied, and pickled for other processes of the same machine: they read the model file again.

    Args:
        path: path of the model file.
        threads: number of threads for one clip.
        uncertain_below: confidence below which a prediction is uncertain, in [0, 1]; None takes it from the card, or 0
            if the card has none.

    Attributes:
        path: path of the model file.
        card: the model card; see `overtone.inference.model_card`.
        emotions: the classes of predictions, in the order of every probability vector.
        branches: names of the branches that predictions include.
        selection: the classes and branches that the user has chosen; None for all.
        uncertain_below: confidence below which a prediction is uncertain.
        statistics: statistics of the speaker that the model is adapted to; None if the model has no speaker adapter.

    Raises:
        ModelError: missing, damaged, not a model of Overtone, or of another version.
    """

    def __init__(self, path: Path, threads: int = 1, uncertain_below: float | None = None) -> None:
        self._graph = _Graph(path, threads)
        self.path = path
        self.card: dict[str, Any] = read_card(self._graph.session.get_modelmeta().custom_metadata_map, str(path))
        self._graph.require_checksum()  # last: any other fault of the file is more informative
        self.emotions: tuple[str, ...] = tuple(self.card["emotions"])
        self.uncertain_below: float = (
            self.card.get("uncertain_below", 0.0) if uncertain_below is None else uncertain_below
        )
        inputs = {node.name: node.shape for node in self._graph.session.get_inputs()}
        outputs = [node.name for node in self._graph.session.get_outputs()]
        adapts = tensor_names.SPEAKER_STATISTICS in inputs
        self.statistics = unknown_speaker(inputs[tensor_names.SPEAKER_STATISTICS][1]) if adapts else None
        self.branches = tensor_names.branches_among(outputs)
        self.selection: Selection | None = None
        self._probabilities = (PROBABILITIES, *map(tensor_names.branch_output, self.branches))
        expected = self.card["recipe"]["branches"]
        _check_tensors(set(inputs), set(outputs), expected, path)

    def with_statistics(self, statistics: SpeakerStatistics) -> "OnnxModel":
        """The same model, adapted to a speaker; the graph is shared."""
        adapted = copy.copy(self)
        adapted.statistics = statistics
        return adapted

    def with_selection(self, selection: "Selection") -> "OnnxModel":
        """The same model with some of its classes and branches; the graph is shared."""
        selected = copy.copy(self)
        selected.emotions, selected.branches, selected.selection = selection.emotions, selection.branches, selection
        return selected

    @property
    def can_adapt(self) -> bool:
        """Whether the model has a speaker adapter, and all its branches, which the adapter needs, are in use."""
        return self.statistics is not None and (self.selection is None or self.selection.has_all_branches)

    @property
    def reference_clips(self) -> int:
        """Number of reference clips that the model is adapted to; 0 for none, and for fewer than it adapts to."""
        clips = 0 if self.statistics is None else self.statistics.clips
        return clips if clips >= self.card.get("min_reference_clips", 1) else 0

    def run(self, waveform: Waveform) -> Outputs:
        """The outputs of the graph for one clip; with a known speaker, `probabilities` are those of the adapter.

        Args:
            waveform: a clip that is too short for the graph is padded with silence at its end.

        Raises:
            ModelError: the graph fails on the clip.
        """
        limit = self.card.get("max_samples")
        if limit and len(waveform.samples) > limit:
            from overtone.inference.long_clips import run_parts

            return run_parts(self.run, waveform, limit, self.card["hop_samples"])
        source = waveform.source
        missing = self.card["min_samples"] - len(waveform.samples)
        samples = np.pad(waveform.samples, (0, missing)) if missing > 0 else waveform.samples
        inputs = {WAVEFORM: samples[np.newaxis]}
        names, checked = [*self._probabilities, LOUDNESS, *RATES], self._probabilities
        if self.statistics is not None:
            names += [tensor_names.SPEAKER_FEATURES, tensor_names.ADAPTED_PROBABILITIES]
            checked = (*checked, tensor_names.ADAPTED_PROBABILITIES)
            inputs |= self.statistics.inputs
        try:
            outputs: Outputs = dict(zip(names, self._graph.session.run(names, inputs), strict=True))
        except Exception as error:  # onnxruntime raises bare `Exception`s of its own
            raise ModelError(f"{source}: the model {self.path} fails on it: {first_line(error)}") from error
        for name in checked:
            if outputs[name].shape != (1, len(self.card["emotions"])):
                raise ModelError(f"{self.path}: '{name}' has shape {outputs[name].shape}; export the model again")
            if not abs(float(outputs[name].sum()) - 1) < 1e-3:
                raise ModelError(f"{source}: the model {self.path} returns no valid probabilities for it")
        if self.reference_clips:
            outputs[PROBABILITIES] = outputs[tensor_names.ADAPTED_PROBABILITIES]
        return outputs

    def probabilities(self, outputs: Outputs) -> FloatArray:
        """The fused probabilities and those of each branch, `(1 + branches, emotions)`.

        Args:
            outputs: as `run` returns them.
        """
        probabilities = self._fused(outputs)
        return probabilities if self.selection is None else self.selection.reduce(probabilities)

    def arousal_valence(self, outputs: Outputs) -> FloatArray:
        """Arousal and valence, `(2,)` in [0, 1]; NaN if the classes of the model do not define them.

        They follow from all classes of the model, also those that predictions leave out.

        Args:
            outputs: as `run` returns them.
        """
        return np.array(arousal_valence(self._fused(outputs)[0], self.card["emotions"]))

    def _fused(self, outputs: Outputs) -> FloatArray:
        """The fused probabilities and those of the chosen branches over all classes of the model."""
        probabilities = np.concatenate([outputs[name] for name in self._probabilities])
        return probabilities if self.selection is None else self.selection.fuse(probabilities)

    def make_prediction(
        self,
        probabilities: FloatArray,
        arousal_valence: FloatArray,
        duration_s: float,
        speech_s: float,
        prosody: dict[str, float],
        source: str,
    ) -> Prediction:
        """A prediction of this model.

        Args:
            probabilities: fused, and of each branch, `(1 + branches, emotions)`, rows summing to 1.
            arousal_valence: `(2,)`, in [0, 1] or NaN.
            duration_s: length of the clip or segment.
            speech_s: duration of the speech in it.
            prosody: measured values by name with unit.
            source: file name or description.
        """
        return Prediction(
            emotions=self.emotions,
            probabilities=probabilities[0],
            branches=dict(zip(self.branches, probabilities[1:], strict=True)),
            duration_s=duration_s,
            prosody=prosody,
            model=self.card["id"],
            source=source,
            uncertain_below=self.uncertain_below,
            speech_s=speech_s,
            arousal=float(arousal_valence[0]),
            valence=float(arousal_valence[1]),
            reference_clips=self.reference_clips,
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelError(f"{path}: the model cannot be read: {error}") from error


def _load_graph(content: bytes, path: Path, threads: int) -> Any:
    try:
        return start_session(content, threads)
    except Exception as error:  # onnxruntime raises bare `Exception`s of its own
        raise ModelError(f"{path}: not a model, or damaged: {first_line(error)}; copy it again") from error


def _check_tensors(inputs: set[str], outputs: set[str], branches: Iterable[str], path: Path) -> None:
    required = {PROBABILITIES, *map(tensor_names.branch_output, branches), *TRACKS, *RATES}
    missing = ({WAVEFORM} - inputs) | (required - outputs)
    if tensor_names.SPEAKER_STATISTICS in inputs:
        missing |= {tensor_names.REFERENCE_CLIPS} - inputs
        missing |= {tensor_names.SPEAKER_FEATURES, tensor_names.ADAPTED_PROBABILITIES} - outputs
    if missing:
        raise ModelError(f"{path}: the graph lacks {', '.join(sorted(missing))}; export the model again")
