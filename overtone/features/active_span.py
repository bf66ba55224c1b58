"""Tracks over time -> where something happens in them: the span from the first frame to the last, its surroundings."""

import torch
from torch import Tensor
from torch.nn import functional

OUTSIDE = -200.0  # beyond the ends of a track there is only silence


def max_filter(track: Tensor, before_frames: int, after_frames: int) -> Tensor:
    """Running maximum over the frames before and after each frame, `(batch, frames)`."""
    padded = functional.pad(track, (before_frames, after_frames), value=OUTSIDE)
    # Two dimensions, as the exporter knows dynamic time in max_pool2d only.
    return functional.max_pool2d(padded[:, None, None], (1, before_frames + after_frames + 1), stride=1).flatten(1)


def first_to_last(active: Tensor) -> Tensor:
    """Frames from the first active one to the last, bool `(batch, frames)`.

    Args:
        active: bool `(batch, frames)`.
    """
    count = active.to(torch.float32)
    so_far = count.cumsum(-1)
    return (so_far > 0) & (so_far - count < so_far[..., -1:])


def span_of(active: Tensor) -> Tensor:
    """Positions from the first frame that is active in any clip to the last, int64 `(some frames,)`.

    All frames where none is active, so that there is always something to compute with.

    Args:
        active: bool `(batch, frames)`.
    """
    span = first_to_last(active.any(0, keepdim=True))[0]
    found = (span | ~span.any()).nonzero()[:, 0]
    torch._check(found.shape[0] >= 1)  # for the exporter
    return found


def per_clip_spans(active: Tensor) -> tuple[Tensor, Tensor]:
    """Positions of each clip's frames from its own first active one on, int64 `(batch, longest span)`, and which count.

    So a clip begins at its own speech, whatever silence is before it and whoever is in the batch with it. Of a clip
    without an active frame the first one counts, so that there is always something to hear.

    Args:
        active: bool `(batch, frames)`.

    Returns:
        Positions, and bool `(batch, longest span)`: False behind the end of a shorter span.
    """
    span = first_to_last(active).to(torch.float32)
    lengths = span.sum(-1, keepdim=True).clamp(min=1)
    frames = torch.arange(active.shape[1], device=active.device)
    steps = (frames < lengths.max()).nonzero()[:, 0]
    torch._check(steps.shape[0] >= 1)  # for the exporter
    positions = (span.argmax(-1, keepdim=True) + steps).clamp(max=active.shape[1] - 1)
    return positions, steps < lengths


def gather_frames(values: Tensor, positions: Tensor, axis: int) -> Tensor:
    """Values of each clip at its own positions.

    Args:
        values: `(batch, ...)` with frames along an axis.
        positions: int64 `(batch, some frames)`, as from `per_clip_spans`.
        axis: which axis of `values` the frames are.
    """
    if len(positions) == 1:  # whole rows at once, as an exported model takes them
        return values.index_select(axis, positions[0])
    shape = [*values.shape[:axis], positions.shape[1], *values.shape[axis + 1 :]]
    others = [1] * (axis - 1), [1] * (values.ndim - axis - 1)
    return values.gather(axis, positions.reshape(len(positions), *others[0], -1, *others[1]).expand(shape))


def shared_span(active: Tensor) -> tuple[Tensor, Tensor]:
    """As `per_clip_spans`, but from the first frame that is active in any clip: clips keep their places to each other."""
    span = span_of(active)
    return span.expand(len(active), -1), active.index_select(1, span)
