"""Labelled clips -> predictions of models."""

from collections.abc import Callable, Sequence

from overtone._internal.progress import Progress, silent_progress
from overtone.audio.decode import read_utterance
from overtone.datatypes import OofPredictions, Prediction, Utterance
from overtone.errors import InputError, OvertoneError
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
