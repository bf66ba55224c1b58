"""Frame weights for padded batches of clips of different lengths.

Weights are 1 in valid frames and 0 after the end of a clip. In inference each clip is processed alone and cropped to
its speech: all its frames are valid, and its weights are None, which saves the multiplications.
"""

from torch import Tensor

FrameWeights = Tensor | None


def frame_weights(mask: Tensor, values: Tensor, training: bool) -> FrameWeights:
    """Weights of the frames `(batch, 1, frames)`, of the dtype of `values`; None if all of them are valid.

    Args:
        mask: bool `(batch, frames)`, True in valid frames.
        values: the values to be weighted.
        training: whether the model is in training, where masks hide parts of a single clip too.
    """
    return None if len(mask) == 1 and not training else mask[:, None].to(values.dtype)


def stride_weights(weights: FrameWeights, stride: int) -> FrameWeights:
    """Weights of every `stride`-th frame: those of the output of a layer with this stride."""
    return None if weights is None else weights[..., ::stride]


def apply_mask(values: Tensor, weights: FrameWeights) -> Tensor:
    """Values `(batch, channels, frames)` or `(batch, channels, frames, bands)`, set to 0 in invalid frames."""
    if weights is None:
        return values
    return values * (weights if values.ndim == 3 else weights[..., None])
