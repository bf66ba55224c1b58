"""A model file of a few kilobytes with the inputs, outputs and card of an exported model, for tests.

Its probabilities are softmax(features @ weights), where the features are the means of |x|, x and x * x: small, and easy
to compute with numpy. With a speaker adapter, adapted probabilities are softmax((features - mean) @ weights), where the
mean is that of the speaker statistics.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from overtone._internal.tensor_names import (
    ADAPTED_PROBABILITIES,
    REFERENCE_CLIPS,
    SPEAKER_FEATURES,
    SPEAKER_STATISTICS,
)
from overtone.corpora.ravdess import EMOTIONS
from overtone.inference.checksum import append_checksum

HOP_SAMPLES = 256
MIN_SAMPLES = 8_000
PITCH_HZ = 200.0
RATES = {"tempo_bpm": 120.0, "speech_rate_hz": 4.0, "pause_ratio": 0.25}
PARTS = ("probabilities", "mel_probabilities", "prosody_probabilities")


def weights(part: str, classes: int = len(EMOTIONS)) -> np.ndarray:
    """Return the weights of one output, float32 `(3, classes)`."""
    return np.random.default_rng(PARTS.index(part)).normal(0, 5, (3, classes)).astype(np.float32)


def expected(samples: np.ndarray, part: str = "probabilities", mean: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the probabilities that the model should give, computed with numpy, `(emotions,)`.

    Args:
        samples: the clip.
        part: name of the output.
        mean: mean of the speaker features of the reference clips, `(3,)`.
    """
    scores = (features(samples) - mean) @ weights(part)
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def features(samples: np.ndarray) -> np.ndarray:
    """Return the features, float `(3,)`, which are also the speaker features."""
    x = np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples)))).astype(float)
    return np.array([np.abs(x).mean(), x.mean(), (x * x).mean()])


def card(**changes: Any) -> dict[str, Any]:
    """Return a complete model card with these keys changed; the value `...` removes a key."""
    values = {
        "format": 2,
        "id": "tiny-1",
        "emotions": list(EMOTIONS),
        "sample_rate_hz": 16_000,
        "min_samples": MIN_SAMPLES,
        "hop_samples": HOP_SAMPLES,
        "front_end": {"mel_bands": 64},
        "recipe": {"name": "tiny", "branches": {"mel": "tiny", "prosody": "tiny"}},
        "seed": 4,
        "protocol": "luna5",
        "training_clips": 960,
        "validation_clips": 192,
        "training_data": [
            {
                "corpus": "ravdess",
                "clips": 1440,
                "speakers": 24,
                "licence": "CC BY-NC-SA 4.0",
                "citation": "L. & R. 2018",
            }
        ],
        "licence": "CC BY-NC-SA 4.0",
        "scores": [
            {
                "protocol": "luna5",
                "recipe": "overtone",
                "part": "fusion",
                "uar": 0.625,
                "uar_low": 0.585,
                "uar_high": 0.664,
                "wa": 0.631,
                "macro_f1": 0.62,
                "clips": 1440,
                "speakers": 24,
                "seeds": 3,
                "audit": {"test_clips": 1440, "seen_clips": 0, "test_speakers": 24, "shared_speakers": 0},
            }
        ],
        "scores_of": "the recipe",
        "versions": {"overtone": "0.1.0", "torch": "2.13.0"},
        "limits": "Acted speech of 24 people; predictions for other recordings are less accurate.",
    }
    values.update(changes)
    return {key: value for key, value in values.items() if value is not ...}


def write(
    path: Path, *, metadata: dict[str, str] | None = None, without: str = "", adapts: bool = False, **changes: Any
) -> Path:
    """Write the model file and return its path.

    Args:
        path: of the file.
        metadata: of the ONNX file, instead of the card.
        without: name of an output to omit.
        adapts: whether it has a speaker adapter.
        changes: changed keys of the card; see `card`.
    """
    nodes = [
        helper.make_node("Abs", ["waveform"], ["size"]),
        helper.make_node("Mul", ["waveform", "waveform"], ["power"]),
        *(
            helper.make_node("ReduceMean", [source, "last"], [f"mean_{source}"], keepdims=1)
            for source in ("size", "waveform", "power")
        ),
        helper.make_node("Concat", ["mean_size", "mean_waveform", "mean_power"], ["features"], axis=1),
    ]
    constants = [numpy_helper.from_array(np.array([1]), "last")]
    for part in PARTS:
        constants.append(numpy_helper.from_array(weights(part), f"weights_{part}"))
        nodes.append(helper.make_node("MatMul", ["features", f"weights_{part}"], [f"scores_{part}"]))
        nodes.append(helper.make_node("Softmax", [f"scores_{part}"], [part], axis=1))
    nodes += _track_nodes(constants)
    for name, value in RATES.items():
        constants.append(numpy_helper.from_array(np.array([value], np.float32), f"value_{name}"))
        nodes.append(helper.make_node("Identity", [f"value_{name}"], [name]))
    outputs = [helper.make_tensor_value_info(part, TensorProto.FLOAT, ["batch", "emotions"]) for part in PARTS]
    outputs += [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "frames"])
        for name in ("pitch_hz", "loudness_db")
    ]
    outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in RATES]
    inputs = [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", "samples"])]
    if adapts:
        nodes += _adapter_nodes(constants)
        for name, shape in {SPEAKER_STATISTICS: [2, 3], REFERENCE_CLIPS: [1]}.items():
            inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        for name, columns in {SPEAKER_FEATURES: 3, ADAPTED_PROBABILITIES: "emotions"}.items():
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", columns]))
    outputs = [output for output in outputs if output.name != without]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {"overtone_card": json.dumps(card(**changes))} if metadata is None else metadata)
    onnx.checker.check_model(model)
    path.write_bytes(append_checksum(model.SerializeToString()))
    return path


def _adapter_nodes(constants: list[onnx.TensorProto]) -> list[onnx.NodeProto]:
    """Return the nodes of the speaker adapter; the number of reference clips has no effect, but must be an input."""
    constants.append(numpy_helper.from_array(np.array(0), "first"))
    constants.append(numpy_helper.from_array(np.array(0, np.float32), "no_effect"))
    return [
        helper.make_node("Identity", ["features"], [SPEAKER_FEATURES]),
        helper.make_node("Gather", [SPEAKER_STATISTICS, "first"], ["mean"]),
        helper.make_node("Mul", [REFERENCE_CLIPS, "no_effect"], ["nothing"]),
        helper.make_node("Sub", ["features", "mean"], ["centred"]),
        helper.make_node("MatMul", ["centred", "weights_probabilities"], ["adapted_scores"]),
        helper.make_node("Add", ["adapted_scores", "nothing"], ["scores_adapted"]),
        helper.make_node("Softmax", ["scores_adapted"], [ADAPTED_PROBABILITIES], axis=1),
    ]


def _track_nodes(constants: list[onnx.TensorProto]) -> list[onnx.NodeProto]:
    """Return the nodes of both tracks: the level of each hop in dB, and a pitch of 200 Hz where it exceeds -60 dB."""
    numbers = {"floor": 1e-6, "to_db": 20 / np.log(10), "gate_db": -60.0, "voiced_hz": PITCH_HZ, "unvoiced_hz": 0.0}
    constants += [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in numbers.items()]
    return [
        helper.make_node("Unsqueeze", ["size", "last"], ["rows"]),
        helper.make_node("AveragePool", ["rows"], ["pooled"], kernel_shape=[HOP_SAMPLES], strides=[HOP_SAMPLES]),
        helper.make_node("Squeeze", ["pooled", "last"], ["levels"]),
        helper.make_node("Max", ["levels", "floor"], ["bounded"]),
        helper.make_node("Log", ["bounded"], ["logs"]),
        helper.make_node("Mul", ["logs", "to_db"], ["loudness_db"]),
        helper.make_node("Greater", ["loudness_db", "gate_db"], ["loud"]),
        helper.make_node("Where", ["loud", "voiced_hz", "unvoiced_hz"], ["pitch_hz"]),
    ]
