"""Recipe files: defaults, base recipes, and errors that name the file, the key and the most similar key."""

from pathlib import Path

import pytest

from overtone.errors import OptionError
from overtone.recipe import RANGES, Recipe, bundled_recipes, read_recipe, recipe_from_dict

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments" / "recipes"


def test_bundled_recipes_are_valid() -> None:
    assert {"overtone", "base", "paper"} <= set(bundled_recipes())
    assert all(read_recipe(name).name == name for name in bundled_recipes())
    # All parts are trained on the same clips, so the fusion cannot leak test clips.
    assert read_recipe("overtone").phases == (("mel", "prosody", "fusion"),)


def test_the_paper_trains_in_three_phases_without_augmentation() -> None:
    paper = read_recipe("paper")
    assert paper.phases == (("mel",), ("prosody",), ("fusion",))
    assert paper.branches == {"mel": "paper-cnn", "prosody": "paper-mlp"}
    assert (paper.wave_variants, paper.mixup, paper.mask_count, paper.shift_bands, paper.ema_decay) == (0, 0, 0, 0, 0)


def test_a_file_contains_only_the_settings_that_differ(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ndropout = 0\nphases = [["prosody", "mel"], ["fusion"]]\n', "utf-8")
    recipe = read_recipe(path)
    assert recipe == Recipe("mine", dropout=0, phases=(("prosody", "mel"), ("fusion",)))
    assert read_recipe(str(path)) == recipe


def test_variations_of_the_paper_recipe_change_one_branch(tmp_path: Path) -> None:
    paper = read_recipe("paper").as_dict()
    for name, branch in (("paper-contour-prosody", "prosody"), ("paper-dense-fusion", "mel")):
        recipe = read_recipe(EXPERIMENTS / f"{name}.toml")
        assert recipe.name == name
        assert {field for field, value in recipe.as_dict().items() if value != paper[field]} == {"name", "branches"}
        assert [key for key, network in recipe.branches.items() if network != paper["branches"][key]] == [branch]
    (tmp_path / "x.toml").write_text('base = "papre"\nname = "x"\n', encoding="utf-8")
    with pytest.raises(OptionError, match=r"x.toml: no recipe for 'base': .*did you mean 'paper'"):
        read_recipe(tmp_path / "x.toml")


def test_recipes_survive_conversion_to_a_dict() -> None:
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
        *(
            (f'name = "{name}"', f"recipe '{name}': the name becomes")
            for name in ("", "a/b", "..", "-a", "Ab", "a b", "ä")
        ),
        ('name = "a\\n"', "the name becomes part of file names"),
        ('name = "x"\nphases = [["mel"], ["prosody"]]', "must train each of .* once"),
        ('name = "x"\nphases = [["mel", "mel"], ["prosody"], ["fusion"]]', "must train each of .* once"),
        ('name = "x"\nphases = 3', "'phases' must be a list of lists"),
        ('name = "x"\nphases = ["mel", "prosody", "fusion"]', "'phases' must be a list of lists"),
        ('name = "x"\nphases = [[1, "mel"]]', "'phases' must be a list of lists"),
        ('name = "x"\nbranches = "mel"', "'branches' must be a table"),
        ('name = "x"\nbranches = {mel = 3}', "'branches' must be a table"),
        ('name = "x"\nbranches = {mel = ""}', "at least one branch"),
        ('name = "x"\nbranches = {fusion = "x"}', "not fusion, adapted, member"),
        ('name = "x"\nbranches = {adapted = "x"}', "not fusion, adapted, member"),
        ('name = "x"\nbranches = {"m/l" = "x"}', "at least one branch"),
        ('name = "x"\nprecision = "float16"', "precision must be float32 or bfloat16, got 'float16'"),
    ],
)
def test_invalid_files_are_rejected(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(OptionError, match=message):
        read_recipe(path)


@pytest.mark.parametrize("key", RANGES)
def test_values_outside_their_range_are_rejected(key: str) -> None:
    low, high = RANGES[key]
    for value in (low - 1, high + 1, float("nan")):
        with pytest.raises(OptionError, match=rf"recipe x: {key} must be in \["):
            Recipe("x", **{key: value})
    for value in (low, high):
        assert getattr(Recipe("x", **{key: value}), key) == value


def test_unknown_recipes_suggest_the_most_similar(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no recipe 'papre'; did you mean 'paper'"):
        read_recipe("papre")
    with pytest.raises(OptionError, match=r"no recipe '.*missing\.toml'"):
        read_recipe(tmp_path / "missing.toml")


def test_a_file_that_is_not_text_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="not a TOML file"):
        read_recipe(path)


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_of_experiments_are_named_after_their_files(path: Path) -> None:
    assert read_recipe(path).name == path.stem


def test_branches_are_merged_into_those_of_the_base(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('base = "paper"\nname = "x"\nphases = []\n[branches]\nspeech = "encoder"\nmel = ""\n', "utf-8")
    recipe = read_recipe(path)
    assert recipe.branches == {"prosody": "paper-mlp", "speech": "encoder"}
    assert recipe.parts == ("prosody", "speech", "fusion") and recipe.phases == (recipe.parts,)


def test_a_base_can_be_a_file_but_not_circular(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "a"\nepochs = 3\n', "utf-8")
    (tmp_path / "b.toml").write_text('base = "a.toml"\nname = "b"\n', "utf-8")
    assert read_recipe(tmp_path / "b.toml") == Recipe("b", epochs=3)
    (tmp_path / "a.toml").write_text('base = "b.toml"\nname = "a"\n', "utf-8")
    with pytest.raises(OptionError, match=r"a\.toml.*leads back|b\.toml.*leads back"):
        read_recipe(tmp_path / "a.toml")


def test_a_circular_base_is_found_under_another_spelling_of_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "a.toml").write_text('base = "../recipes/a.toml"\nname = "a"\n', "utf-8")
    with pytest.raises(OptionError, match=r"a\.toml: 'base' leads back to .*a\.toml; remove"):
        read_recipe(folder / "a.toml")
