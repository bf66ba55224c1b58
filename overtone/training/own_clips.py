"""Checks labelled clips before a model is fine-tuned on them: whether they are usable, and whether labels agree."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from overtone._internal.progress import Progress, silent_progress
from overtone.audio.decode import read_utterance
from overtone.corpora.label_mapping import present_emotions
from overtone.datatypes import Utterance, Waveform
from overtone.emotions import list_classes
from overtone.errors import AudioError, CorpusError
from overtone.evaluation.protocols import MIN_CLIPS
from overtone.inference.inputs import MAX_DURATION_S, load_waveform
from overtone.training.feature_extraction import MAX_LISTED_FILES

MIN_CLIPS_OF_CLASS = 2  # one to train on, and another one to validate
MAX_UNUSABLE_SHARE = 0.05  # of all clips; more of them are a mistake in the whole, such as a wrong folder


class CheckedClips(NamedTuple):
    """Clips after their audio was checked.

    Attributes:
        utterances: those that can be trained on.
        copies: those among them with the same sound and label as an earlier one, a sentence each.
        failures: why the others cannot be trained on, a sentence each, with the name of the file.
    """

    utterances: tuple[Utterance, ...]
    copies: tuple[str, ...]
    failures: tuple[str, ...]


def check_labels(utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """The classes of the clips, if there are enough of each.

    Raises:
        CorpusError: too few clips, only one class, or a class with a single clip.
    """
    emotions = present_emotions(utterances)
    if len(utterances) < MIN_CLIPS:
        raise CorpusError(f"{len(utterances)} clips are too few to train on: provide at least {MIN_CLIPS}")
    counts = Counter(utterance.emotion for utterance in utterances)
    rare = [emotion for emotion in emotions if counts[emotion] < MIN_CLIPS_OF_CLASS]
    if rare:
        example = next(utterance.origin or utterance.path for utterance in utterances if utterance.emotion == rare[0])
        raise CorpusError(
            f"only one clip of {list_classes(rare)}, as {example}: add clips of each, or drop or merge these classes: "
            "--labels FILE.toml"
        )
    return emotions


def check_audio(utterances: Sequence[Utterance], progress: Progress = silent_progress) -> CheckedClips:
    """Read every clip, and leave out those that cannot be read or recognised, if they are few.

    Clips cannot be recognised if they are silent, shorter than 0.1 s or longer than 10 min.

    Raises:
        CorpusError: more than `MAX_UNUSABLE_SHARE` of the clips cannot be read or recognised; or clips have the same
            sound and different labels. The message names the first ones and counts all.
    """
    first_with: dict[bytes, Utterance] = {}
    usable, failures, contradictions, copies = [], [], [], []
    for done, utterance in enumerate(utterances, start=1):
        try:
            waveform = load_waveform(read_utterance(utterance, max_duration_s=MAX_DURATION_S))
        except AudioError as error:
            failures.append(str(error))
        else:
            usable.append(utterance)
            first = first_with.setdefault(_digest(waveform), utterance)
            if first.emotion != utterance.emotion:
                contradictions.append(
                    f"{_name(first)} is '{first.emotion}', and {_name(utterance)} '{utterance.emotion}'"
                )
            elif first is not utterance:
                copies.append(f"{_name(utterance)} has the same sound as {_name(first)}")
        progress(done, len(utterances), "checking clips")
    if len(failures) > MAX_UNUSABLE_SHARE * len(utterances):
        _refuse(failures, len(utterances), "cannot be trained on, correct or remove them")
    _refuse(contradictions, len(utterances), "have the sound of another clip with another label, keep one of each")
    return CheckedClips(tuple(usable), tuple(copies), tuple(failures))


def _refuse(faults: Sequence[str], clips: int, reason: str) -> None:
    if faults:
        more = f"\n  and {len(faults) - MAX_LISTED_FILES} more" if len(faults) > MAX_LISTED_FILES else ""
        listed = "\n  ".join(faults[:MAX_LISTED_FILES])
        raise CorpusError(f"{len(faults)} of {clips} clips {reason}:\n  {listed}{more}")


def _digest(waveform: Waveform) -> bytes:
    return hashlib.sha256(waveform.samples.tobytes()).digest()


def _name(utterance: Utterance) -> str:
    end = "" if utterance.end_s is None else f"{utterance.end_s:g}"
    interval = f" from {utterance.start_s:g} s to {end or 'its end'}{' s' if end else ''}"
    channel = f", channel {utterance.channel}" if utterance.channel else ""
    return f"{utterance.origin or utterance.path}{interval if utterance.start_s or end else ''}{channel}"
