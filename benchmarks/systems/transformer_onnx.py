"""The same architectures as `transformer_torch`, on onnxruntime: no torch where they run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.systems import Way
from benchmarks.systems.sound import RATE_HZ, normalised, samples_of

GRAPH = "model.onnx"
SHORTEST_S, LONGEST_S = 0.5, 600


def prepare(variant: str, folder: Path) -> None:
    """Exports a model for sounds of any length."""
    import torch

    from benchmarks.systems.transformer_torch import model_of

    class Answering(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model_of(variant)

        def forward(self, waveform: torch.Tensor) -> torch.Tensor:
            return self.model(waveform).logits.softmax(-1)

    samples = torch.export.Dim("samples", min=int(SHORTEST_S * RATE_HZ), max=LONGEST_S * RATE_HZ)
    torch.onnx.export(
        Answering().eval(),
        (torch.randn(1, 3 * RATE_HZ),),
        folder / GRAPH,
        dynamo=True,
        input_names=["waveform"],
        output_names=["probabilities"],
        dynamic_shapes={"waveform": {1: samples}},
        external_data=True,
    )


def load(variant: str, folder: Path) -> Way:
    """The graph on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    graph = onnxruntime.InferenceSession(folder / GRAPH, options, providers=["CPUExecutionProvider"])

    def way(clips: Sequence[Path]) -> list[np.ndarray]:
        return [graph.run(None, {"waveform": normalised(samples_of(clip))})[0][0] for clip in clips]

    return way
