"""Reproduction of the paper: three phases, six figures, both tables; with every clip twice; and without leaks.

Source: Govindu, "Multimodal Emotion Recognition from Audio".
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Utterance
from overtone.evaluation import figures, report
from overtone.evaluation.document import Picture
from overtone.evaluation.protocols import clips_of
from overtone.evaluation.report import Report, ScoreRow
from overtone.recipe import Recipe
from overtone.training.cross_validation import Launcher, evaluate, pending_runs, run_folder, score_oof
from overtone.training.run_config import RunConfig
from overtone.training.time_estimate import Job

PROTOCOLS = ("paper", "paper-duplicated", "random", "luna5")
PAPER_PROTOCOLS = ("paper", "paper-duplicated")  # with the splits of the paper
PUBLISHED = {"mel": "59.72 accuracy", "prosody": "67 accuracy", "fusion": "90.28 accuracy, 90.19 macro-F1"}
PUBLISHED_CLASSES = (
    "The paper names as best and worst class: angry and neutral for the log-mel network, calm and neutral for prosody, "
    "disgust and sad for the fusion."
)
INTRODUCTION = (
    "The same three models under four protocols. 'paper' splits the clips of each phase separately, as the paper did: "
    "most test clips of the fusion were training clips of its branches, and the leak audit counts them. "
    "'paper-duplicated' does the same with every clip twice in the phases of prosody and fusion, as the usual archive "
    "of the corpus holds it; the sizes of the paper's test sets (144, 288 and 288 clips) suggest that it did so. "
    "'random' splits once, by clip: no test clip was trained on, but every speaker was. 'luna5' tests on actors who "
    "are not in the training data: the score to expect for a new voice from the same studio."
)


def score_rows(output: Path, recipe: str) -> list[ScoreRow]:
    """Scores of every protocol and part, with the figures of the paper, from a folder that `reproduce` filled.

    Args:
        output: that folder.
        recipe: name of the recipe.
    """
    rows = [row for protocol in PROTOCOLS for row in score_oof(output / "oof", protocol, recipe)]
    return [replace(row, published=PUBLISHED[row.part]) if row.protocol in PAPER_PROTOCOLS else row for row in rows]


def _six_figures(rows: Sequence[ScoreRow], run: Path) -> list[Picture]:
    """Training curves and confusion matrix of each part under the protocol of the paper."""
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    pictures = []
    for row in (row for row in rows if row.protocol == "paper"):
        part = row.part
        curves = figures.curves(history, part, f"{part}: accuracy and loss")
        confusion = figures.confusion(row.scores, f"{part}: confusion")
        pictures.append(Picture(f"curves-{part}.png", f"Accuracy and loss of {part}, first seed", curves))
        pictures.append(
            Picture(f"confusion-{part}.png", f"Confusion of {part}, all seeds; rows are the truth", confusion)
        )
    return pictures


def pending_jobs(utterances: Sequence[Utterance], recipe: Recipe, output: Path, seeds: Sequence[int]) -> list[Job]:
    """The training runs of each protocol that are not finished; arguments and errors as in `reproduce`."""
    runs = output / "runs"
    return [
        Job(clips_of(protocol, utterances), pending_runs(utterances, recipe, protocol, seeds, runs))
        for protocol in PROTOCOLS
    ]


def reproduce(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    output: Path,
    *,
    seeds: Sequence[int] = (0,),
    cache: Path | None = None,
    progress: Progress = silent_progress,
    launcher: Launcher | None = None,
    processes: int = 1,
    tensorboard: bool = False,
) -> tuple[Path, Path]:
    """Train the paper's models under its protocol and two without leaks, and report all results together.

    Args:
        utterances: the clips of RAVDESS.
        recipe: that of the paper, or a variation that trains one part per phase.
        output: folder of runs, predictions and report; a second call resumes.
        seeds: one reproduction each.
        cache: cache folder for features; None for that of the user.
        progress: called after each step.
        launcher: starts one training run; used with several processes.
        processes: number of parallel training runs.
        tensorboard: whether each run in this process writes event files into its folder; a launcher decides by itself.

    Returns:
        Paths of `report.md` and `report.html`.

    Raises:
        OptionError: seeds, processes, recipe or clips that do not fit one of the protocols; before anything is trained.
        CorpusError: too few clips for a protocol, or clips that cannot be read.
        TrainingError: a training run failed.
    """
    pending_jobs(utterances, recipe, output, seeds)  # all checks first: the first protocol takes hours
    runs, oof = output / "runs", output / "oof"
    for protocol in PROTOCOLS:
        evaluate(
            utterances, recipe, protocol, seeds,
            runs=runs, oof=oof, cache=cache, progress=progress, launcher=launcher, processes=processes,
            tensorboard=tensorboard,
        )  # fmt: skip
    rows = score_rows(output, recipe.name)
    pictures = _six_figures(rows, run_folder(runs, RunConfig(recipe, "paper", "1", seeds[0])))
    title = "The paper, reproduced and measured"
    return report.write(Report(title, (INTRODUCTION, PUBLISHED_CLASSES), tuple(rows), tuple(pictures)), output)
