"""Recipe: every setting that decides how a model is built and trained, read from a small TOML file.

A recipe file holds only the settings that differ from the defaults below or, if it has a key `base`, from another
recipe: a bundled one (by name) or a TOML file (by its path relative to the recipe file). The bundled recipes are in
`recipes/`.
"""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from overtone.errors import OptionError, suggest

FUSION = "fusion"  # the part of a network that combines its branches
BUNDLED_FOLDER = Path(__file__).parent / "recipes"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
# Further predictions of the same networks for the same clips, which share the leak audit of the fusion: of each member
# of an ensemble alone, and of the speaker adapter.
FUSION_VARIANTS = ("member", "adapted")
RESERVED_NAMES = (FUSION, *sorted(FUSION_VARIANTS))  # parts of results that are no branches
BRANCH_NAME = re.compile(r"[a-z][a-z0-9_]*")
VALIDATION_MODES = ("shared", "rotating", "left-out-corpora")
FUSION_KINDS = ("mlp", "weighted")  # `FUSIONS` of `overtone.models.fusion`, which the recipe cannot import
SAMPLING_MODES = ("clips", "balanced")
PRECISIONS = ("float32", "bfloat16")
# Key -> smallest and largest allowed value.
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
    "reference_sets": (0, 1),
    "adapter": (0, 100),
}


@dataclass(frozen=True)
class Recipe:
    """The settings of one kind of model and its training.

    Attributes:
        name: name of the recipe, of a-z, 0-9, _ and -; part of the names of its result files.
        branches: branch -> name of its network; rows and names of `overtone.models.branches.BRANCHES`.
        phases: parts (branches and "fusion") that are trained together, one phase after the other; earlier phases are
            frozen in later ones. Empty: all parts together.
        epochs: maximum number of epochs of a phase.
        patience: number of epochs without a better validation score after which a phase stops.
        batch_clips: clips per training step.
        learning_rate: peak of the one-cycle schedule.
        weight_decay: decoupled weight decay of weight matrices.
        dropout: probability of dropping a unit before each dense layer.
        label_smoothing: share of the target distribution that is spread over all classes.
        mixup: alpha of the beta distribution of mixing weights; 0 turns mixup off.
        ema_decay: decay per step of the exponential moving average of the weights, which is validated and stored; 0
            takes the last weights.
        wave_variants: number of augmented versions of each waveform (speed, room, background, telephone, ...; see
            `overtone.features.augment`) in addition to the clean one.
        mask_count: number of frequency masks, and of time masks, per log-mel spectrogram.
        mask_bands: maximum width of a frequency mask.
        mask_frames: maximum length of a time mask.
        shift_bands: maximum shift of the spectrogram along frequency (another vocal tract length).
        crop_margin_frames: frames of silence left around the speech in training; -1 uses the whole clip.
        members: number of networks in the ensemble, each trained with another seed; probabilities are averaged.
        validation: "shared": every network stores its best epoch on the validation set. "rotating": each network
            leaves out other validation speakers, is trained on the rest, and stores its last epoch. "left-out-corpora":
            likewise, but each network leaves out all clips of one corpus; as "rotating" where the tested corpus is in
            the training set, or there are not two corpora to leave out.
        distil: weight of a teacher's predictions in the targets; 0 turns distillation off. Without `teacher`, the
            ensemble teaches one more network, which then replaces it.
        teacher: a recipe, whose networks teach those of this one: each is trained on the same clips as the network that
            it teaches.
        fusion: "mlp": an MLP on the embeddings of the branches, trained with them. "weighted": the weighted log
            probabilities of the branches, with weights that are fitted on validation clips.
        sampling: "clips": every training clip once per epoch. "balanced": as many clips, drawn such that every corpus,
            and within a corpus every class and every speaker of it, is drawn equally often.
        reference_sets: share of the training clips that refer to a random set of other clips of their speaker or
            corpus, for branches that can; an adapter then decides how far to trust such a set. 0 turns it off.
        adapter: inverse regularisation strength of the speaker adapter; 0 trains none.
        precision: "float32" or "bfloat16" (log-mel branch only, training only).
    """

    name: str
    branches: dict[str, str] = field(default_factory=lambda: {"mel": "residual-cnn", "prosody": "contour-cnn"})
    phases: tuple[tuple[str, ...], ...] = ()
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
    teacher: str = ""
    fusion: str = "mlp"
    sampling: str = "clips"
    reference_sets: float = 0.0
    adapter: float = 0.0
    precision: str = "bfloat16"

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise OptionError(
                f"recipe {self.name!r}: the name becomes part of file names; use a-z, 0-9, _ and -, and start with a "
                "letter or a digit"
            )
        bad = [name for name in self.branches if not BRANCH_NAME.fullmatch(name) or name in RESERVED_NAMES]
        if bad or not self.branches:
            raise OptionError(
                f"recipe {self.name}: 'branches' needs at least one branch, named with a-z, 0-9 and _, "
                f"and not {', '.join(RESERVED_NAMES)}"
            )
        if not self.phases:
            object.__setattr__(self, "phases", (self.parts,))
        trained = sorted(part for phase in self.phases for part in phase)
        if trained != sorted(self.parts):
            raise OptionError(f"recipe {self.name}: phases must train each of {self.parts} once, got {self.phases}")
        choices = {"precision": PRECISIONS, "validation": VALIDATION_MODES, "fusion": FUSION_KINDS}
        for key, known in {**choices, "sampling": SAMPLING_MODES}.items():
            if getattr(self, key) not in known:
                raise OptionError(f"recipe {self.name}: {key} must be {' or '.join(known)}, got {getattr(self, key)!r}")
        if self.teacher and not self.distil:
            raise OptionError(f"recipe {self.name}: a teacher needs its weight, such as distil = 0.7")
        if self.validation != "shared" and self.distil and not self.teacher:
            raise OptionError(f"recipe {self.name}: distillation needs a shared validation set: validation = 'shared'")
        for key, (low, high) in RANGES.items():
            if not low <= getattr(self, key) <= high:
                raise OptionError(f"recipe {self.name}: {key} must be in [{low}, {high}], got {getattr(self, key)!r}")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts with their own predictions: every branch, then the fusion."""
        return (*self.branches, FUSION)

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for JSON."""
        return dataclasses.asdict(self)


def bundled_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the package."""
    return tuple(sorted(path.stem for path in BUNDLED_FOLDER.glob("*.toml")))


def recipe_from_dict(values: Mapping[str, Any], source: str) -> Recipe:
    """The recipe with these values.

    Args:
        values: field of `Recipe` -> value.
        source: where the values came from, for messages.

    Raises:
        OptionError: an unknown key, or a value of the wrong type or outside its range.
    """
    types = get_type_hints(Recipe)
    values = dict(values)
    for key, value in values.items():
        if key not in types:
            raise OptionError(f"{source}: unknown key '{key}'{suggest(key, types)}")
        if key in _PARSERS:
            values[key] = _PARSERS[key](value, source)
            continue
        allowed = (int, float) if types[key] is float else types[key]
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise OptionError(f"{source}: '{key}' must be {types[key].__name__}, got {value!r}")
    if "name" not in values:
        raise OptionError(f"{source}: a recipe needs a 'name'")
    return Recipe(**values)


def _parse_phases(value: Any, source: str) -> tuple[tuple[str, ...], ...]:
    rows = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(row, (list, tuple)) and all(isinstance(part, str) for part in row) for row in rows):
        raise OptionError(f"{source}: 'phases' must be a list of lists of parts, got {value!r}")
    return tuple(tuple(row) for row in rows)


def _parse_branches(value: Any, source: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(network, str) for network in value.values()):
        raise OptionError(f"{source}: 'branches' must be a table of branch = \"network\", got {value!r}")
    return {branch: network for branch, network in value.items() if network}  # "" removes a branch of the base


_PARSERS = {"phases": _parse_phases, "branches": _parse_branches}


def read_recipe(name_or_path: str | Path) -> Recipe:
    """The bundled recipe of that name, or the one in that TOML file.

    Raises:
        OptionError: no such recipe or file, or one that is not valid.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = BUNDLED_FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise OptionError(f"no recipe '{name_or_path}'{suggest(str(name_or_path), bundled_recipes())}")
    return recipe_from_dict(_read_with_base(path, (path.resolve(),)), str(path))


def read_teacher(recipe: Recipe) -> Recipe | None:
    """The recipe of the teacher of a recipe; None if it has none.

    Raises:
        OptionError: there is no such recipe, it is not valid, or it has a teacher itself.
    """
    if not recipe.teacher:
        return None
    teacher = read_recipe(recipe.teacher)
    if teacher.teacher or teacher.distil:
        raise OptionError(f"recipe {recipe.name}: its teacher, recipe {teacher.name}, is distilled itself")
    return teacher


def _read_with_base(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The values of a recipe file, merged into those of its base; `branches` are merged one by one."""
    values = _read_toml(path)
    base = values.pop("base", None)
    if base is None:
        return values
    base_path = path.parent / str(base) if str(base).endswith(".toml") else BUNDLED_FOLDER / f"{base}.toml"
    if not base_path.is_file():
        raise OptionError(f"{path}: no recipe for 'base': {base!r}{suggest(str(base), bundled_recipes())}")
    if base_path.resolve() in seen:
        raise OptionError(f"{path}: 'base' leads back to {base_path}; remove one of the 'base' keys")
    inherited = _read_with_base(base_path, (*seen, base_path.resolve()))
    if isinstance(values.get("branches"), dict):
        defaults = Recipe("defaults").branches
        values["branches"] = {**inherited.get("branches", defaults), **values["branches"]}
    return {**inherited, **values}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not a TOML file: {error}") from error
