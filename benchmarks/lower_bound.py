"""A lower bound of the time per clip: decoding, resampling, and the arithmetic of the network.

    python -m benchmarks.lower_bound CLIP...      prints milliseconds per clip as JSON

The arithmetic is the number of multiplications and additions in all matrix products and convolutions of the bundled
graph on these clips, divided by the rate at which numpy multiplies two large matrices.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from math import isqrt, prod
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import soundfile
import soxr

from benchmarks.systems.audio import RATE_HZ, read_mono
from overtone._internal.tensor_names import PROBABILITIES, SPEAKER_STATISTICS, WAVEFORM
from overtone.inference.bundled_models import model_path
from overtone.inference.speaker_statistics import unknown_speaker

MATRIX_SIDE = 1024
REPEATS = 9
PRODUCTS = ("MatMul", "MatMulInteger", "QLinearMatMul")
KERNEL_INPUTS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3}  # operator -> index of its kernel among the inputs


def measure(clips: Sequence[Path]) -> dict[str, float]:
    """Return milliseconds per clip of each step (median over clips) and their sum, with the underlying counts."""
    decode, resample, counts = [], [], []
    for clip in clips:
        samples, rate_hz = soundfile.read(clip, dtype="float32")
        decode.append(fastest_ms(partial(soundfile.read, clip, dtype="float32")))
        resample.append(fastest_ms(partial(soxr.resample, samples, rate_hz, RATE_HZ, quality="HQ")))
        counts.append(count_operations(read_mono(clip)))
    rate = gemm_rate()
    steps = {
        "decode_ms": median(decode),
        "resample_ms": median(resample),
        "arithmetic_ms": 1000 * median(counts) / rate,
    }
    return {**steps, "total_ms": sum(steps.values()), "operations": float(median(counts)), "gemm_per_s": rate}


def gemm_rate() -> float:
    """Return the multiplications and additions per second in a product of two float32 matrices."""
    rng = np.random.default_rng(0)
    left, right = rng.random((2, MATRIX_SIDE, MATRIX_SIDE), dtype=np.float32)
    return 2 * MATRIX_SIDE**3 / (fastest_ms(lambda: left @ right) / 1000)


def count_operations(samples: np.ndarray) -> int:
    """Return the multiplications and additions in all products and convolutions of the bundled graph, for one clip.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # shapes as exported
        options.add_session_config_entry("session.disable_prepacking", "1")  # packed weights have no shape
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder, "profile"))
        graph = onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
        graph.run([PROBABILITIES], {WAVEFORM: samples[np.newaxis], **speaker_inputs(graph)})
        events = json.loads(Path(graph.end_profiling()).read_text("utf-8"))
    return sum(node_operations(event["args"]) for event in events if "output_type_shape" in event.get("args", {}))


def speaker_inputs(graph: onnxruntime.InferenceSession) -> dict[str, np.ndarray]:
    """Return the inputs for an unknown speaker; none if the graph has no speaker adapter."""
    sizes = [node.shape[1] for node in graph.get_inputs() if node.name == SPEAKER_STATISTICS]
    return dict(unknown_speaker(sizes[0]).inputs) if sizes else {}


def node_operations(node: dict[str, Any]) -> int:
    """Return the operations of one node in the profile; 0 if it is neither a product nor a convolution."""
    operator = node["op_name"]
    inputs = [shape for each in node["input_type_shape"] for shape in each.values()]
    ((output, *_),) = (each.values() for each in node["output_type_shape"][:1])
    if operator in PRODUCTS:
        return 2 * prod(output) * inputs[0][-1]
    if operator == "Gemm":  # (m, k) by (k, n), either of which may be transposed
        return 2 * prod(output) * isqrt(prod(inputs[0]) * prod(inputs[1]) // prod(output))
    return 2 * prod(output) * prod(inputs[KERNEL_INPUTS[operator]][1:]) if operator in KERNEL_INPUTS else 0


def fastest_ms(function: Callable[[], Any]) -> float:
    """Return the milliseconds of the fastest of several calls: the time without interruptions."""
    times_s = []
    for _ in range(REPEATS):
        begin_s = time.perf_counter()
        function()
        times_s.append(time.perf_counter() - begin_s)
    return 1000 * min(times_s)


if __name__ == "__main__":
    print(json.dumps(measure([Path(clip) for clip in sys.argv[1:]])))
