"""Equality of dataclasses that contain arrays, which Python compares element by element."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np


class EqualByValue:
    """Base of dataclasses (with `eq=False`) that are equal if all fields are: arrays by their values, NaN to NaN."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        return all(_are_equal(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]  # an array has none


def _are_equal(one: object, other: object) -> bool:
    """Return whether two values are equal; arrays and mappings by their elements, NaN to NaN."""
    if isinstance(one, np.ndarray | float) and isinstance(other, np.ndarray | float):
        return np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == np.asarray(other).dtype.kind == "f")
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_are_equal(value, other[key]) for key, value in one.items())
    return bool(one == other)
