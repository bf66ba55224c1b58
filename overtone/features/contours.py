"""The registry of contours: further tracks over time for the prosody branch, one row each.

To add a contour, write one file with an `nn.Module` that maps a waveform `(batch, samples)` at 16 kHz, of mean 0, to
one finite value per frame of the front end, `(batch, samples // HOP_SAMPLES + 1)`; `hops` and `frames` of
`overtone.features.spectrum` give such frames. Its operations must be exportable to ONNX with a dynamic number of
samples. Then add one row here, and name the row in a recipe: `prosody = "contour-cnn+spectral-centroid"`. Scaling,
silence, padding, the cache and the export need no further code.

The networks of `overtone.models.extra_contours` take contours.
"""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import nn

from overtone._internal.fingerprint import PACKAGE
from overtone.errors import OptionError, suggest
from overtone.features.front_end import ExtraFeature
from overtone.features.spectrum import HOP_SAMPLES

CONTOURS: dict[str, Callable[[], nn.Module]] = {}
"""Name, of a-z, 0-9 and -, -> how to build the layer."""


def contour_feature(name: str) -> ExtraFeature:
    """The contour of this name, as a feature of the front end.

    Args:
        name: of a row in `CONTOURS`.

    Raises:
        OptionError: there is no such row.
    """
    if name not in CONTOURS:
        hint = (
            suggest(name, CONTOURS) if CONTOURS else "; there is none yet: add a row to overtone/features/contours.py"
        )
        raise OptionError(f"no contour '{name}'{hint}")
    # Its module may use any other one of the folder.
    return ExtraFeature(CONTOURS[name], hop_samples=HOP_SAMPLES, code=("features", *_source_outside(CONTOURS[name])))


def _source_outside(build: Callable[[], nn.Module]) -> tuple[str, ...]:
    """The source file of a layer that was registered from outside the package, such as by a script."""
    while isinstance(build, partial):
        build = build.func
    try:
        file = Path(inspect.getfile(build)).resolve()
    except (TypeError, OSError):  # an interactive session has no files
        return ()
    return () if file.is_relative_to(PACKAGE.resolve()) or not file.is_file() else (str(file),)
