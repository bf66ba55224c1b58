"""The architectures of `transformer_torch`, exported to ONNX and run with onnxruntime: no torch at run time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.systems import ProcessClips
from benchmarks.systems.audio import RATE_HZ, normalise, read_mono

MODEL_FILE = "model.onnx"
MIN_DURATION_S, MAX_DURATION_S = 0.5, 600


def prepare(variant: str, folder: Path) -> None:
    """Export a model that accepts clips of any length."""
    import torch

    from benchmarks.systems.transformer_torch import build_model

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = build_model(variant)

        def forward(self, waveform: torch.Tensor) -> torch.Tensor:
            return self.model(waveform).logits.softmax(-1)

    samples = torch.export.Dim("samples", min=int(MIN_DURATION_S * RATE_HZ), max=MAX_DURATION_S * RATE_HZ)
    torch.onnx.export(
        Classifier().eval(),
        (torch.randn(1, 3 * RATE_HZ),),
        folder / MODEL_FILE,
        dynamo=True,
        input_names=["waveform"],
        output_names=["probabilities"],
        dynamic_shapes={"waveform": {1: samples}},
        external_data=True,
    )


def load(variant: str, folder: Path) -> ProcessClips:
    """Return the exported model on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    graph = onnxruntime.InferenceSession(folder / MODEL_FILE, options, providers=["CPUExecutionProvider"])

    def process(clips: Sequence[Path]) -> list[np.ndarray]:
        return [graph.run(None, {"waveform": normalise(read_mono(clip))})[0][0] for clip in clips]

    return process
