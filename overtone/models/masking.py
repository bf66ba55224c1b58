"""Which frames count, for layers over clips of different lengths: weights, 1 where a frame counts and 0 behind the end.

A clip alone, in use, is cut to its own speech: all its frames count, nothing is multiplied, and its weights are None.
"""

from torch import Tensor

FrameWeights = Tensor | None


def frame_weights(mask: Tensor, values: Tensor, training: bool) -> FrameWeights:
    """Weights of the frames `(batch, 1, frames)`, of the type of `values`; None where all of them count.

    Args:
        mask: bool `(batch, frames)`, True where frames count.
        values: what will be weighted.
        training: whether it is for training, where masks hide parts of a single clip too.
    """
    return None if len(mask) == 1 and not training else mask[:, None].to(values.dtype)


def stride_weights(weights: FrameWeights, stride: int) -> FrameWeights:
    """Weights of each `stride`-th frame, as a layer with this stride leaves them."""
    return None if weights is None else weights[..., ::stride]


def apply_mask(values: Tensor, weights: FrameWeights) -> Tensor:
    """Values `(batch, channels, frames)` or `(batch, channels, frames, bands)`, 0 where frames do not count."""
    if weights is None:
        return values
    return values * (weights if values.ndim == 3 else weights[..., None])
