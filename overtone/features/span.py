"""Tracks over time -> where something happens in them: the span from the first frame to the last, its surroundings."""

import torch
from torch import Tensor
from torch.nn import functional

OUTSIDE = -200.0  # beyond the ends of a track there is only silence


def highest_within(track: Tensor, before_frames: int, after_frames: int) -> Tensor:
    """Running maximum over the frames before and after each frame, `(batch, frames)`."""
    padded = functional.pad(track, (before_frames, after_frames), value=OUTSIDE)
    # Two dimensions, as the exporter knows dynamic time in max_pool2d only.
    return functional.max_pool2d(padded[:, None, None], (1, before_frames + after_frames + 1), stride=1)[:, 0, 0]


def first_to_last(active: Tensor) -> Tensor:
    """Frames from the first active one to the last, bool `(batch, frames)`.

    Args:
        active: bool `(batch, frames)`.
    """
    count = active.to(torch.float32)
    begun = count.cumsum(-1) > 0
    not_ended = count.flip(-1).cumsum(-1).flip(-1) > 0
    return begun & not_ended


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
