"""What one training is to do: recipe, protocol, fold and seed; and what that means for the clips at hand."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from overtone._internal.fingerprint import FEATURES, fingerprint
from overtone.corpora import get_corpus
from overtone.datatypes import LeakAudit, Split, Utterance
from overtone.emotions import EMOTIONS
from overtone.errors import CorpusError, MissingExtraError, OptionError, suggest
from overtone.evaluation import leakage, protocols
from overtone.recipe import PARTS, Recipe

# All that has a say in a result or is needed at the end of a training, so that none is missed only then.
VERSIONED = (
    *("numpy", "torch", "onnx", "onnxruntime", "onnxscript", "scikit-learn", "soundfile", "soxr"),
    *("safetensors", "matplotlib"),
)
SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class RunConfig:
    """What one training is to do.

    Attributes:
        recipe: how.
        protocol: a name in `splits.PROTOCOLS`.
        fold: name of a fold of that protocol; the `paper` protocol has no folds but a split per part: "1".
        seed: of the split (where it depends on one), the weights and all draws; at least 0.
        init_from: folder of a finished run on other corpora whose branches are the beginning of this one; None for
            a beginning from nothing.
    """

    recipe: Recipe
    protocol: str
    fold: str
    seed: int
    init_from: Path | None = None


def versions() -> dict[str, str]:
    """Package -> version, of everything that has a say in a result.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    try:
        found = {name: importlib.metadata.version(name) for name in VERSIONED}
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError(f"training needs {error.name}: pip install 'overtone[train]'") from error
    return {"python": platform.python_version(), "overtone": importlib.metadata.version("overtone"), **found}


def code_fingerprint() -> str:
    """A name for the code that makes features, networks and their training what they are: 16 hexadecimal digits."""
    stages = (f"tasks/training/{name}.py" for name in ("prepare", "batches", "targets", "loop", "members", "adapt"))
    return fingerprint(*FEATURES, "models", "calibration.py", *stages)


def fold_names(protocol: str, utterances: Sequence[Utterance], seed: int) -> tuple[str, ...]:
    """Names of the trainings that a protocol takes.

    Raises:
        OptionError: no such protocol, one that does not fit these clips, or a seed below 0.
        CorpusError: too few clips for it.
    """
    if seed < 0:
        raise OptionError(f"a seed must be 0 or more, got {seed}")
    return (
        ("1",) if protocol == "paper" else tuple(fold.fold for fold in protocols.make_folds(protocol, utterances, seed))
    )


def part_splits(plan: RunConfig, utterances: Sequence[Utterance]) -> dict[str, Split]:
    """Part -> its split.

    Raises:
        OptionError: no such protocol or fold, or a recipe that trains parts together which the protocol splits apart.
    """
    names = fold_names(plan.protocol, utterances, plan.seed)
    if plan.fold not in names:
        raise OptionError(f"protocol '{plan.protocol}' has no fold '{plan.fold}'{suggest(plan.fold, names)}")
    if plan.protocol == "paper":
        if any(len(phase) > 1 for phase in plan.recipe.phases):
            raise OptionError(
                f"protocol 'paper' splits each part for itself, and recipe '{plan.recipe.name}' trains several "
                "together; take recipe 'paper', or another protocol"
            )
        if plan.recipe.distil:
            raise OptionError(
                f"protocol 'paper' splits each part for itself, and recipe '{plan.recipe.name}' distils: a part would "
                "learn from what another heard of its test side; take recipe 'paper', or another protocol"
            )
        return protocols.paper_splits(utterances, plan.seed)
    found = protocols.make_folds(plan.protocol, utterances, plan.seed)[names.index(plan.fold)]
    return dict.fromkeys(PARTS, found)


def audit_parts(parts: dict[str, Split], utterances: Sequence[Utterance]) -> dict[str, LeakAudit]:
    """Part -> what its test side shares with the clips that it, or any part below it, was trained or chosen on."""

    def used(names: Sequence[str]) -> set[int]:
        return {index for name in names for index in (*parts[name].train, *parts[name].validation)}

    return {
        part: leakage.audit(utterances, parts[part].test, used(PARTS if part == "fusion" else [part])) for part in PARTS
    }


def present_emotions(utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """The classes of these clips, in the order of the vocabulary.

    Raises:
        CorpusError: fewer than two.
    """
    present = {utterance.emotion for utterance in utterances}
    if len(present) < 2:
        raise CorpusError(f"training needs clips of two emotions at least, found {', '.join(present) or 'no clip'}")
    return tuple(emotion for emotion in EMOTIONS if emotion in present)


def training_data(utterances: Sequence[Utterance]) -> list[dict[str, Any]]:
    """A row per corpus for the model's card: clips, speakers, licence, citation."""
    rows = []
    for name in sorted({utterance.corpus for utterance in utterances}):
        clips = [utterance for utterance in utterances if utterance.corpus == name]
        about = get_corpus(name).ABOUT
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


def _beginning(plan: RunConfig, utterances: Sequence[Utterance]) -> dict[str, Any] | None:
    """The run that a plan starts from: a digest of its weights, and what it was trained on.

    Raises:
        OptionError: there is no finished run, or it has heard one of these corpora: no score would be honest then.
    """
    if plan.init_from is None:
        return None
    try:
        run = json.loads((plan.init_from / "run.json").read_text(encoding="utf-8"))
        digest = hashlib.sha256((plan.init_from / "weights.safetensors").read_bytes()).hexdigest()
        heard = run["training_data"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OptionError(f"{plan.init_from}: no finished run to start from ({error})") from error
    again = {row["corpus"] for row in heard} & {utterance.corpus for utterance in utterances}
    if again:
        raise OptionError(
            f"{plan.init_from} was trained on {', '.join(sorted(again))} already; start from a run on other corpora"
        )
    return {"weights": digest, "training_data": heard}


def run_metadata(utterances: Sequence[Utterance], plan: RunConfig) -> dict[str, Any]:
    """What run.json says of a plan on these clips."""
    parts = part_splits(plan, utterances)
    beginning = _beginning(plan, utterances)
    run = {
        "recipe": plan.recipe.as_dict(),
        "protocol": plan.protocol,
        "fold": plan.fold,
        "seed": plan.seed,
        "emotions": present_emotions(utterances),
        "start": beginning,
        "training_data": training_data(utterances) + (beginning["training_data"] if beginning else []),
        "audits": {part: asdict(found) for part, found in audit_parts(parts, utterances).items()},
        "split": {
            part: {side: [utterances[i].clip for i in getattr(split, side)] for side in SIDES}
            for part, split in parts.items()
        },
        "code": code_fingerprint(),
        "versions": versions(),
    }
    return json.loads(json.dumps(run))  # tuples become lists, as they will be when read again
