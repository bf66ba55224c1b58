"""Labelled clips -> a run folder with a trained, tested and exported model.

A run folder holds

    run.json               recipe, seed, protocol, fold, split by clip, leak audit, versions
    checkpoint.safetensors all that an interrupted training needs to go on
    history.json           a row per part and epoch
    weights.safetensors    the best weights
    predictions-PART.csv   answers for the test side, none where there is no test side
    report.md, report.html scores and figures of the test side, or of the validation side where there is no other
    model.onnx             the exported model with its card
"""

import importlib.metadata
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from overtone import splits
from overtone.audio.read import read
from overtone.corpora import corpus_named
from overtone.emotions import EMOTIONS
from overtone.errors import CorpusError, OptionError, TrainingError
from overtone.metrics import score
from overtone.models import build
from overtone.models.network import Network
from overtone.outputs import figures, predictions, report
from overtone.outputs.document import Picture
from overtone.outputs.whole import write_text
from overtone.recipe import PARTS, Recipe
from overtone.tasks import checkpoint
from overtone.tasks.loop import answer, fit
from overtone.tasks.prepare import FeatureStore, prepare
from overtone.tasks.progress import Progress, silent_progress
from overtone.values import LeakAudit, Predictions, Split, Utterance

VERSIONED = ("numpy", "torch", "onnx", "onnxruntime", "onnxscript", "scikit-learn", "soundfile", "soxr")


@dataclass(frozen=True)
class Plan:
    """What one training is to do.

    Attributes:
        recipe: how.
        protocol: a name in `splits.PROTOCOLS`.
        fold: name of a fold of that protocol; the `paper` protocol has no folds but a split per part: "1".
        seed: of the split (where it depends on one), the weights and all draws.
    """

    recipe: Recipe
    protocol: str
    fold: str
    seed: int


def versions() -> dict[str, str]:
    """Package -> version, of everything that has a say in a result."""
    found = {name: importlib.metadata.version(name) for name in VERSIONED}
    return {"python": platform.python_version(), "overtone": importlib.metadata.version("overtone"), **found}


def fold_names(protocol: str, utterances: Sequence[Utterance], seed: int) -> tuple[str, ...]:
    """Names of the trainings that a protocol takes."""
    return ("1",) if protocol == "paper" else tuple(fold.fold for fold in splits.folds(protocol, utterances, seed))


def splits_of(plan: Plan, utterances: Sequence[Utterance]) -> dict[str, Split]:
    """Part -> its split.

    Raises:
        OptionError: no such protocol or fold, or a recipe that trains parts together which the protocol splits apart.
    """
    if plan.protocol == "paper":
        if any(len(phase) > 1 for phase in plan.recipe.phases):
            raise OptionError(
                f"protocol 'paper' splits each part for itself, and recipe '{plan.recipe.name}' trains several "
                "together; take recipe 'paper', or another protocol"
            )
        return splits.paper_phases(utterances, plan.seed)
    found = {split.fold: split for split in splits.folds(plan.protocol, utterances, plan.seed)}
    if plan.fold not in found:
        raise OptionError(f"protocol '{plan.protocol}' has no fold '{plan.fold}'; it has {', '.join(found)}")
    return dict.fromkeys(PARTS, found[plan.fold])


def audits_of(parts: dict[str, Split], utterances: Sequence[Utterance]) -> dict[str, LeakAudit]:
    """Part -> what its test side shares with the clips that it, or any part below it, was trained or chosen on."""

    def used(names: Sequence[str]) -> set[int]:
        return {index for name in names for index in (*parts[name].train, *parts[name].validation)}

    return {
        part: splits.audit(utterances, parts[part].test, used(PARTS if part == "fusion" else [part])) for part in PARTS
    }


def emotions_of(utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """The classes of these clips, in the order of the vocabulary.

    Raises:
        CorpusError: fewer than two.
    """
    present = {utterance.emotion for utterance in utterances}
    if len(present) < 2:
        raise CorpusError(f"training needs clips of two emotions at least, found {', '.join(present) or 'no clip'}")
    return tuple(emotion for emotion in EMOTIONS if emotion in present)


def answers_for(
    network: Network, store: FeatureStore, utterances: Sequence[Utterance], split: Split, part: str, seed: int
) -> Predictions | None:
    """Answers of one part for the test side; None where that is empty."""
    if not split.test:
        return None
    probabilities = answer(network, store, split.test)[part].double().softmax(-1).numpy()
    fold = "1" if split.protocol == "paper" else split.fold
    rows = [
        (u.clip, u.speaker, u.sentence, fold, seed, u.emotion, *p)
        for u, p in zip((utterances[index] for index in split.test), probabilities, strict=True)
    ]
    return predictions.from_rows(emotions_of(utterances), rows)


def training_data(utterances: Sequence[Utterance]) -> list[dict[str, Any]]:
    """A row per corpus for the model's card: clips, speakers, licence, citation."""
    rows = []
    for name in sorted({utterance.corpus for utterance in utterances}):
        clips = [utterance for utterance in utterances if utterance.corpus == name]
        about = corpus_named(name).ABOUT
        rows.append(
            {
                "corpus": name,
                "clips": len(clips),
                "speakers": len({clip.speaker for clip in clips}),
                "licence": about.licence,
                "citation": about.citation,
            }
        )
    return rows


def _write_json(path: Path, values: Any) -> None:
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def _begin(folder: Path, plan: Plan, described: dict[str, Any], resume: bool) -> None:
    """Makes the run folder, or sees that a resumed one is of the same plan."""
    path = folder / "run.json"
    if path.is_file():
        if not resume:
            raise TrainingError(f"{folder} holds a training already; give --resume to go on, or another folder")
        before = json.loads(path.read_text(encoding="utf-8"))
        for key in ("recipe", "protocol", "fold", "seed", "split"):
            if before[key] != described[key]:
                raise TrainingError(f"{folder} holds a training with another {key}; take another folder")
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(path, described)


def _report(folder: Path, plan: Plan, history: list[dict[str, Any]], audits: dict[str, LeakAudit]) -> None:
    rows, pictures = [], []
    for part in PARTS:
        pictures.append(
            Picture(f"curves-{part}.png", f"Accuracy and loss of {part}", figures.curves(history, part, f"{part}"))
        )
        path = folder / f"predictions-{part}.csv"
        if path.is_file():
            found = score(predictions.read(path), np.random.default_rng(plan.seed))
            rows.append(report.Row(f"{plan.recipe.name}, {part}", plan.protocol, found, audits[part]))
            picture = figures.confusion(found, f"{part}, {plan.protocol}")
            pictures.append(Picture(f"confusion-{part}.png", f"Confusion of {part} (rows are the truth)", picture))
    words = f"Recipe {plan.recipe.name}, protocol {plan.protocol}, fold {plan.fold}, seed {plan.seed}."
    report.write(report.Report(f"Training {folder.name}", (words,), tuple(rows), tuple(pictures)), folder)


def finished(folder: Path) -> bool:
    """Whether the training in this folder has come to its end."""
    return (folder / "weights.safetensors").is_file() and (folder / "report.html").is_file()


def load_network(folder: Path) -> tuple[Network, dict[str, Any]]:
    """The trained network of a finished run folder, on the CPU, and what its run.json says.

    Raises:
        TrainingError: the training has not come to its end, or its files are damaged.
    """
    from overtone.recipe import from_dict

    if not finished(folder):
        raise TrainingError(f"{folder} holds no finished training; run it to its end with --resume")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    network = build(from_dict(run["recipe"], str(folder / "run.json")), len(run["emotions"]))
    checkpoint.load_weights(folder / "weights.safetensors", network)
    return network.eval(), run


def train(
    utterances: Sequence[Utterance],
    plan: Plan,
    folder: Path,
    *,
    resume: bool = False,
    cache: Path | None = None,
    progress: Progress = silent_progress,
) -> Path:
    """Trains, tests and reports one model; `tasks.export` makes the file to recognise with.

    Args:
        utterances: the labelled clips.
        plan: what to do.
        folder: run folder; made where it does not exist.
        resume: go on where a killed training stood.
        cache: folder where features are kept; None for that of the user.
        progress: told about each clip measured and each epoch.

    Returns:
        The run folder.

    Raises:
        TrainingError: the folder holds another training, or this one and `resume` is False.
        CorpusError: clips that cannot be read, or not enough of them.
    """
    emotions = emotions_of(utterances)
    parts = splits_of(plan, utterances)
    audits = audits_of(parts, utterances)
    described = {
        "recipe": plan.recipe.as_dict(),
        "protocol": plan.protocol,
        "fold": plan.fold,
        "seed": plan.seed,
        "emotions": list(emotions),
        "training_data": training_data(utterances),
        "audits": {part: asdict(found) for part, found in audits.items()},
        "split": {
            part: {side: [utterances[i].clip for i in getattr(split, side)] for side in ("train", "validation", "test")}
            for part, split in parts.items()
        },
        "versions": versions(),
    }
    described = json.loads(json.dumps(described))  # tuples become lists, as they will be when read again
    _begin(folder, plan, described, resume)
    if finished(folder):
        return folder
    store = prepare(utterances, plan.recipe.wave_variants, cache, progress)
    labels = np.array([emotions.index(utterance.emotion) for utterance in utterances])
    torch.manual_seed(plan.seed)
    network = build(plan.recipe, len(emotions))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    path = folder / "checkpoint.safetensors"
    history = fit(
        network, store, labels, parts, plan.recipe, seed=plan.seed, path=path, device=device, progress=progress
    )
    network.cpu()
    _write_json(folder / "history.json", history)
    for part in PARTS:
        found = answers_for(network, store, utterances, parts[part], part, plan.seed)
        if found is not None:
            predictions.write(found, folder / f"predictions-{part}.csv")
    checkpoint.save_weights(folder / "weights.safetensors", network)
    _report(folder, plan, history, audits)
    path.unlink(missing_ok=True)
    return folder


def clips_to_check(utterances: Sequence[Utterance], count: int = 6) -> list:
    """Sound of a few clips of different lengths, to hold an export against the network."""
    step = max(1, len(utterances) // count)
    chosen = [utterances[index] for index in range(0, len(utterances), step)][:count]
    return [read(u.path, start_s=u.start_s, end_s=u.end_s) for u in chosen]
