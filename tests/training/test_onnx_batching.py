"""A graph that processes a batch clip by clip, compared with numpy."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from overtone.training.onnx_batching import add_batch_axis

SAMPLES = 7


def single_clip_graph() -> ModelProto:
    """Return a graph: waveform (1, samples), gain (2,) -> loud (1, samples), twice (1, samples), total (1,)."""
    nodes = [
        helper.make_node("ReduceSum", ["gain"], ["total_gain"], keepdims=0),
        helper.make_node("Mul", ["waveform", "total_gain"], ["loud"]),
        helper.make_node("Mul", ["loud", "two"], ["twice"]),  # reads an output of the graph
        helper.make_node("ReduceSum", ["twice", "last"], ["total"], keepdims=0),
    ]
    shapes = {"waveform": [1, "samples"], "gain": [2], "loud": [1, "samples"], "twice": [1, "samples"], "total": [1]}
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    constants = {"two": np.array(2, np.float32), "last": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "one",
        [values["waveform"], values["gain"]],
        [values["loud"], values["twice"], values["total"]],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


@pytest.mark.parametrize("clips", [1, 2, 5])
def test_rows_are_processed_separately(clips: int, rng: np.random.Generator) -> None:
    model = add_batch_axis(single_clip_graph())
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    waveform = rng.standard_normal((clips, SAMPLES)).astype(np.float32)
    gain = np.array([1.0, 0.5], np.float32)
    loud, twice, total = session.run(["loud", "twice", "total"], {"waveform": waveform, "gain": gain})
    np.testing.assert_allclose(loud, 1.5 * waveform, rtol=1e-6)
    np.testing.assert_allclose(twice, 3 * waveform, rtol=1e-6)
    np.testing.assert_allclose(total, 3 * waveform.sum(1), rtol=1e-5, atol=1e-6)


def test_the_batch_axis_is_dynamic_and_the_rest_unchanged() -> None:
    before, after = single_clip_graph().graph, add_batch_axis(single_clip_graph()).graph
    assert [entry.name for entry in after.input] == [entry.name for entry in before.input]
    assert [entry.name for entry in after.output] == [entry.name for entry in before.output]
    assert after.input[1] == before.input[1]
    for entry in (after.input[0], *after.output):
        assert entry.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert after.input[0].type.tensor_type.shape.dim[1].dim_param == "samples"
