"""Read everything in `results/` that the score tables are made from."""

from dataclasses import dataclass
from pathlib import Path

from overtone.errors import InputError
from tools.report import ablation_table, published_results
from tools.report.ablation_table import Ablation
from tools.report.oof_results import Result, read_results
from tools.report.published_results import Section


@dataclass(frozen=True)
class Inputs:
    """The content of `results/`.

    Attributes:
        folder: the folder itself; the tables of the benchmarks read their files from it.
        sections: published results.
        ablations: ablations and their references.
        results: scored out-of-fold predictions.
        main_results: the same without ablations whose reference was measured.
    """

    folder: Path
    sections: tuple[Section, ...]
    ablations: tuple[Ablation, ...]
    results: list[Result]
    main_results: list[Result]


def read_inputs(folder: Path) -> Inputs:
    """Return the content of `results/`; missing files count as empty.

    Raises:
        InputError: there is no such folder, or a file in it is damaged.
    """
    if not folder.is_dir():
        raise InputError(f"no folder {folder}: run this in the project folder")
    sections = published_results.read(folder / "published_results.json")
    ablations = ablation_table.read(folder / "ablations.json")
    results = read_results(folder / "oof")
    return Inputs(folder, sections, ablations, results, ablation_table.without_ablations(results, ablations))
