"""UAR of the adapted predictions of finished runs, by the number of clips that the model is adapted to.

    python -m benchmarks.adaptation --data DIR [--runs runs/luna5-overtone] [--output results/adaptation.json]

Every test clip is recognised by the network of its fold, adapted to a random selection of other clips of the same
speaker. Nothing is trained.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import make_parser, output_argument, runs_arguments, write_results
from overtone import corpora
from overtone.datatypes import OofPredictions, Utterance
from overtone.errors import OvertoneError
from overtone.evaluation import oof_files
from overtone.evaluation.metrics import SEED, score
from overtone.models.speaker_adapter import SpeakerAdapter
from overtone.training.adapted_predictions import extract_speaker_features, statistics_tensors
from overtone.training.cross_validation import concatenate
from overtone.training.feature_cache import load_features
from overtone.training.run_folder import load_network, read_run

REFERENCE_COUNTS = (0, 1, 3, 5, 10, 20)
UNADAPTED = "no adaptation (fusion)"
RANDOM_SUBSETS = 5  # of reference clips, per test clip
Selection = Callable[[int], Sequence[int]]  # test clip -> reference clips of the same speaker, all as positions


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    torch.set_num_threads(1)
    try:
        utterances = corpora.read_corpus("ravdess", options.data).utterances
        rows = measure(utterances, sorted(options.runs.glob("seed*-fold*")), options.cache)
    except OvertoneError as error:
        print(f"adaptation: {error}", file=sys.stderr)
        return 1
    results = {"runs": options.runs.name, "random_subsets": RANDOM_SUBSETS, "rows": rows}
    write_results(options.output, results, indent=1, rounded=False)
    for row in rows:
        print(
            f"{row['adapted_to']}: UAR {100 * row['uar']:.1f} [{100 * row['uar_low']:.1f}, {100 * row['uar_high']:.1f}]"
        )
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("adaptation", __doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of the RAVDESS clips")
    runs_arguments(parser, "luna5-overtone")
    output_argument(parser, "adaptation.json")
    return parser


def measure(utterances: Sequence[Utterance], folders: Sequence[Path], cache: Path | None) -> list[dict[str, Any]]:
    """Return a row per selection of reference clips: its name, and the UAR with its interval over speakers.

    Args:
        utterances: all clips.
        folders: finished runs of models with a speaker adapter, one per fold.
        cache: the folder for cached features.

    Raises:
        OvertoneError: a run is not finished or has no speaker adapter, or there are no runs.
    """
    if not folders:
        raise OvertoneError("no finished run; train with: overtone evaluate --recipe overtone")
    store = load_features(utterances, 0, cache)
    position = {utterance.clip: index for index, utterance in enumerate(utterances)}
    tables: dict[str, list[OofPredictions]] = {}
    for folder in folders:
        network, _ = load_network(folder)
        if not isinstance(network.adapter, SpeakerAdapter):
            raise OvertoneError(f"{folder}: its model has no speaker adapter")
        test = [position[clip] for clip in read_run(folder)["split"]["fusion"]["test"]]
        tables.setdefault(UNADAPTED, []).append(oof_files.read(folder / "predictions-fusion.csv"))
        features, clips = extract_speaker_features(network, store, test), [utterances[index] for index in test]
        for name, selection, repeats in _selections(clips):
            predictions = _predict(network.adapter, features, clips, selection, repeats, folder.name)
            tables.setdefault(name, []).append(predictions)
    scores = {name: score(concatenate(parts), np.random.default_rng(SEED)) for name, parts in tables.items()}
    return [
        {"adapted_to": name, "uar": s.uar.value, "uar_low": s.uar.low, "uar_high": s.uar.high, "clips": s.clips}
        for name, s in scores.items()
    ]


def _selections(clips: Sequence[Utterance]) -> list[tuple[str, Selection, int]]:
    """Return name, selection and number of repeats of everything that is compared."""
    rng = np.random.default_rng(SEED)

    def others(test_clip: int) -> list[int]:
        return [k for k, clip in enumerate(clips) if clip.speaker == clips[test_clip].speaker and k != test_clip]

    def random_subset(count: int) -> Selection:
        return lambda test_clip: rng.choice(others(test_clip), count, replace=False).tolist()

    def neutral(test_clip: int) -> list[int]:
        return [k for k in others(test_clip) if clips[k].emotion == "neutral"]

    names = {0: "0 clips (adapter without speaker statistics)", 1: "1 clip"}
    random_selections: list[tuple[str, Selection, int]] = [
        (names.get(count, f"{count} clips"), random_subset(count), RANDOM_SUBSETS if count else 1)
        for count in REFERENCE_COUNTS
    ]
    return [*random_selections, ("all other clips", others, 1), ("all other neutral clips", neutral, 1)]


def _predict(
    adapter: SpeakerAdapter,
    speaker_features: Tensor,
    clips: Sequence[Utterance],
    selection: Selection,
    repeats: int,
    fold: str,
) -> OofPredictions:
    """Return the adapted predictions for all clips, `repeats` times with the repeat as seed."""
    unknown = torch.zeros(2, speaker_features.shape[1]), torch.zeros(1)
    rows = []
    with torch.inference_mode():
        for repeat in range(repeats):
            for k, clip in enumerate(clips):
                reference = selection(k)
                statistics = statistics_tensors(speaker_features[reference]) if reference else unknown
                logits = adapter(speaker_features[k : k + 1], *statistics)
                probabilities = logits.softmax(-1)[0].double().tolist()
                keys = (clip.clip, clip.corpus, clip.speaker, clip.sentence, fold, repeat, clip.emotion)
                rows.append((*keys, *probabilities))
    return oof_files.from_rows(corpora.get_corpus("ravdess").INFO.emotions, rows)


if __name__ == "__main__":
    sys.exit(main())
