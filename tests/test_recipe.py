"""Recipes: read whole, defaults where nothing is said, and errors that name the file, the key and the nearest one."""

from pathlib import Path

import pytest

from overtone.errors import OptionError
from overtone.recipe import PARTS, RANGES, Recipe, bundled_recipes, read_recipe, recipe_from_dict


def test_the_package_brings_both_recipes() -> None:
    assert {"overtone", "paper"} <= set(bundled_recipes())
    assert all(read_recipe(name).name == name for name in bundled_recipes())
    assert read_recipe("overtone").phases == (PARTS,), "all parts on the same clips, so that the fusion hides no leak"


def test_the_paper_trains_in_three_phases_without_augmentation() -> None:
    paper = read_recipe("paper")
    assert paper.phases == (("mel",), ("prosody",), ("fusion",))
    assert (paper.mel, paper.prosody) == ("plain", "plain")
    assert (paper.wave_variants, paper.mixup, paper.mask_count, paper.shift_bands, paper.ema_decay) == (0, 0, 0, 0, 0)


def test_a_file_holds_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ndropout = 0\nphases = [["prosody", "mel"], ["fusion"]]\n', "utf-8")
    found = read_recipe(path)
    assert found == Recipe("mine", dropout=0, phases=(("prosody", "mel"), ("fusion",)))
    assert read_recipe(str(path)) == found


def test_a_single_change_of_the_paper_changes_one_thing(tmp_path: Path) -> None:
    paper = read_recipe("paper").as_dict()
    for name, key in (("contours", "prosody"), ("dense", "mel")):
        changed = {field for field, value in read_recipe(name).as_dict().items() if value != paper[field]}
        assert changed == {"name", key}
    (tmp_path / "x.toml").write_text('base = "papre"\nname = "x"\n', encoding="utf-8")
    with pytest.raises(OptionError, match=r"x.toml: 'base' names no recipe .*did you mean 'paper'"):
        read_recipe(tmp_path / "x.toml")


def test_a_recipe_comes_back_from_plain_values() -> None:
    for name in bundled_recipes():
        assert recipe_from_dict(read_recipe(name).as_dict(), "here") == read_recipe(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not a TOML file"),
        ("dropout = 0.1", "needs a 'name'"),
        ('name = "x"\ndropuot = 0.1', "unknown key 'dropuot'; did you mean 'dropout'"),
        ('name = "x"\ndropout = "much"', "'dropout' must be float, got 'much'"),
        ('name = "x"\nepochs = 2.5', "'epochs' must be int, got 2.5"),
        ('name = "x"\nepochs = true', "'epochs' must be int, got True"),
        ("name = 7", "'name' must be str, got 7"),
        *((f'name = "{name}"', f"recipe '{name}': its name") for name in ("", "a/b", "..", "-a", "Ab", "a b", "ä")),
        ('name = "a\\n"', "its name becomes part of file names"),
        ('name = "x"\nphases = [["mel"], ["prosody"]]', "must train each of .* once"),
        ('name = "x"\nphases = [["mel", "mel"], ["prosody"], ["fusion"]]', "must train each of .* once"),
        ('name = "x"\nphases = 3', "'phases' must be a list of lists"),
        ('name = "x"\nphases = ["mel", "prosody", "fusion"]', "'phases' must be a list of lists"),
        ('name = "x"\nphases = [[1, "mel"]]', "'phases' must be a list of lists"),
        ('name = "x"\nprecision = "float16"', "precision must be float32 or bfloat16, got 'float16'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(OptionError, match=message):
        read_recipe(path)


@pytest.mark.parametrize("key", RANGES)
def test_values_outside_their_range(key: str) -> None:
    low, high = RANGES[key]
    for value in (low - 1, high + 1, float("nan")):
        with pytest.raises(OptionError, match=rf"recipe x: {key} must be in \["):
            Recipe("x", **{key: value})
    for value in (low, high):
        assert getattr(Recipe("x", **{key: value}), key) == value


def test_unknown_recipes_name_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no recipe 'papre'; did you mean 'paper'"):
        read_recipe("papre")
    with pytest.raises(OptionError, match=r"no recipe '.*missing\.toml'"):
        read_recipe(tmp_path / "missing.toml")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="not a TOML file"):
        read_recipe(path)


def test_parts_are_those_of_the_results() -> None:
    assert PARTS == ("mel", "prosody", "fusion")
