"""`results/oof` -> what was measured here, scored, in the order in which it is shown.

Files in the folder itself are of RAVDESS with its eight emotions; a subfolder names other clips or classes. Figures are
compared within a setting only: "luna5", "emodb/loso", or "luna5/adapted" for models that have heard unlabelled clips of
the test speaker as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overtone.datatypes import OofPredictions
from overtone.errors import InputError, suggest
from overtone.evaluation import oof_files
from overtone.evaluation.metrics import SEED, score
from overtone.evaluation.oof_files import KNOWN_PARTS, RunRecord
from overtone.evaluation.protocols import PROTOCOLS
from overtone.evaluation.report import ScoreRow

UNSEEN_FIRST = tuple(dict.fromkeys(("luna5", "emobox6", "loso", "sentence", "cross", *PROTOCOLS)))
PARTS_SHOWN = ("fusion", "svm", "adapted", "member", "mel", "prosody")
MAIN = "luna5"  # the protocol under which our models are looked at more closely
WHOLE = ("fusion", "svm", "adapted")  # the answer of a whole model, not of a part of it
BASELINE, ADAPTED = "svm", "adapted"


@dataclass(frozen=True)
class EvaluationCondition:
    """What figures must share to be compared.

    Attributes:
        data: name of the clips and classes; "" for RAVDESS with its eight emotions.
        protocol: a name in `splits.PROTOCOLS`.
        adapted: whether unlabelled clips of the test speaker were heard before.
    """

    data: str
    protocol: str
    adapted: bool = False

    def __str__(self) -> str:
        return f"{self.tested}/{ADAPTED}" if self.adapted else self.tested

    @property
    def tested(self) -> str:
        """What was tested how, whether adapted or not, such as "emodb/loso"."""
        return f"{self.data}/{self.protocol}" if self.data else self.protocol

    @property
    def rank(self) -> tuple[str, int, bool]:
        """The place among others: RAVDESS first, and unseen speakers before others."""
        return self.data, UNSEEN_FIRST.index(self.protocol), self.adapted

    @property
    def group(self) -> str:
        """Title of what may stand in one table, protocols side by side; "" for RAVDESS, not adapted."""
        words = [f"Other clips or classes: {self.data}"] if self.data else []
        return ". ".join([*words, "Adapted to the speaker"] if self.adapted else words)


PAPER, REBUILT = EvaluationCondition("", "paper"), "paper"  # where the paper was rebuilt, and the recipe that did


@dataclass(frozen=True)
class Result:
    """One CSV of out-of-fold predictions and what follows from it.

    Attributes:
        setting: what it is to be compared within.
        recipe: name of the recipe.
        part: name out of `KNOWN_PARTS`.
        baseline: whether the recipe is one of `benchmarks/baselines`.
        source: the file, as seen from the project folder.
        predictions: its content.
        row: its scores.
        audits: what the JSON beside it says; None where there is none.
    """

    setting: EvaluationCondition
    recipe: str
    part: str
    baseline: bool
    source: str
    predictions: OofPredictions
    row: ScoreRow
    audits: RunRecord | None

    @property
    def file_name(self) -> str:
        """What a file of its recipe in its setting begins with, such as "luna5-adapted-overtone"."""
        return f"{self.setting}-{self.recipe}".replace("/", "-")

    @property
    def ours(self) -> bool:
        """Whether the recipe is neither a baseline nor the paper's."""
        return not self.baseline and self.recipe != REBUILT

    @property
    def whole(self) -> bool:
        """Whether it is the answer of a whole model."""
        return self.part in WHOLE


def setting_named(name: str) -> EvaluationCondition:
    """The setting that is called so.

    Raises:
        InputError: no such protocol.
    """
    tested, adapted = (name.removesuffix(f"/{ADAPTED}"), True) if name.endswith(f"/{ADAPTED}") else (name, False)
    data, _, protocol = tested.rpartition("/")
    if protocol not in PROTOCOLS:
        raise InputError(f"no protocol '{protocol}' in '{name}'{suggest(protocol, PROTOCOLS)}")
    return EvaluationCondition(data, protocol, adapted)


def read_results(folder: Path, published: Mapping[str, str]) -> list[Result]:
    """All results below `results/oof`: RAVDESS first, unseen speakers first, our models first, whole models first.

    Args:
        folder: where the files lie.
        published: part -> figure that the paper reports of it.

    Raises:
        InputError: a file whose name or content is not as `outputs.predictions` has it.
    """
    folder = Path(folder)
    named = [(path, *_name_parts(path, folder)) for path in sorted(folder.rglob("*.csv"))]
    baselines = {recipe for _, _, recipe, part in named if part == BASELINE}
    results = []
    for path, setting, recipe, part in named:
        held = oof_files.read(path)
        beside = oof_files.record_path(path.parent, setting.protocol, recipe)
        audits = oof_files.read_record(beside) if beside.is_file() else None
        rebuilt = (setting, recipe) == (PAPER, REBUILT)
        row = ScoreRow(
            f"{recipe} {'baseline' if recipe in baselines else 'recipe'}{'' if part == BASELINE else f', {part}'}",
            setting.tested,
            score(held, np.random.default_rng(SEED)),
            audits.parts.get(part) if audits else None,
            published.get(part, "") if rebuilt else "",
        )
        source = f"results/oof/{path.relative_to(folder).as_posix()}"
        results.append(Result(setting, recipe, part, recipe in baselines, source, held, row, audits))
    return sorted(results, key=_rank)


def grouped(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Title -> results that may stand in one table."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(one.setting.group, []).append(one)
    return groups


def _name_parts(path: Path, folder: Path) -> tuple[EvaluationCondition, str, str]:
    protocol, _, rest = path.stem.partition("-")
    recipe, _, part = rest.rpartition("-")
    if protocol not in PROTOCOLS or part not in KNOWN_PARTS or not recipe:
        raise InputError(f"{path}: the name should be <protocol>-<recipe>-<part>.csv")
    data = path.parent.relative_to(folder).as_posix()
    return EvaluationCondition("" if data == "." else data, protocol, part == ADAPTED), recipe, part


def _rank(one: Result) -> tuple[tuple[str, int, bool], bool, str, int]:
    return one.setting.rank, one.baseline, one.recipe, PARTS_SHOWN.index(one.part)
