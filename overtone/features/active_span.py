"""Finds the active span of tracks over time: from the first active frame to the last."""

import torch
from torch import Tensor
from torch.nn import functional

OUTSIDE = -200.0  # padding beyond the ends of a track: silence


def max_filter(track: Tensor, before_frames: int, after_frames: int) -> Tensor:
    """Return the running maximum over the frames before and after each frame, `(batch, frames)`."""
    padded = functional.pad(track, (before_frames, after_frames), value=OUTSIDE)
    # Two dimensions, as the exporter supports dynamic time in max_pool2d only.
    return functional.max_pool2d(padded[:, None, None], (1, before_frames + after_frames + 1), stride=1).flatten(1)


def first_to_last(active: Tensor) -> Tensor:
    """Return the frames from the first active one to the last, bool `(batch, frames)`.

    Args:
        active: bool `(batch, frames)`.
    """
    count = active.to(torch.float32)
    so_far = count.cumsum(-1)
    return (so_far > 0) & (so_far - count < so_far[..., -1:])


def batch_span(active: Tensor) -> Tensor:
    """Return the positions from the first frame that is active in any clip to the last, int64 `(span frames,)`.

    All frames if none is active, so that the result is never empty.

    Args:
        active: bool `(batch, frames)`.
    """
    span = first_to_last(active.any(0, keepdim=True))[0]
    positions = (span | ~span.any()).nonzero()[:, 0]
    torch._check(positions.shape[0] >= 1)  # for the exporter
    return positions


def per_clip_spans(active: Tensor) -> tuple[Tensor, Tensor]:
    """Return the positions of each clip's frames from its own first active one, and a mask of those inside the span.

    A clip thus starts at its own speech, independent of leading silence and of the other clips in the batch. The span
    of a clip without an active frame is its first frame, so that it is never empty.

    Args:
        active: bool `(batch, frames)`.

    Returns:
        Positions, int64 `(batch, longest span)`, and mask, bool of the same shape: False after a shorter span.
    """
    span = first_to_last(active).to(torch.float32)
    lengths = span.sum(-1, keepdim=True).clamp(min=1)
    frames = torch.arange(active.shape[1], device=active.device)
    steps = (frames < lengths.max()).nonzero()[:, 0]
    torch._check(steps.shape[0] >= 1)  # for the exporter
    positions = (span.argmax(-1, keepdim=True) + steps).clamp(max=active.shape[1] - 1)
    return positions, steps < lengths


def gather_frames(values: Tensor, positions: Tensor, axis: int) -> Tensor:
    """Return the values of each clip at its own positions.

    Args:
        values: `(batch, ...)` with frames along an axis.
        positions: int64 `(batch, span frames)`, as from `per_clip_spans`.
        axis: the axis of the frames in `values`.
    """
    if len(positions) == 1:  # whole rows at once, as in an exported model
        return values.index_select(axis, positions[0])
    shape = [*values.shape[:axis], positions.shape[1], *values.shape[axis + 1 :]]
    others = [1] * (axis - 1), [1] * (values.ndim - axis - 1)
    return values.gather(axis, positions.reshape(len(positions), *others[0], -1, *others[1]).expand(shape))


def shared_span(active: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same as `per_clip_spans`, but from the first frame that is active in any clip: clips stay aligned."""
    span = batch_span(active)
    return span.expand(len(active), -1), active.index_select(1, span)
