"""How many clips of a speaker are needed: the adapted answers of finished runs, by the number of clips adapted to.

    python -m benchmarks.adaptation --data DIR [--runs runs/luna5-whole] [--output results/adaptation.json]

Every test clip is answered by the network of its fold, adapted to some other clips of the same speaker, drawn by
chance; the clip itself is never among them. Nothing is trained.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from overtone import corpora
from overtone._internal.atomic_write import write_text
from overtone.datatypes import OofPredictions, Utterance
from overtone.errors import OvertoneError
from overtone.evaluation import oof_files
from overtone.evaluation.metrics import SEED, score
from overtone.models.speaker_adapter import SpeakerAdapter
from overtone.training.cross_validation import concatenate
from overtone.training.feature_cache import load_features
from overtone.training.fit_adapter import extract_speaker_features, statistics_tensors
from overtone.training.train import load_network, read_run

PROJECT = Path(__file__).resolve().parent.parent
CLIPS = (0, 1, 3, 5, 10, 20)
UNADAPTED = "nothing (the fusion)"
DRAWS = 5  # of the clips adapted to, for every tested clip
Choice = Callable[[int], Sequence[int]]  # tested clip -> clips of the same speaker to adapt to, both as positions


def main(arguments: list[str] | None = None) -> int:
    """Measures and writes; returns the exit status."""
    options = parser().parse_args(arguments)
    torch.set_num_threads(1)
    try:
        utterances = corpora.read_corpus("ravdess", options.data).utterances
        rows = measured(utterances, sorted(options.runs.glob("seed*-fold*")), options.cache)
    except OvertoneError as error:
        print(f"adaptation: {error}", file=sys.stderr)
        return 1
    write_text(options.out, json.dumps({"runs": options.runs.name, "draws": DRAWS, "rows": rows}, indent=1) + "\n")
    for row in rows:
        print(
            f"{row['adapted_to']}: UAR {100 * row['uar']:.1f} [{100 * row['uar_low']:.1f}, {100 * row['uar_high']:.1f}]"
        )
    return 0


def parser() -> argparse.ArgumentParser:
    """--data --runs --cache --output."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.adaptation", description=__doc__.splitlines()[0])
    made.add_argument("--data", type=Path, required=True, help="the RAVDESS folder")
    made.add_argument("--runs", type=Path, default=PROJECT / "runs" / "luna5-whole", help="folder of finished runs")
    made.add_argument("--cache", type=Path, help="where features are kept; default: the user's cache")
    made.add_argument("--output", type=Path, default=PROJECT / "results" / "adaptation.json")
    return made


def measured(utterances: Sequence[Utterance], folders: Sequence[Path], cache: Path | None) -> list[dict[str, Any]]:
    """A row per kind of choice: what was adapted to, and UAR with its interval over speakers.

    Args:
        utterances: all clips.
        folders: finished runs of models with an adapter, one per fold.
        cache: where features are kept.

    Raises:
        OvertoneError: a run that is not finished or has no adapter, or none at all.
    """
    if not folders:
        raise OvertoneError("no finished run; make them with: overtone evaluate --recipe tuned")
    store = load_features(utterances, 0, cache)
    position = {utterance.clip: index for index, utterance in enumerate(utterances)}
    found: dict[str, list[OofPredictions]] = {}
    for folder in folders:
        network, _ = load_network(folder)
        if network.adapter is None:
            raise OvertoneError(f"{folder}: its model has no adapter")
        tested = [position[clip] for clip in read_run(folder)["split"]["fusion"]["test"]]
        found.setdefault(UNADAPTED, []).append(oof_files.read(folder / "predictions-fusion.csv"))
        voice, clips = extract_speaker_features(network, store, tested), [utterances[index] for index in tested]
        for name, choice, draws in _choices(clips):
            found.setdefault(name, []).append(_answers(network.adapter, voice, clips, choice, draws, folder.name))
    scores = {name: score(concatenate(several), np.random.default_rng(SEED)) for name, several in found.items()}
    return [
        {"adapted_to": name, "uar": one.uar.value, "uar_low": one.uar.low, "uar_high": one.uar.high, "clips": one.clips}
        for name, one in scores.items()
    ]


def _choices(clips: Sequence[Utterance]) -> list[tuple[str, Choice, int]]:
    """Name, choice and number of draws of everything that is compared."""
    rng = np.random.default_rng(SEED)

    def others(tested: int) -> list[int]:
        return [k for k, clip in enumerate(clips) if clip.speaker == clips[tested].speaker and k != tested]

    def some(number: int) -> Choice:
        return lambda tested: rng.choice(others(tested), number, replace=False).tolist()

    def neutral(tested: int) -> list[int]:
        return [k for k in others(tested) if clips[k].emotion == "neutral"]

    names = {0: "no clip, but answered by the adapter", 1: "1 clip"}
    chosen: list[tuple[str, Choice, int]] = [
        (names.get(number, f"{number} clips"), some(number), DRAWS if number else 1) for number in CLIPS
    ]
    return [*chosen, ("all other clips", others, 1), ("all other neutral clips", neutral, 1)]


def _answers(
    adapter: SpeakerAdapter, voice: Tensor, clips: Sequence[Utterance], choice: Choice, draws: int, fold: str
) -> OofPredictions:
    rows = []
    with torch.inference_mode():
        for draw in range(draws):
            for k, clip in enumerate(clips):
                chosen = choice(k)
                usual = (
                    statistics_tensors(voice[chosen]) if chosen else (torch.zeros(2, voice.shape[1]), torch.zeros(1))
                )
                shares = adapter(voice[k : k + 1], *usual).softmax(-1)[0].double().tolist()
                rows.append((clip.clip, clip.speaker, clip.sentence, fold, draw, clip.emotion, *shares))
    emotions = corpora.get_corpus("ravdess").EMOTIONS
    return oof_files.from_rows(emotions, rows)


if __name__ == "__main__":
    sys.exit(main())
