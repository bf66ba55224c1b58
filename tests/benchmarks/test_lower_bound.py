"""The lower bound counts the operations of a graph and measures a plausible rate of the processor."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from benchmarks import lower_bound
from benchmarks.systems import system_process

CLIP = Path(__file__).resolve().parents[2] / "examples" / "speech" / "level.flac"


def test_products_and_convolutions_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def weight(name: str, *shape: int) -> helper.TensorProto:
        return helper.make_tensor(name, TensorProto.FLOAT, shape, np.ones(shape, np.float32).ravel())

    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["waveform", "one"], ["signal"]),
            helper.make_node("Conv", ["signal", "kernel"], ["frames"], strides=[10]),  # (1, 4, 100)
            helper.make_node("MatMul", ["frames", "right"], ["mixed"]),  # (1, 4, 6)
            helper.make_node("ReduceMean", ["mixed"], ["pooled"], axes=[1], keepdims=0),  # (1, 6)
            helper.make_node("Gemm", ["pooled", "head"], ["logits"], transB=1),  # (1, 8)
            helper.make_node("Softmax", ["logits"], ["probabilities"]),
        ],
        "counted",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, [1, 1000])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 8])],
        [
            *(weight("kernel", 4, 1, 10), weight("right", 100, 6), weight("head", 8, 6)),
            helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    save(model, tmp_path / "model.onnx")
    monkeypatch.setattr(lower_bound, "model_path", lambda: tmp_path / "model.onnx")
    by_hand = 2 * (4 * 100 * 10 + 4 * 6 * 100 + 8 * 6)
    assert lower_bound.count_operations(np.ones(1000, np.float32)) == by_hand


def test_the_lower_bound_is_the_sum_of_its_steps() -> None:
    command = [sys.executable, "-m", "benchmarks.lower_bound", str(CLIP)]
    done = subprocess.run(command, **system_process.process_options(), stdout=subprocess.PIPE, text=True, check=True)
    results = json.loads(done.stdout)
    steps = [results[f"{name}_ms"] for name in ("decode", "resample", "arithmetic")]
    assert all(step > 0 for step in steps)
    assert results["total_ms"] == pytest.approx(sum(steps))
    assert results["arithmetic_ms"] == pytest.approx(1000 * results["operations"] / results["gemm_per_s"])
    assert 1e7 < results["operations"] < 1e10
    assert 1e8 < results["gemm_per_s"] < 1e12
