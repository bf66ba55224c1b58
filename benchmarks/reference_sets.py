"""UAR of adapted predictions on unseen corpora, by the make-up of the reference set.

    python -m benchmarks.reference_sets --data DIR [--runs runs/unseen-corpus-encoder] [--output results/...json]

DIR holds a folder per corpus. Every test clip is recognised by the model of its fold, which was not trained on its
corpus, with a random reference set of other clips: of the same speaker, or of any speaker of the corpus. Nothing is
trained.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.harness import make_parser, output_argument, runs_arguments, write_results
from overtone import corpora
from overtone.datatypes import Utterance
from overtone.emotions import get_label_map
from overtone.errors import OvertoneError
from overtone.evaluation.metrics import SEED
from overtone.models.branches import extra_features
from overtone.models.network import Model
from overtone.models.reference_adapter import ReferenceAdapter
from overtone.recipe import FUSION, recipe_from_dict
from overtone.training.adapted_predictions import Unadapted, predict_with_sets, unadapted
from overtone.training.feature_cache import load_features
from overtone.training.run_folder import load_network, read_run

LABELS = "7-classes-calm-as-neutral"
FEW, CORPUS_CLIPS = 10, 200
Draw = Callable[[int], Sequence[int]]  # position of a test clip -> positions of its reference clips


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    torch.set_num_threads(1)
    try:
        folders = sorted(options.runs.glob("seed*-fold*"))
        if not folders:
            raise OvertoneError(f"{options.runs}: no finished run; train with: overtone experiment")
        folds = {read_run(folder)["fold"]: measure(folder, options.data, options.cache) for folder in folders}
    except OvertoneError as error:
        print(f"reference_sets: {error}", file=sys.stderr)
        return 1
    names = list(next(iter(folds.values())))
    rows: list[dict[str, Any]] = []
    for name in names:
        by_fold = {fold: values[name] for fold, values in folds.items()}
        rows.append({"references": name, **by_fold, "mean": float(np.mean([*by_fold.values()]))})
        print(f"{name}: {100 * rows[-1]['mean']:.1f}")
    write_results(options.output, {"runs": options.runs.name, "rows": rows}, indent=1, rounded=False)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("reference_sets", __doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of the corpora")
    runs_arguments(parser, "unseen-corpus-encoder")
    output_argument(parser, "reference-sets.json")
    return parser


def measure(folder: Path, data: Path, cache: Path | None) -> dict[str, float]:
    """Return kind of reference set -> UAR on the test clips of a run, in [0, 1].

    Args:
        folder: a finished run of protocol unseen-corpus with a reference adapter.
        data: the folder of the corpora.
        cache: the folder for cached features.

    Raises:
        OvertoneError: the run is not finished or has no reference adapter, or its corpus cannot be read.
    """
    model, run = load_network(folder)
    if not isinstance(model.adapter, ReferenceAdapter):
        raise OvertoneError(f"{folder}: its model has no reference adapter")
    tested = set(run["split"][FUSION]["test"])
    label_map = get_label_map(LABELS)
    corpus = corpora.read_corpus(run["fold"], data / run["fold"]).utterances
    clips = [clip for clip in corpus if clip.clip in tested and clip.emotion in label_map]
    store = load_features(clips, 0, cache, extra=extra_features(recipe_from_dict(run["recipe"], str(folder))))
    truth = np.array([run["emotions"].index(label_map[clip.emotion]) for clip in clips])
    batches = list(unadapted(model, store, range(len(clips))))
    kinds = draws(clips, [run["emotions"][label] for label in truth], np.random.default_rng(SEED))
    return {name: _uar(_predict(model, batches, draw), truth) for name, draw in kinds.items()}


def draws(clips: Sequence[Utterance], emotions: Sequence[str], rng: np.random.Generator) -> dict[str, Draw]:
    """Return name -> how the reference clips of a test clip are drawn; never the clip itself.

    Args:
        clips: the test clips of one corpus.
        emotions: of the clips.
        rng: random generator.
    """
    speakers, labels = np.array([clip.speaker for clip in clips]), np.array(emotions)

    def of_speaker(clip: int) -> np.ndarray:
        return np.setdiff1d(np.flatnonzero(speakers == speakers[clip]), [clip])

    def some(positions: np.ndarray, count: int) -> list[int]:
        return rng.choice(positions, min(count, len(positions)), replace=False).tolist()

    def of_emotion(clip: int, emotion: str) -> list[int]:
        own = of_speaker(clip)
        return some(own[labels[own] == emotion], FEW)

    return {
        "none": lambda clip: [],
        "all other clips of the speaker": lambda clip: of_speaker(clip).tolist(),
        f"{FEW} clips of the speaker": lambda clip: some(of_speaker(clip), FEW),
        "one clip of the speaker": lambda clip: some(of_speaker(clip), 1),
        f"{FEW} neutral clips of the speaker": lambda clip: of_emotion(clip, "neutral"),
        f"{FEW} clips of the speaker, all of the emotion asked for": lambda clip: of_emotion(clip, labels[clip]),
        f"{CORPUS_CLIPS} clips of any speaker of the corpus": lambda clip: some(
            np.setdiff1d(np.arange(len(clips)), [clip]), CORPUS_CLIPS
        ),
    }


@torch.inference_mode()
def _predict(model: Model, batches: Sequence[Unadapted], draw: Draw) -> np.ndarray:
    """Return the adapted probabilities of all test clips, `(clips, emotions)`."""
    assert isinstance(model.adapter, ReferenceAdapter)
    statistics = torch.cat([batch.speaker_features for batch in batches])
    rows, first = [], 0
    for batch in batches:
        sets = [draw(first + k) for k in range(len(batch.probabilities))]
        first += len(sets)
        predictions = predict_with_sets(model, batch.inputs, statistics, sets)
        rows.append(model.adapter(batch.probabilities, *predictions).softmax(-1))
    return torch.cat(rows).numpy()


def _uar(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the UAR of a choice among the classes that occur."""
    present = np.unique(truth)
    predicted = present[probabilities[:, present].argmax(1)]
    return float(np.mean([(predicted[truth == label] == label).mean() for label in present]))


if __name__ == "__main__":
    sys.exit(main())
