"""An ONNX graph in memory -> a session of onnxruntime that starts fast."""

from typing import Any

import onnxruntime

FATAL_ONLY = 4  # log level of onnxruntime: errors are raised once, with the name of the file, and not logged as well
# Passes of its graph optimiser, level "extended". They look for patterns of quantised models, language models and
# fused activations; they do not make the graphs of Overtone faster, and take a good part of the time to load one. The
# layout of convolutions, of a higher level, stays on. Names that a version does not know are ignored.
UNUSED_PASSES = (
    "AttentionFusion",
    "BiasGeluFusion",
    "BiasSoftmaxFusion",
    "ConvAddActivationFusion",
    "DivMulFusion",
    "EmbedLayerNormFusion",
    "FastGeluFusion",
    "FuseReluClip",
    "GatherSliceToSplitFusion",
    "GatherToSliceFusion",
    "GeluApproximation",
    "GeluFusionL2",
    "GemmActivationFusion",
    "GroupQueryAttentionFusion",
    "LayerNormFusionL2",
    "MatMulActivationFusion",
    "MatMulNBitsFusion",
    "MatMulScaleFusion",
    "MatmulTransposeFusion",
    "QDQFinalCleanupTransformer",
    "QDQSelectorActionTransformer",
    "QuickGeluFusion",
    "SimplifiedLayerNormFusion",
    "SkipLayerNormFusion",
    "WeightBiasQuantization",
)


def start_session(content: bytes, threads: int) -> Any:
    """Return a session for a graph; on the CPU, with one run after the other.

    Args:
        content: the model file.
        threads: number of threads for one run.

    Raises:
        Exception: not a graph, or one that onnxruntime cannot run; it raises bare `Exception`s of its own.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = FATAL_ONLY
    onnxruntime.disable_telemetry_events()
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(UNUSED_PASSES)
    )
