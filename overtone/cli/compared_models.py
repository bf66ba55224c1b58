"""The arguments of `overtone compare` -> predictions of each model for the clips that all have in common."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from overtone.cli.errors import UsageError, print_error, usage_errors
from overtone.cli.progress import ProgressBar
from overtone.cli.training_options import read_clips
from overtone.datatypes import OofPredictions, Utterance
from overtone.errors import InputError, OvertoneError, suggest
from overtone.evaluation.alignment import (
    NOT_PREDICTED,
    OTHER_CLASS,
    Alignment,
    ModelPredictions,
    align,
    by_frequency,
    common_classes,
    no_common_clips,
)
from overtone.evaluation.protocols import PROTOCOLS, Protocol
from overtone.evaluation.stored_predictions import StoredPredictions, read_stored
from overtone.formats.table import printable
from overtone.inference.bundled_models import NAMES
from overtone.inference.labelled_clips import predict_clips
from overtone.inference.recogniser import Recogniser, load
from overtone.inference.training_overlap import training_overlap

Source = StoredPredictions | Recogniser


@dataclass(frozen=True)
class ComparedModels:
    """The models of one call of `overtone compare`, ready to be compared.

    Attributes:
        alignment: their predictions for the clips they have in common.
        mean_of_folds: whether scores are means of the scores of the folds.
        warnings: why scores may be too high, or the comparison unfair.
        failures: number of clips that could not be recognised.
    """

    alignment: Alignment
    mean_of_folds: bool
    warnings: tuple[str, ...]
    failures: int


def load_models(args: argparse.Namespace) -> ComparedModels:
    """Return the models named by the arguments of `overtone compare`; models recognise the clips of --data.

    Raises:
        UsageError: one model only, the same one twice, a model without --data, or an option of no use.
        OvertoneError: a run, a file or a corpus cannot be used, or the models have no clips in common.
    """
    is_model = {argument: _is_model(argument) for argument in args.models}
    _check_usage(args, is_model)
    with usage_errors():
        sources = {
            argument: load(argument, threads=args.threads) if is_model[argument] else _read(argument, args.part)
            for argument in args.models
        }
    _check_distinct(sources)
    named = dict(zip(_names(sources), sources.values(), strict=True))
    stored = {name: source for name, source in named.items() if isinstance(source, StoredPredictions)}
    recognisers = {name: source for name, source in named.items() if isinstance(source, Recogniser)}
    tables = {name: source.predictions for name, source in stored.items()}
    warnings, left_out, failures = _stored_warnings(stored), Counter[str](), 0
    if recognisers:
        clips, left_out = _clips_to_recognise(read_clips(args), stored, recognisers)
        predicted, failures = _recognise(recognisers, clips, stored, left_out)
        tables |= predicted
        overlaps = {name: training_overlap(recogniser, clips) for name, recogniser in recognisers.items()}
        warnings += [f"{name}: {overlap}" for name, overlap in overlaps.items() if overlap]
    models = [_model(name, source, tables[name], args.uncertain_below) for name, source in named.items()]
    protocols = [PROTOCOLS.get(source.protocol) for source in stored.values()]
    alignment = align(models, classes_of_fold=_all(protocols, "classes_of_fold"))
    alignment = replace(alignment, left_out=by_frequency(Counter(alignment.left_out) + left_out))
    return ComparedModels(alignment, _all(protocols, "mean_of_folds"), tuple(warnings), failures)


def _is_model(argument: str) -> bool:
    """Return whether an argument names a model file or a bundled model, and not predictions.

    As in other commands, only a file takes precedence over a bundled model of the same name, and no folder does.
    """
    path = Path(argument)
    if argument in NAMES:
        return True
    if path.is_dir() or path.suffix == ".csv":
        return False
    if path.exists():
        return True
    raise InputError(f"{argument}: no such file or folder, and no bundled model of this name{suggest(argument, NAMES)}")


def _check_usage(args: argparse.Namespace, is_model: Mapping[str, bool]) -> None:
    if len(args.models) < 2:
        raise UsageError(f"{args.models[0]}: nothing to compare it with; name a second run, CSV file or model")
    twice = [argument for argument in args.models if args.models.count(argument) > 1]
    if twice:
        raise UsageError(f"{twice[0]}: named twice; name two different models")
    models = [argument for argument, found in is_model.items() if found]
    if models and not args.data:
        raise UsageError(f"{models[0]}: a model needs labelled clips to recognise; give them with --data CORPUS=DIR")
    if not models and (args.data or args.labels):
        raise UsageError("--data and --labels are the clips that models recognise, and no model is named; omit them")
    if args.part and not any(Path(argument).is_dir() for argument in args.models):
        raise UsageError("--part selects predictions in folders, and no folder is named; omit it")


def _check_distinct(sources: Mapping[str, Source]) -> None:
    """Check that no two arguments name the same file."""
    seen: dict[Path, str] = {}
    for argument, source in sources.items():
        path = (source.path if isinstance(source, StoredPredictions) else source.model.path).resolve()
        if path in seen:
            raise UsageError(f"{argument}: the same model as {seen[path]}; name two different ones")
        seen[path] = argument


def _read(argument: str, part: str | None) -> StoredPredictions:
    path = Path(argument)
    return read_stored(path, part if path.is_dir() else None)


def _names(sources: Mapping[str, Source]) -> list[str]:
    """Return short names of the models, or the arguments where the short names are not unique."""
    names = [
        source.name if isinstance(source, StoredPredictions) else _model_name(argument)
        for argument, source in sources.items()
    ]
    return [printable(name) for name in (names if len(set(names)) == len(names) else sources)]


def _model_name(argument: str) -> str:
    """Return the name of a model: that of its file, or of the run folder that it is in."""
    path = Path(argument)
    return f"{path.resolve().parent.name}/{path.name}" if path.name == "model.onnx" else path.stem


def _stored_warnings(stored: Mapping[str, StoredPredictions]) -> list[str]:
    """Return warnings of known and unknown leaks, and of protocols that differ."""
    warnings = [
        f"{name}: {source.audit or 'it is unknown which clips and speakers it was trained on'}"
        for name, source in stored.items()
        if source.audit is None or source.audit.seen_clips or source.audit.shared_speakers
    ]
    protocols = {source.protocol for source in stored.values()}
    if len(protocols) > 1:
        listed = ", ".join(f"{name} {source.protocol or 'unknown'}" for name, source in stored.items())
        warnings.append(f"the protocols differ, so the models were trained on different shares of the data: {listed}")
    return warnings


def _clips_to_recognise(
    utterances: Sequence[Utterance], stored: Mapping[str, StoredPredictions], recognisers: Mapping[str, Recogniser]
) -> tuple[list[Utterance], Counter[str]]:
    """Return the clips that can be compared, and the number of others by reason.

    Clips are compared by id alone, as older files lack the corpus. `align` counts the clips of stored predictions.
    """
    emotions = {name: source.predictions.emotions for name, source in stored.items()}
    classes = common_classes(emotions | {name: recogniser.emotions for name, recogniser in recognisers.items()})
    paths = {name: set(source.predictions.path.tolist()) for name, source in stored.items()}
    clips, left_out = [], Counter[str]()
    for utterance in utterances:
        missing = [name for name, known in paths.items() if utterance.clip not in known]
        if utterance.emotion in classes and not missing:
            clips.append(utterance)
        elif len(missing) == len(paths):
            other_class = utterance.emotion not in classes
            reason = OTHER_CLASS.format(utterance.emotion) if other_class else NOT_PREDICTED.format(", ".join(missing))
            left_out[reason] += 1
    if not clips:
        raise no_common_clips(left_out)
    return clips, left_out


def _recognise(
    recognisers: Mapping[str, Recogniser],
    clips: Sequence[Utterance],
    stored: Mapping[str, StoredPredictions],
    left_out: Counter[str],
) -> tuple[dict[str, OofPredictions], int]:
    """Return the predictions of each model, and the number of clips that failed; these are counted in `left_out`."""
    failures = 0

    def report(utterance: Utterance, error: OvertoneError) -> None:
        nonlocal failures
        failures += 1
        if not stored:  # otherwise, `align` counts the clip
            left_out["that could not be recognised"] += 1
        print_error(str(error))

    with ProgressBar("clips") as bar:
        tables = predict_clips(list(recognisers.values()), clips, report, bar)
    return dict(zip(recognisers, tables, strict=True)), failures


def _model(name: str, source: Source, table: OofPredictions, uncertain_below: float | None) -> ModelPredictions:
    """Return the predictions of a model with its own threshold, or with that of --uncertain-below."""
    if uncertain_below is None and isinstance(source, StoredPredictions):
        return ModelPredictions(name, table, source.thresholds)
    threshold = source.uncertain_below if isinstance(source, Recogniser) else 0.0
    return ModelPredictions(name, table, np.full(len(table), threshold if uncertain_below is None else uncertain_below))


def _all(protocols: Sequence[Protocol | None], attribute: str) -> bool:
    """Return whether there are protocols, and all of them have this attribute."""
    return bool(protocols) and all(protocol is not None and getattr(protocol, attribute) for protocol in protocols)
