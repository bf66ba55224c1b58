"""A recipe: everything that decides how a model is built and trained, read from a small TOML file.

A recipe file holds only what differs from the defaults below, or, where it names one as its `base`, from another recipe
of the package. Those lie in `recipes/`.
"""

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from overtone.errors import OptionError, suggest

PARTS: tuple[str, ...] = ("mel", "prosody", "fusion")
BUNDLED_FOLDER = Path(__file__).parent / "recipes"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
# Key -> the least and the most it may be.
RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 10_000),
    "patience": (1, 10_000),
    "batch_clips": (2, 4096),
    "learning_rate": (1e-7, 1),
    "weight_decay": (0, 1),
    "dropout": (0, 0.99),
    "label_smoothing": (0, 0.99),
    "mixup": (0, 10),
    "ema_decay": (0, 0.9999),
    "wave_variants": (0, 100),
    "mask_count": (0, 10),
    "mask_bands": (0, 64),
    "mask_frames": (0, 1000),
    "shift_bands": (0, 32),
    "crop_margin_frames": (-1, 1000),
    "members": (1, 32),
    "distil": (0, 1),
    "adapter": (0, 100),
}


@dataclass(frozen=True)
class Recipe:
    """How a model is built and trained.

    Attributes:
        name: name of the recipe, of a-z, 0-9, _ and -; part of the names of its results.
        mel: which network hears the mel picture, a name in `models.MEL`.
        prosody: which network hears pitch, loudness and tempo, a name in `models.PROSODY`.
        phases: which parts are trained together, one phase after the other; earlier phases are frozen in later ones.
        epochs: the most epochs a phase may take.
        patience: epochs without a better validation score after which a phase stops.
        batch_clips: clips per step.
        learning_rate: peak of the one-cycle schedule.
        weight_decay: decoupled weight decay of weight matrices.
        dropout: share of units dropped before each dense layer.
        label_smoothing: share of the target spread over all classes.
        mixup: alpha of the beta distribution of mixing weights; 0 for none.
        ema_decay: decay per step of the averaged weights that are validated and kept; 0 for the last weights.
        wave_variants: augmented versions of each waveform (speed, spectral tilt, noise, gain) beside the clean one.
        mask_count: rectangles of the mel picture hidden per clip, in frequency and in time each.
        mask_bands: the most bands one may hide.
        mask_frames: the most frames one may hide.
        shift_bands: the most bands by which the picture is shifted (another vocal tract).
        crop_margin_frames: frames of silence kept around the speech when training; -1 keeps the whole clip.
        members: how many networks are trained, each with other draws; their probabilities are averaged.
        validation: "shared": every network keeps the epoch that is best on the validation side. "in-turns": each leaves
            out a part of that side, learns from the rest, and keeps its last epoch: a part is too small to choose on.
        distil: share of their answers in what one more network learns, which then takes their place; 0 keeps them all.
        adapter: strength (inverse of the penalty on its weights) of the layer that answers when unlabelled clips of the
            speaker are known; 0 for none.
        precision: "float32" or "bfloat16" (convolutions only, training only).
    """

    name: str
    mel: str = "attentive"
    prosody: str = "contour"
    phases: tuple[tuple[str, ...], ...] = (PARTS,)
    epochs: int = 48
    patience: int = 48
    batch_clips: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    dropout: float = 0.3
    label_smoothing: float = 0.1
    mixup: float = 0.3
    ema_decay: float = 0.995
    wave_variants: int = 7
    mask_count: int = 2
    mask_bands: int = 8
    mask_frames: int = 20
    shift_bands: int = 3
    crop_margin_frames: int = 10
    members: int = 1
    validation: str = "shared"
    distil: float = 0.0
    adapter: float = 0.0
    precision: str = "bfloat16"

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise OptionError(
                f"recipe {self.name!r}: its name becomes part of file names; take a-z, 0-9, _ and -, "
                "and begin with a letter or a digit"
            )
        trained = tuple(part for phase in self.phases for part in phase)
        if sorted(trained) != sorted(PARTS):
            raise OptionError(f"recipe {self.name}: phases must train each of {PARTS} once, got {self.phases}")
        if self.precision not in ("float32", "bfloat16"):
            raise OptionError(f"recipe {self.name}: precision must be float32 or bfloat16, got {self.precision!r}")
        if self.validation not in ("shared", "in-turns"):
            raise OptionError(f"recipe {self.name}: validation must be shared or in-turns, got {self.validation!r}")
        if self.validation == "in-turns" and self.distil:
            raise OptionError(f"recipe {self.name}: a network that learns from others needs a shared validation side")
        for key, (low, high) in RANGES.items():
            if not low <= getattr(self, key) <= high:
                raise OptionError(f"recipe {self.name}: {key} must be in [{low}, {high}], got {getattr(self, key)!r}")

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for JSON."""
        return dataclasses.asdict(self)


def bundled_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the package."""
    return tuple(sorted(path.stem for path in BUNDLED_FOLDER.glob("*.toml")))


def recipe_from_dict(values: dict[str, Any], source: str) -> Recipe:
    """The recipe with these values.

    Args:
        values: field of `Recipe` -> value.
        source: where they came from, for messages.

    Raises:
        OptionError: a key that no recipe has, a value of another type, or one outside its range.
    """
    kinds = get_type_hints(Recipe)
    for key, value in values.items():
        if key not in kinds:
            raise OptionError(f"{source}: unknown key '{key}'{suggest(key, kinds)}")
        allowed = (int, float) if kinds[key] is float else kinds[key]
        if key != "phases" and (not isinstance(value, allowed) or isinstance(value, bool)):
            raise OptionError(f"{source}: '{key}' must be {kinds[key].__name__}, got {value!r}")
    if "name" not in values:
        raise OptionError(f"{source}: a recipe needs a 'name'")
    if "phases" in values:
        values = {**values, "phases": _phases(values["phases"], source)}
    return Recipe(**values)


def _phases(value: Any, source: str) -> tuple[tuple[str, ...], ...]:
    rows = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(row, (list, tuple)) and all(isinstance(part, str) for part in row) for row in rows):
        raise OptionError(f"{source}: 'phases' must be a list of lists of parts, got {value!r}")
    return tuple(tuple(row) for row in rows)


def read_recipe(name_or_path: str | Path) -> Recipe:
    """The recipe of that name, or in that TOML file.

    Raises:
        OptionError: no such recipe or file, or one that is not valid.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = BUNDLED_FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise OptionError(f"no recipe '{name_or_path}'{suggest(str(name_or_path), bundled_recipes())}")
    values = _values(path)
    base = values.pop("base", None)
    if base is not None and base not in bundled_recipes():
        raise OptionError(
            f"{path}: 'base' names no recipe of the package: {base!r}{suggest(str(base), bundled_recipes())}"
        )
    return recipe_from_dict({**(read_recipe(base).as_dict() if base else {}), **values}, str(path))


def _values(path: Path) -> dict[str, Any]:
    """What stands in a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not a TOML file: {error}") from error
