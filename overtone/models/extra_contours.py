"""Contours that the name of a network lists, as in `contour-cnn+spectral-centroid`: rows of `CONTOURS`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from overtone.errors import OptionError
from overtone.features.contours import contour_feature
from overtone.features.front_end import ExtraFeature, Features

SEPARATOR = "+"
MIN_SCALE = 1e-6


def split_name(network: str) -> tuple[str, tuple[str, ...]]:
    """The name of a network without its contours, and the names of these.

    Raises:
        OptionError: a contour is listed twice.
    """
    base, *contours = network.split(SEPARATOR)
    if len(set(contours)) < len(contours):
        raise OptionError(f"network '{network}' lists a contour twice; remove one of them")
    return base, tuple(contours)


def contour_features(network: str) -> dict[str, ExtraFeature]:
    """The contours that the name of a network lists, as features of the front end, by name.

    Raises:
        OptionError: there is no such contour, or it is listed twice.
    """
    return {name: contour_feature(name) for name in split_name(network)[1]}


def stack_contours(features: Features, contours: Sequence[str], mask: Tensor) -> Tensor:
    """The contours `(batch, contours, frames)`, 0 outside the mask.

    Args:
        features: of the clips.
        contours: names, at least one.
        mask: bool `(batch, frames)`.
    """
    return torch.stack([features.extra[name].masked_fill(~mask, 0.0) for name in contours], dim=1)


@torch.no_grad()
def contour_moments(stacked: Sequence[Tensor], masks: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each contour over the frames of all clips, each `(contours,)`.

    Args:
        stacked: as from `stack_contours`, one for each batch of clips.
        masks: the frames of each batch, bool `(batch, frames)`.
    """
    values = torch.cat([tracks.transpose(1, 2)[mask] for tracks, mask in zip(stacked, masks, strict=True)])
    return values.mean(0), values.std(0).clamp(min=MIN_SCALE)
