"""A session that starts fast returns what one with all optimisations returns."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from overtone.audio.decode import read
from overtone.inference.bundled_models import NAMES, model_path
from overtone.inference.onnx_session import start_session

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "speech").glob("*.flac"))
EXACT = 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_its_outputs_are_those_of_all_optimisations(name: str) -> None:
    content = model_path(name).read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    complete = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    session = start_session(content, threads=1)
    names = [output.name for output in complete.get_outputs()]
    probabilities = [name for name in names if name.endswith("probabilities")]
    assert probabilities
    for path in EXAMPLES:
        inputs = {"waveform": read(path).samples[np.newaxis]}
        for entry in complete.get_inputs()[1:]:
            inputs[entry.name] = np.zeros([size if isinstance(size, int) else 1 for size in entry.shape], np.float32)
        for found, expected in zip(
            session.run(probabilities, inputs), complete.run(probabilities, inputs), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT)


def test_what_is_no_graph_is_an_error() -> None:
    with pytest.raises(Exception, match="protobuf"):
        start_session(b"no graph", threads=1)
