"""The registry of contours, and which code their cached values depend on."""

import ast
import re
from functools import partial
from pathlib import Path

import pytest
from torch import nn

from overtone._internal.fingerprint import FEATURES, PACKAGE
from overtone.errors import OptionError
from overtone.features.contours import CONTOURS, contour_feature
from overtone.features.mel import LogMel
from overtone.features.spectrum import HOP_SAMPLES


def test_every_row_is_a_name_that_a_recipe_can_list() -> None:
    assert all(re.fullmatch("[a-z][a-z0-9-]*", name) for name in CONTOURS)


def test_a_row_is_a_feature_at_the_frame_rate_of_the_front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTOURS, "bands", LogMel)
    feature = contour_feature("bands")
    assert isinstance(feature.build(), LogMel) and feature.hop_samples == HOP_SAMPLES
    assert feature.code == ("features",), "any module of the folder may be part of it"


def test_the_source_of_a_layer_outside_the_package_is_part_of_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Layer(nn.Module):
        pass

    for build in (Layer, partial(partial(Layer))):
        monkeypatch.setitem(CONTOURS, "outside", build)
        assert contour_feature("outside").code == ("features", str(Path(__file__).resolve()))


def test_an_unknown_contour_names_the_nearest_or_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTOURS, "spectral-slope", LogMel)
    with pytest.raises(OptionError, match="no contour 'spectral-slop'; did you mean 'spectral-slope'"):
        contour_feature("spectral-slop")
    CONTOURS.clear()
    with pytest.raises(
        OptionError, match=r"no contour 'x'; there is none yet: add a row to overtone/features/contours"
    ):
        contour_feature("x")


def _imports(file: str) -> set[str]:
    """Return the modules of `features` that a file of the package imports."""
    nodes = ast.walk(ast.parse((PACKAGE / file).read_text("utf-8")))
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {
        name.removeprefix("overtone.").replace(".", "/") + ".py"
        for name in names
        if name.startswith("overtone.features.")
    }


def test_the_cached_features_depend_on_all_modules_that_compute_them() -> None:
    """A module that the front end, the augmentation or the features of an encoder use must be listed in FEATURES."""
    used = {"features/front_end.py", "features/augment.py", "features/whisper_mel.py"}
    while new := {imported for file in used for imported in _imports(file)} - used:
        used |= new
    assert used <= set(FEATURES)
    assert "features/contours.py" not in used, "a new contour must not invalidate the features that all networks share"
