"""The configuration of one training run: recipe, protocol, fold, seed; and the splits and metadata derived from it."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from overtone._internal.fingerprint import FEATURES, fingerprint
from overtone.corpora import get_corpus, manifest
from overtone.corpora.label_mapping import present_emotions
from overtone.datatypes import LeakAudit, Split, Utterance
from overtone.errors import MissingExtraError, OptionError, suggest
from overtone.evaluation import leakage, protocols
from overtone.evaluation.trained_audio import AudioPart, describe_audio
from overtone.models.branches import extra_features
from overtone.recipe import FUSION, Recipe, read_teacher

# All packages that affect a result or are needed at the end of a training run, so that a missing one is noticed at
# its start.
VERSIONED = (
    *("numpy", "torch", "onnx", "onnxruntime", "onnxscript", "scikit-learn", "soundfile", "soxr"),
    *("safetensors", "matplotlib"),
)
SUBSETS = ("train", "validation", "test")
RUN_FORMAT = 2  # of run.json; raised when a key changes its meaning


@dataclass(frozen=True)
class RunConfig:
    """The configuration of one training run.

    Attributes:
        recipe: the settings.
        protocol: a name in `protocols.PROTOCOLS`.
        fold: name of a fold of that protocol; "1" for protocols with a split per part instead of folds.
        seed: of the split (where it depends on one), the weights and all random numbers; at least 0.
        init_from: folder of a finished run on other corpora whose branches initialise this one; None to train from
            scratch.
    """

    recipe: Recipe
    protocol: str
    fold: str
    seed: int
    init_from: Path | None = None


def versions() -> dict[str, str]:
    """Package -> version, of everything that affects a result.

    Raises:
        MissingExtraError: one of the packages is not installed.
    """
    try:
        installed = {name: importlib.metadata.version(name) for name in VERSIONED}
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError(f"training needs {error.name}: pip install 'overtone[train]'") from error
    return {"python": platform.python_version(), "overtone": importlib.metadata.version("overtone"), **installed}


def code_fingerprint() -> str:
    """A digest of the code of features, models and training loop: 16 hexadecimal digits."""
    modules = (
        *("feature_cache", "feature_extraction", "batches", "reference_sets", "targets", "loop"),
        *("ensemble_members", "calibrate", "teacher", "fit_adapter", "fit_reference_adapter", "adapted_predictions"),
    )
    stages = (f"training/{name}.py" for name in modules)
    return fingerprint(*FEATURES, "features", "models", "evaluation/calibration.py", *stages)


def fold_names(protocol: str, utterances: Sequence[Utterance], seed: int) -> tuple[str, ...]:
    """Names of the folds of a protocol, one training run each.

    Raises:
        OptionError: no such protocol, one that does not fit these clips, or a seed below 0.
        CorpusError: too few clips for it.
    """
    if seed < 0:
        raise OptionError(f"a seed must be 0 or more, got {seed}")
    folds = protocols.make_folds(protocol, utterances, seed)
    return ("1",) if protocols.PROTOCOLS[protocol].split_per_part else tuple(fold.fold for fold in folds)


def part_splits(config: RunConfig, utterances: Sequence[Utterance]) -> dict[str, Split]:
    """Part -> its split.

    Raises:
        OptionError: no such protocol or fold, or a recipe that does not fit a protocol with a split per part.
    """
    recipe = config.recipe
    names = fold_names(config.protocol, utterances, config.seed)
    if config.fold not in names:
        raise OptionError(f"protocol '{config.protocol}' has no fold '{config.fold}'{suggest(config.fold, names)}")
    folds = protocols.make_folds(config.protocol, utterances, config.seed)
    if not protocols.PROTOCOLS[config.protocol].split_per_part:
        return dict.fromkeys(recipe.parts, folds[names.index(config.fold)])
    splits = {fold.fold: fold for fold in folds}
    if set(splits) != set(recipe.parts):
        reason = f"it splits {', '.join(splits)}, and recipe '{recipe.name}' has the parts {', '.join(recipe.parts)}"
    elif any(len(phase) > 1 for phase in recipe.phases):
        reason = f"it splits each part separately, and recipe '{recipe.name}' trains several together"
    elif recipe.distil:
        reason = (
            f"it splits each part separately, and recipe '{recipe.name}' distils: a part would be trained on "
            "predictions of another part for its own test set"
        )
    else:
        return splits
    raise OptionError(f"protocol '{config.protocol}': {reason}; use recipe 'paper', or another protocol")


def audit_parts(runs: Sequence[Mapping[str, Split]], utterances: Sequence[Utterance]) -> dict[str, LeakAudit]:
    """Part -> overlap of its test set with the clips it was trained or selected on; for the fusion, any part was.

    Args:
        runs: part -> its split, of one run or of several with the same parts; see `leakage.audit_runs`.
        utterances: all clips.
    """

    def used(splits: Mapping[str, Split], part: str) -> set[int]:
        names = list(splits) if part == FUSION else [part]
        return {index for name in names for index in (*splits[name].train, *splits[name].validation)}

    return {
        part: leakage.audit_runs(utterances, [(splits[part].test, used(splits, part)) for splits in runs])
        for part in runs[0]
    }


def labels_digest(utterances: Sequence[Utterance]) -> str:
    """A digest of the class of each clip: a run whose labels were changed meanwhile is another run."""
    labels = [(utterance.corpus, utterance.clip, utterance.emotion) for utterance in utterances]
    return hashlib.sha256(json.dumps(labels).encode()).hexdigest()


def training_data(utterances: Sequence[Utterance]) -> list[dict[str, Any]]:
    """A row per corpus for the model card: clips, speakers, licence, citation."""
    rows = []
    for name in sorted({utterance.corpus for utterance in utterances}):
        clips = [utterance for utterance in utterances if utterance.corpus == name]
        info = get_corpus(name).INFO
        rows.append(
            {
                "corpus": name,
                "clips": len(clips),
                "speakers": len({clip.speaker for clip in clips}),
                "licence": info.licence,
                "citation": info.citation,
            }
        )
    return rows


def own_audio(utterances: Iterable[Utterance]) -> dict[str, dict[str, Any]]:
    """The audio of own recordings among these clips, for `overtone.inference.training_overlap`."""
    own = (utterance for utterance in utterances if utterance.corpus == manifest.INFO.name)
    return describe_audio(dict.fromkeys(AudioPart(u.path, u.start_s, u.end_s, u.channel) for u in own))


def pretrained(recipe: Recipe) -> list[dict[str, str]]:
    """A row per pretrained network that the branches of a recipe use: name, sha256, licence, citation."""
    return [feature.pretrained._asdict() for feature in extra_features(recipe).values() if feature.pretrained]


def teacher_settings(recipe: Recipe) -> dict[str, Any] | None:
    """The recipe of the teacher, and a row per pretrained network that it uses; None if a recipe has no teacher."""
    teacher = read_teacher(recipe)
    return None if teacher is None else {"recipe": teacher.as_dict(), "pretrained": pretrained(teacher)}


def _init_run(config: RunConfig, utterances: Sequence[Utterance]) -> dict[str, Any] | None:
    """The run that a training run is initialised from: a digest of its weights, and its training data.

    Raises:
        OptionError: there is no finished run, it is of another version of Overtone, or it was trained on one of these
            corpora, which would leak test clips.
    """
    folder = config.init_from
    if folder is None:
        return None
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        digest = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
        data, run_format = run["training_data"], run.get("format")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OptionError(f"{folder}: --init-from needs the folder of a finished run ({error})") from error
    if run_format != RUN_FORMAT:
        raise OptionError(f"{folder}: --init-from: the run was written by another version of Overtone; train it again")
    shared = {row["corpus"] for row in data} & {utterance.corpus for utterance in utterances}
    if shared:
        raise OptionError(
            f"{folder} was trained on {', '.join(sorted(shared))} already; --init-from needs a run on other corpora"
        )
    return {"weights": digest, "training_data": data}


def run_metadata(utterances: Sequence[Utterance], config: RunConfig) -> dict[str, Any]:
    """The content of run.json for a training run on these clips."""
    parts = part_splits(config, utterances)
    init = _init_run(config, utterances)
    run = {
        "format": RUN_FORMAT,
        "recipe": config.recipe.as_dict(),
        "protocol": config.protocol,
        "fold": config.fold,
        "seed": config.seed,
        "emotions": present_emotions(utterances),
        "labels": labels_digest(utterances),
        "init": init,
        "training_data": training_data(utterances) + (init["training_data"] if init else []),
        "pretrained": pretrained(config.recipe),
        "teacher": teacher_settings(config.recipe),
        "audits": {part: asdict(audit) for part, audit in audit_parts([parts], utterances).items()},
        "split": {
            part: {name: [utterances[i].clip for i in getattr(split, name)] for name in SUBSETS}
            for part, split in parts.items()
        },
        "training_audio": own_audio(
            utterances[i] for split in parts.values() for i in (*split.train, *split.validation)
        ),
        "code": code_fingerprint(),
        "versions": versions(),
    }
    return json.loads(json.dumps(run))  # tuples become lists, as they are after reading the file
