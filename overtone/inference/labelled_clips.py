"""Labelled clips -> predictions of models, and how many of the clips these models were trained on."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from overtone._internal.progress import Progress, silent_progress
from overtone.audio.decode import read_utterance
from overtone.datatypes import OofPredictions, Prediction, Utterance
from overtone.errors import InputError, OvertoneError
from overtone.evaluation import leakage
from overtone.evaluation.oof_files import from_rows
from overtone.inference.inputs import MAX_DURATION_S
from overtone.inference.recogniser import Recogniser


def predict_clips(
    recognisers: Sequence[Recogniser],
    utterances: Sequence[Utterance],
    on_error: Callable[[Utterance, OvertoneError], None],
    progress: Progress = silent_progress,
) -> list[OofPredictions]:
    """Return the predictions of each model, without reference clips, for the clips that all of them can recognise.

    Args:
        recognisers: the models; each has the classes of all labels.
        utterances: the labelled clips.
        on_error: called with each clip that cannot be read or recognised, and the reason.
        progress: called after each clip.

    Raises:
        InputError: no clip can be recognised, a clip is given twice, or a model lacks the class of a label.
    """
    _check_distinct(utterances)
    rows: list[list[tuple[object, ...]]] = [[] for _ in recognisers]
    for number, utterance in enumerate(utterances, start=1):
        try:
            predictions = _recognise(recognisers, utterance)
        except OvertoneError as error:
            on_error(utterance, error)
        else:
            u = utterance
            for table, prediction in zip(rows, predictions, strict=True):
                keys = (u.clip, u.corpus, u.speaker, u.sentence, "", 0, u.emotion)
                table.append((*keys, *prediction.probabilities.tolist()))
        progress(number, len(utterances), utterance.clip)
    if not all(rows):
        raise InputError(f"none of the {len(utterances)} labelled clips can be recognised")
    return [from_rows(model.emotions, table) for model, table in zip(recognisers, rows, strict=True)]


def training_overlap(recogniser: Recogniser, utterances: Sequence[Utterance]) -> str:
    """Return how many of these clips and speakers the model was trained on, as far as it is known; "" for none.

    A model in its run folder has the leak audit of the clips in run.json. Otherwise, only the corpora in the card are
    known.

    Args:
        recogniser: the model.
        utterances: the labelled clips.
    """
    card = recogniser.card
    corpora = {str(row.get("corpus")): row for row in card["training_data"] if isinstance(row, dict)}
    clips_of_run = _clips_of_run(recogniser)
    if clips_of_run is not None:
        whole_corpora = card.get("init_corpora", [])  # of the run that provided the initial weights
        trained_on = [
            index
            for index, u in enumerate(utterances)
            if u.corpus in whole_corpora or (u.corpus in corpora and u.clip in clips_of_run)
        ]
        audit = leakage.audit(utterances, range(len(utterances)), trained_on)
        return str(audit) if audit.seen_clips or audit.shared_speakers else ""
    shared = sorted(corpora.keys() & {utterance.corpus for utterance in utterances})
    if not shared:
        return ""
    number = sum(utterance.corpus in shared for utterance in utterances)
    sizes = (f"{name} ({corpora[name].get('clips', '?')} clips)" for name in shared)
    return f"trained on {', '.join(sizes)}, perhaps on some or all of {number} test clips and their speakers"


def _recognise(recognisers: Sequence[Recogniser], utterance: Utterance) -> list[Prediction]:
    waveform = read_utterance(utterance, max_duration_s=MAX_DURATION_S)
    return [recogniser.recognise(waveform) for recogniser in recognisers]


def _check_distinct(utterances: Sequence[Utterance]) -> None:
    seen: set[tuple[str, str]] = set()
    for utterance in utterances:
        key = (utterance.corpus, utterance.clip)
        if key in seen:
            raise InputError(
                f"clip {utterance.clip} of corpus {utterance.corpus} is given twice; give each corpus once"
            )
        seen.add(key)


def _clips_of_run(recogniser: Recogniser) -> set[str] | None:
    """Return the training and validation clips in the run.json next to a model; None if there is none of this model."""
    card: dict[str, Any] = recogniser.card
    try:
        run = json.loads((recogniser.model.path.parent / "run.json").read_text(encoding="utf-8"))
        if any(run[key] != card.get(key) for key in ("recipe", "seed", "protocol")):
            return None
        splits = run["split"].values()
        return {clip for split in splits for subset in ("train", "validation") for clip in split[subset]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
