"""Fine-tuning on few clips of an unseen corpus, compared with the model as it is and with a linear classifier.

    python -m benchmarks.finetune --data ../shared/data --runs runs

For each corpus, the model was trained without it: `RUNS/without-CORPUS/model.onnx`. A draw takes SIZE clips of each
class, as evenly as possible of three random speakers, or of as many more as are needed for so many clips while three
remain to be tested; where there are too few clips even so, it takes all of them. The speakers of a smaller size are
among those of a larger one. All clips of the other speakers are tested:

- bundled: the model as it is, among the classes of the corpus.
- linear: logistic regression on the statistics of the encoder, standardised, from scratch; its regularisation is chosen
  by cross-validation over the speakers of the draw.
- fine-tuned: as `overtone finetune` does it.

The result, a row per draw, is written after each draw to `results/finetune.json`; a program that was stopped continues.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.harness import make_parser, read_stored, write_results
from overtone.corpora import read_corpus
from overtone.corpora.label_mapping import apply_label_map, present_emotions
from overtone.datatypes import Utterance
from overtone.emotions import get_label_map
from overtone.errors import OvertoneError
from overtone.evaluation.speaker_folds import Folds, make_folds
from overtone.models.network import Model
from overtone.recipe import FUSION, read_recipe
from overtone.training.feature_cache import FeatureStore, load_features
from overtone.training.finetune import RECIPE
from overtone.training.finetune_loop import OwnClips, stack_statistics
from overtone.training.finetune_networks import cross_validate, train_on_all
from overtone.training.loop import predict_logits
from overtone.training.onnx_import import ImportedModel, import_onnx
from overtone.training.targets import make_targets

CORPORA = ("ravdess", "emodb", "emovo", "nemo", "ased")
LABELS = "7-classes-calm-as-neutral"
SIZES, DRAWS = (5, 10, 25, 50, 100), 5
SPEAKERS, TESTED_SPEAKERS = 3, 3
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)  # inverse regularisation strengths of the linear classifier
RESULTS = Path(__file__).resolve().parent.parent / "results" / "finetune.json"


def draw(utterances: Sequence[Utterance], size: int, seed: int) -> tuple[list[int], list[int]]:
    """Positions of the training clips and of the test clips of a draw.

    Args:
        utterances: of one corpus.
        size: number of clips of each class.
        seed: of the draw; the same speakers and clips come first for every size.
    """
    rng = np.random.default_rng(seed)
    speakers = rng.permutation(sorted({utterance.speaker for utterance in utterances})).tolist()
    order = rng.permutation(len(utterances)).tolist()
    clips_of: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for i in order:
        clips_of[utterances[i].emotion, utterances[i].speaker].append(i)
    emotions, most = present_emotions(utterances), max(SPEAKERS, len(speakers) - TESTED_SPEAKERS)
    count = SPEAKERS
    while count < most and any(sum(len(clips_of[e, s]) for s in speakers[:count]) < size for e in emotions):
        count += 1
    chosen = speakers[:count]
    train = [i for emotion in emotions for i in _in_turn([clips_of[emotion, s] for s in chosen])[:size]]
    return sorted(train), [i for i, utterance in enumerate(utterances) if utterance.speaker not in chosen]


def _in_turn(rows: Sequence[Sequence[int]]) -> list[int]:
    """The first of each row, then the second of each, and so on."""
    longest = max(map(len, rows), default=0)
    return [row[k] for k in range(longest) for row in rows if k < len(row)]


def select(clips: OwnClips, positions: Sequence[int]) -> OwnClips:
    """Some of the clips."""
    utterances = [clips.utterances[i] for i in positions]
    rows = clips.store.positions or range(len(clips.store))
    store = replace(clips.store, positions=tuple(rows[i] for i in positions))
    targets = make_targets(utterances, clips.emotions)
    return OwnClips(utterances, clips.emotions, store, targets, clips.statistics[:, torch.tensor(positions)])


def uar(predicted: np.ndarray, truth: np.ndarray) -> float:
    """The mean recall of the classes, in [0, 1]."""
    return float(np.mean([(predicted[truth == k] == k).mean() for k in np.unique(truth)]))


def predict(model: Model, emotions: Sequence[str], clips: OwnClips, store: FeatureStore) -> np.ndarray:
    """Positions of the predicted classes among those of the corpus, `(clips,)`."""
    columns = [list(emotions).index(emotion) for emotion in clips.emotions]
    logits = predict_logits(model, store, range(len(store)))[FUSION]
    return logits[:, columns].argmax(-1).numpy()


def linear(train: OwnClips, test: OwnClips, folds: Folds) -> np.ndarray:
    """Predictions of a logistic regression on the standardised statistics of the training clips, `(test clips,)`."""
    from sklearn.linear_model import LogisticRegression

    values, truth = train.statistics[0].numpy(), train.targets.truth.numpy()

    def fit_and_predict(penalty: float, fitted: Sequence[int], others: np.ndarray) -> np.ndarray:
        own = values[list(fitted)]
        mean, scale = own.mean(0), own.std(0).clip(1e-6)
        classifier = LogisticRegression(C=penalty, max_iter=1000, class_weight="balanced")
        classifier.fit((own - mean) / scale, truth[list(fitted)])
        return np.asarray(classifier.predict((others - mean) / scale))

    def validated(penalty: float) -> float:
        rows = [
            (split, fit_and_predict(penalty, split.train, values[list(split.validation)])) for split in folds.splits
        ]
        predicted = np.concatenate([row for _, row in rows])
        return uar(predicted, np.concatenate([truth[list(split.validation)] for split, _ in rows]))

    best = max(PENALTIES, key=validated)
    return fit_and_predict(best, range(len(values)), test.statistics[0].numpy())


def measure(start: ImportedModel, clips: OwnClips, size: int, seed: int) -> dict[str, Any]:
    """The scores of one draw."""
    began = time.perf_counter()
    positions, tested = draw(clips.utterances, size, seed)
    train, test = select(clips, positions), select(clips, tested)
    folds, truth = make_folds(train.utterances), test.targets.truth.numpy()
    validated = cross_validate(start, train, folds, read_recipe(RECIPE), seed)
    model = train_on_all(start, train, read_recipe(RECIPE), validated, seed)
    expected = validated.log_probabilities.argmax(-1).numpy()
    return {
        "size": size,
        "draw": seed,
        "clips": len(positions),
        "speakers": len({utterance.speaker for utterance in train.utterances}),
        "test_clips": len(tested),
        "test_speakers": len({utterance.speaker for utterance in test.utterances}),
        "epochs": validated.epochs,
        "bundled": round(uar(predict(start.model, start.card["emotions"], test, test.store), truth), 4),
        "linear": round(uar(linear(train, test, folds), truth), 4),
        "finetuned": round(uar(predict(model, clips.emotions, test, test.store), truth), 4),
        "expected": round(uar(expected, train.targets.truth[validated.positions].numpy()), 4),
        "seconds": round(time.perf_counter() - began, 1),
    }


def read_clips(corpus: str, data: Path, start: ImportedModel, cache: Path | None) -> OwnClips:
    """All clips of a corpus with their features."""
    utterances, _ = apply_label_map(read_corpus(corpus, data / corpus).utterances, get_label_map(LABELS))
    emotions = present_emotions(utterances)
    variants = read_recipe(RECIPE).wave_variants
    store = load_features(utterances, variants, cache, extra=start.architecture.extra)
    return OwnClips(utterances, emotions, store, make_targets(utterances, emotions), stack_statistics(store))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing in the results; returns the exit code."""
    parser = make_parser("finetune", __doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="Folder of the corpora.")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="Folder of without-CORPUS/model.onnx.")
    parser.add_argument("--corpora", nargs="+", default=CORPORA, choices=CORPORA, help="Corpora (default: all).")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="Clips per class (default: %(default)s).")
    parser.add_argument("--draws", type=int, default=DRAWS, help="Draws per corpus and size (default: %(default)s).")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="Cache of features (default: the user's cache).")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE", help="The results.")
    args = parser.parse_args(arguments)
    try:
        rows = read_stored(args.output, lambda content: content["draws"])
    except OvertoneError as error:
        print(f"finetune: {error}", file=sys.stderr)
        return 1
    done = {(row["corpus"], row["size"], row["draw"]) for row in rows}
    torch.set_num_threads(1)
    for corpus in args.corpora:
        wanted = [(size, seed) for size in args.sizes for seed in range(args.draws)]
        missing = [key for key in wanted if (corpus, *key) not in done]
        model = args.runs / f"without-{corpus}" / "model.onnx"
        if not missing or not model.is_file():
            print(f"{corpus}: {'finished' if not missing else f'no {model}'}", file=sys.stderr, flush=True)
            continue
        start = import_onnx(model)
        clips = read_clips(corpus, args.data, start, args.cache)
        for size, seed in missing:
            rows.append({"corpus": corpus, **measure(start, clips, size, seed)})
            write_results(args.output, {"labels": LABELS, "draws": rows}, indent=1, rounded=False)
            print(rows[-1], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
