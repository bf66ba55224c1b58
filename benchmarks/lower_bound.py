"""What no version of Overtone can be faster than: decoding, resampling, and the arithmetic of its network.

    python -m benchmarks.lower_bound CLIP...      prints milliseconds per clip as JSON

Arithmetic is counted, as multiplications and additions in all matrix products and convolutions of the bundled graph on
these very clips, and divided by how many of them numpy does per second in a product of two large matrices.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from math import isqrt, prod
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import soundfile
import soxr

from benchmarks.systems.sound import RATE_HZ, samples_of
from overtone.inference import speaker_statistics
from overtone.inference.onnx_model import FUSED, INPUT
from overtone.inference.recogniser import BUNDLED

SIDE = 1024  # of the matrices
REPEATS = 9
PRODUCTS = ("MatMul", "MatMulInteger", "QLinearMatMul")
KERNELS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3}  # their place among the inputs


def measured(clips: Sequence[Path]) -> dict[str, float]:
    """Milliseconds per clip of every part and their sum, medians over clips; what they follow from."""
    decode, resample, work = [], [], []
    for clip in clips:
        samples, rate_hz = soundfile.read(clip, dtype="float32")
        decode.append(milliseconds(lambda clip=clip: soundfile.read(clip, dtype="float32")))
        resample.append(
            milliseconds(lambda samples=samples, rate=rate_hz: soxr.resample(samples, rate, RATE_HZ, quality="HQ"))
        )
        work.append(operations(samples_of(clip)))
    rate = gemm_rate()
    parts = {
        "decode_ms": median(decode),
        "resample_ms": median(resample),
        "arithmetic_ms": 1000 * median(work) / rate,
    }
    return {**parts, "total_ms": sum(parts.values()), "operations": float(median(work)), "gemm_per_s": rate}


def gemm_rate() -> float:
    """Multiplications and additions per second in a product of two float32 matrices."""
    rng = np.random.default_rng(0)
    left, right = rng.random((2, SIDE, SIDE), dtype=np.float32)
    return 2 * SIDE**3 / (milliseconds(lambda: left @ right) / 1000)


def operations(samples: np.ndarray) -> int:
    """Multiplications and additions of all products and convolutions in the bundled graph, on one sound.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # shapes as exported
        options.add_session_config_entry("session.disable_prepacking", "1")  # packed weights have no shape
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder, "profile"))
        graph = onnxruntime.InferenceSession(str(BUNDLED), options, providers=["CPUExecutionProvider"])
        graph.run([FUSED], {INPUT: samples[np.newaxis], **of_nobody(graph)})
        events = json.loads(Path(graph.end_profiling()).read_text("utf-8"))
    return sum(operations_of(event["args"]) for event in events if "output_type_shape" in event.get("args", {}))


def of_nobody(graph: onnxruntime.InferenceSession) -> dict[str, np.ndarray]:
    """What a graph that can adapt is told where nothing is known of the speaker; nothing for others."""
    widths = [node.shape[1] for node in graph.get_inputs() if node.name == speaker_statistics.STATISTICS_INPUT]
    return dict(speaker_statistics.unknown_speaker(widths[0]).inputs) if widths else {}


def operations_of(node: dict[str, Any]) -> int:
    """Those of one node that ran, as the profile tells it; 0 for what is neither product nor convolution."""
    kind = node["op_name"]
    inputs = [shape for each in node["input_type_shape"] for shape in each.values()]
    ((out, *_),) = (each.values() for each in node["output_type_shape"][:1])
    if kind in PRODUCTS:
        return 2 * prod(out) * inputs[0][-1]
    if kind == "Gemm":  # (m, k) by (k, n), either of which may lie transposed
        return 2 * prod(out) * isqrt(prod(inputs[0]) * prod(inputs[1]) // prod(out))
    return 2 * prod(out) * prod(inputs[KERNELS[kind]][1:]) if kind in KERNELS else 0


def milliseconds(way: Callable[[], Any]) -> float:
    """The fastest of several calls: what it takes when nothing is in the way."""
    times_s = []
    for _ in range(REPEATS):
        begin_s = time.perf_counter()
        way()
        times_s.append(time.perf_counter() - begin_s)
    return 1000 * min(times_s)


if __name__ == "__main__":
    print(json.dumps(measured([Path(clip) for clip in sys.argv[1:]])))
