"""Leak audits: which test clips, speakers and sentences also occur in the training data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from overtone.channels import channel_number
from overtone.datatypes import LeakAudit, Utterance

Utterances = Sequence[Utterance]
Interval = tuple[Path, float, float | None]  # of a file


def audit(utterances: Utterances, test: Iterable[int], trained_on: Iterable[int]) -> LeakAudit:
    """Return the overlap of the test set with all clips that any part of the model was trained on.

    Clips are compared by their audio: file, start, end and channel; the mean of all channels contains each of them.
    RAVDESS contains one pair of files with equal samples (of one actor, as published); the audit counts them as two
    clips. Unknown speakers and sentences are not counted.

    Args:
        utterances: the list that the indices refer to.
        test: indices of the test clips.
        trained_on: indices of every clip used by any part: training and, if it stopped the training, validation.
    """
    return audit_runs(utterances, [(test, trained_on)])


def audit_runs(utterances: Utterances, runs: Iterable[tuple[Iterable[int], Iterable[int]]]) -> LeakAudit:
    """Return one audit of several training runs, such as the folds and seeds of a protocol; see `audit`.

    A clip, a speaker or a sentence counts once, however many runs test it; and as seen or shared if any run that tests
    it was trained on it. What one run tests and only another one is trained on is not shared.

    Args:
        utterances: the list that the indices refer to.
        runs: test clips, and the clips used by any part, of each run.
    """
    tested, shared = _Distinct(), _Distinct()
    for test, trained_on in runs:
        test_clips, training_clips = set(test), set(trained_on)
        training_audio = _channels_by_interval(utterances[i] for i in training_clips)
        of_test, of_training = _distinct(utterances, test_clips), _distinct(utterances, training_clips)
        tested.add(of_test)
        seen = {i for i in test_clips if _is_seen(utterances[i], training_audio)}
        common = (of_test.speakers & of_training.speakers, of_test.sentences & of_training.sentences)
        shared.add(_Distinct(seen, *common))
    return LeakAudit(
        test_clips=len(tested.clips),
        test_speakers=len(tested.speakers),
        test_sentences=len(tested.sentences),
        shared_speakers=len(shared.speakers),
        shared_sentences=len(shared.sentences),
        seen_clips=len(shared.clips),
    )


@dataclass(frozen=True)
class _Distinct:
    """Distinct clips, and known (corpus, speaker) and (corpus, sentence) pairs."""

    clips: set[int] = field(default_factory=set)
    speakers: set[tuple[str, str]] = field(default_factory=set)
    sentences: set[tuple[str, str]] = field(default_factory=set)

    def add(self, other: "_Distinct") -> None:
        self.clips.update(other.clips)
        self.speakers.update(other.speakers)
        self.sentences.update(other.sentences)


def _distinct(utterances: Utterances, indices: set[int]) -> _Distinct:
    """Return the clips with these indices, their known speakers and their known sentences."""
    clips = [utterances[i] for i in indices]
    speakers = {(clip.corpus, clip.speaker) for clip in clips if clip.speaker}
    return _Distinct(indices, speakers, {(clip.corpus, clip.sentence) for clip in clips if clip.sentence})


def _interval(utterance: Utterance) -> Interval:
    return utterance.path, utterance.start_s, utterance.end_s


def _channels_by_interval(utterances: Iterable[Utterance]) -> dict[Interval, set[str]]:
    """Return the channels, "" for the mean of all, of each interval of a file that one of the utterances is."""
    channels: dict[Interval, set[str]] = {}
    for utterance in utterances:
        channels.setdefault(_interval(utterance), set()).add(channel_number(utterance.channel))
    return channels


def _is_seen(utterance: Utterance, training_audio: Mapping[Interval, set[str]]) -> bool:
    """Return whether the audio of an utterance, such as the copy of a clip, or a part of it was trained on."""
    seen, channel = training_audio.get(_interval(utterance), set()), channel_number(utterance.channel)
    return bool(seen) and (not channel or bool(seen & {channel, ""}))
