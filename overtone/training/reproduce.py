"""The whole paper again: three phases, six figures, both tables; beside it the same models without leaks.

Source: Govindu, "Multimodal Emotion Recognition from Audio".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Utterance
from overtone.evaluation import figures, report
from overtone.evaluation.document import Picture
from overtone.evaluation.report import Report, ScoreRow
from overtone.recipe import PARTS, Recipe
from overtone.training.cross_validation import evaluate, make_run_configs, run_folder, score_oof
from overtone.training.run_config import RunConfig

PROTOCOLS = ("paper", "random", "luna5")
PUBLISHED = {"mel": "59.72 accuracy", "prosody": "67 accuracy", "fusion": "90.28 accuracy, 90.19 macro-F1"}
PUBLISHED_CLASSES = (
    "The paper names as its best and its worst class: angry and neutral for the mel network, calm and neutral for "
    "prosody, disgust and sad for the fusion."
)
WORDS = (
    "The same three models under three protocols. 'paper' splits the clips of each phase for itself, as the paper did: "
    "most clips the fusion is tested on were training clips of the networks it stands on, and the leak audit counts "
    "them. 'random' splits once, by clip: no test clip is seen, every speaker is. 'luna5' tests on actors of whom "
    "nothing was heard in training: this is what to expect of a new voice from the same studio."
)


def score_rows(out: Path, recipe: str) -> list[ScoreRow]:
    """Scores of every protocol and part, beside the figures of the paper, from a folder that `reproduce` filled.

    Args:
        out: that folder.
        recipe: name of the recipe.
    """
    rows = [row for protocol in PROTOCOLS for row in score_oof(out / "oof", protocol, recipe)]
    published = [replace(row, published=PUBLISHED[part]) for part, row in zip(PARTS, rows, strict=False)]
    return published + rows[len(PARTS) :]


def _six_figures(rows: Sequence[ScoreRow], run: Path) -> list[Picture]:
    """Curves and confusion of each part under the protocol of the paper."""
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    pictures = []
    for part, row in zip(PARTS, rows[: len(PARTS)], strict=True):
        curves = figures.curves(history, part, f"{part}: accuracy and loss")
        confusion = figures.confusion(row.scores, f"{part}: confusion")
        pictures.append(Picture(f"curves-{part}.png", f"Accuracy and loss of {part}, first seed", curves))
        pictures.append(
            Picture(f"confusion-{part}.png", f"Confusion of {part}, all seeds; rows are the truth", confusion)
        )
    return pictures


def reproduce(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    out: Path,
    *,
    seeds: Sequence[int] = (0,),
    cache: Path | None = None,
    progress: Progress = silent_progress,
    commands: Mapping[str, Sequence[str]] | None = None,
    jobs: int = 1,
) -> tuple[Path, Path]:
    """Trains what the paper trained, under its protocol and two that do not leak, and reports all side by side.

    Args:
        utterances: the clips of RAVDESS.
        recipe: of the paper, or a variation of it that trains one part per phase.
        out: folder of runs, predictions and report; started again, it goes on where it stood.
        seeds: one rebuild each.
        cache: folder where features are kept; None for that of the user.
        progress: told how far it is.
        commands: with several jobs, protocol -> the command line of one training; see `tasks.training.evaluate`.
        jobs: trainings at a time.

    Returns:
        Paths of `report.md` and `report.html`.

    Raises:
        OptionError: seeds, jobs, recipe or clips that do not fit one of the protocols; before anything is trained.
        CorpusError: clips too few for one of them, or that cannot be read.
        TrainingError: a training failed.
    """
    for protocol in PROTOCOLS:
        make_run_configs(
            utterances, recipe, protocol, seeds
        )  # hours of the first one are lost where the last does not fit
    runs, oof = out / "runs", out / "oof"
    for protocol in PROTOCOLS:
        command = (commands or {}).get(protocol)
        evaluate(
            utterances, recipe, protocol, seeds,
            runs=runs, oof=oof, cache=cache, progress=progress, command=command, jobs=jobs,
        )  # fmt: skip
    rows = score_rows(out, recipe.name)
    pictures = _six_figures(rows, run_folder(runs, RunConfig(recipe, "paper", "1", seeds[0])))
    return report.write(
        Report("The paper, rebuilt and measured", (WORDS, PUBLISHED_CLASSES), tuple(rows), tuple(pictures)), out
    )
