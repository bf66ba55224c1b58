"""Read `results/oof` and score every file of out-of-fold predictions, in the order of the tables.

Files in the folder itself are RAVDESS with its eight emotions, or of `unseen-corpus`, which tests several corpora; a
subfolder names another set of clips or classes.
Scores are compared within one evaluation condition only: "luna5", "emodb/loso", or "luna5/adapted" for models adapted
to unlabelled clips of the test speaker.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overtone.datatypes import OofPredictions
from overtone.errors import InputError, suggest
from overtone.evaluation import oof_files
from overtone.evaluation.metrics import SEED, score
from overtone.evaluation.oof_files import RunRecord
from overtone.evaluation.protocols import PROTOCOLS
from overtone.evaluation.report import ScoreRow

PROTOCOL_ORDER = tuple(dict.fromkeys(("unseen-corpus", "luna5", "emobox6", "loso", "sentence", "cross", *PROTOCOLS)))
PART_ORDER = ("fusion", "svm", "adapted", "member")  # branches follow, by name
FULL_MODEL_PARTS = ("fusion", "svm", "adapted")  # the others are branches or single members of a model
BASELINE_PART, ADAPTED_PART, MEMBER_PART = "svm", "adapted", "member"
PAPER_RECIPE = "paper"
# Bundled model -> its recipe, trained on several corpora, and the same for data of one corpus.
BUNDLED_RECIPES = {"overtone": ("encoder", "encoder-one-corpus"), "lite": ("lite", "lite-one-corpus")}


@dataclass(frozen=True)
class EvaluationCondition:
    """What two scores must have in common to be comparable.

    Attributes:
        data: name of the clips and classes; "" for RAVDESS with its eight emotions, and for `unseen-corpus`.
        protocol: a name in `overtone.evaluation.protocols.PROTOCOLS`.
        adapted: whether the model was adapted to unlabelled clips of the test speaker.
    """

    data: str
    protocol: str
    adapted: bool = False

    def __str__(self) -> str:
        return f"{self.qualified_protocol}/{ADAPTED_PART}" if self.adapted else self.qualified_protocol

    @property
    def qualified_protocol(self) -> str:
        """Data and protocol, such as "emodb/loso", whether adapted or not."""
        return f"{self.data}/{self.protocol}" if self.data else self.protocol

    @property
    def sort_key(self) -> tuple[str, int, bool]:
        """Position among other conditions: RAVDESS first, speaker-independent protocols first."""
        return self.data, PROTOCOL_ORDER.index(self.protocol), self.adapted

    @property
    def group_title(self) -> str:
        """Title of the table that shows this condition; "" for RAVDESS without speaker adaptation."""
        data = f"Other data: {self.data}" if self.data else ""
        if not self.adapted:
            return data
        return f"{data}, speaker-adapted" if data else "Speaker-adapted"


PAPER_CONDITION = EvaluationCondition("", "paper")
DUPLICATED_CONDITION = EvaluationCondition("", "paper-duplicated")


@dataclass(frozen=True)
class Result:
    """One CSV of out-of-fold predictions with its scores.

    Attributes:
        condition: the condition it was measured under.
        recipe: name of the recipe.
        part: name of the part, such as "fusion".
        baseline: whether the recipe is one of `benchmarks/baselines`.
        source: path of the file, relative to the project folder.
        predictions: content of the file.
        row: scores of the predictions.
        record: content of the JSON file of the same recipe; None where there is none.
    """

    condition: EvaluationCondition
    recipe: str
    part: str
    baseline: bool
    source: str
    predictions: OofPredictions
    row: ScoreRow
    record: RunRecord | None

    @property
    def file_stem(self) -> str:
        """Start of the names of its figures, such as "luna5-adapted-overtone"."""
        return f"{self.condition}-{self.recipe}".replace("/", "-")

    @property
    def is_own(self) -> bool:
        """Whether the recipe is neither a baseline nor the paper's."""
        return not self.baseline and self.recipe != PAPER_RECIPE

    @property
    def is_full_model(self) -> bool:
        """Whether these are the predictions of a full model rather than of one branch or member."""
        return self.part in FULL_MODEL_PARTS


def parse_condition(name: str) -> EvaluationCondition:
    """Return the condition of a name such as "emodb/loso" or "luna5/adapted".

    Raises:
        InputError: no such protocol.
    """
    adapted = name.endswith(f"/{ADAPTED_PART}")
    data, _, protocol = (name.removesuffix(f"/{ADAPTED_PART}") if adapted else name).rpartition("/")
    if protocol not in PROTOCOLS:
        raise InputError(f"no protocol '{protocol}' in '{name}'{suggest(protocol, PROTOCOLS)}")
    return EvaluationCondition(data, protocol, adapted)


def read_results(folder: Path) -> list[Result]:
    """Return all results below `results/oof`, sorted by condition; own recipes before baselines, full models first.

    Args:
        folder: folder of the CSV and JSON files.

    Raises:
        InputError: the name or the content of a file is invalid; the message names the file.
    """
    folder = Path(folder)
    files = [(path, *_parse_file_name(path, folder)) for path in sorted(folder.rglob("*.csv"))]
    baselines = {recipe for _, _, recipe, part in files if part == BASELINE_PART}
    results = []
    for path, condition, recipe, part in files:
        predictions = oof_files.read(path)
        record_path = oof_files.record_path(path.parent, condition.protocol, recipe)
        record = oof_files.read_record(record_path) if record_path.is_file() else None
        kind = "baseline" if recipe in baselines else "recipe"
        row = ScoreRow(
            f"{recipe} {kind}" if part == BASELINE_PART else f"{recipe} {kind}, {part}",
            condition.qualified_protocol,
            score(predictions, np.random.default_rng(SEED), mean_of_folds=PROTOCOLS[condition.protocol].mean_of_folds),
            record.parts.get(part) if record else None,
        )
        source = f"results/oof/{path.relative_to(folder).as_posix()}"
        results.append(Result(condition, recipe, part, recipe in baselines, source, predictions, row, record))
    return sorted(results, key=_sort_key)


def group_by_title(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Return title -> results that may share a table."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.condition.group_title, []).append(result)
    return groups


def group_by_condition(results: Sequence[Result]) -> dict[EvaluationCondition, list[Result]]:
    """Return condition -> its results."""
    groups: dict[EvaluationCondition, list[Result]] = {}
    for result in results:
        groups.setdefault(result.condition, []).append(result)
    return groups


def _parse_file_name(path: Path, folder: Path) -> tuple[EvaluationCondition, str, str]:
    protocol, recipe, part = oof_files.parse_csv_path(path)
    data = path.parent.relative_to(folder).as_posix()
    return EvaluationCondition("" if data == "." else data, protocol, part == ADAPTED_PART), recipe, part


def _sort_key(result: Result) -> tuple[tuple[str, int, bool], bool, str, tuple[int, str]]:
    return result.condition.sort_key, result.baseline, result.recipe, _part_rank(result.part)


def _part_rank(part: str) -> tuple[int, str]:
    """Return the position of a part among others; parts that `PART_ORDER` does not list come last, by name."""
    return PART_ORDER.index(part) if part in PART_ORDER else len(PART_ORDER), part
