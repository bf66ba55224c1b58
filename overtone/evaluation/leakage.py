"""Leak audits: which test clips, speakers and sentences also occur in the training data."""

from collections.abc import Iterable, Mapping, Sequence
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
    test_clips, training_clips = set(test), set(trained_on)
    training_audio = _channels_by_interval(utterances[i] for i in training_clips)
    test_speakers, training_speakers = (_distinct(utterances, i, "speaker") for i in (test_clips, training_clips))
    test_sentences, training_sentences = (_distinct(utterances, i, "sentence") for i in (test_clips, training_clips))
    return LeakAudit(
        test_clips=len(test_clips),
        test_speakers=len(test_speakers),
        test_sentences=len(test_sentences),
        shared_speakers=len(test_speakers & training_speakers),
        shared_sentences=len(test_sentences & training_sentences),
        seen_clips=sum(_is_seen(utterances[i], training_audio) for i in test_clips),
    )


def sum_audits(audits: Iterable[LeakAudit]) -> LeakAudit:
    """Return one audit for several folds and seeds: the sum of every count."""
    rows = [list(vars(audit).values()) for audit in audits]
    return LeakAudit(*(sum(column) for column in zip(*rows, strict=True))) if rows else LeakAudit(0, 0, 0, 0, 0, 0)


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


def _distinct(utterances: Utterances, indices: Iterable[int], field: str) -> set[tuple[str, str]]:
    """Return the distinct known (corpus, speaker) or (corpus, sentence) pairs of these clips."""
    pairs = ((utterances[i].corpus, getattr(utterances[i], field)) for i in indices)
    return {pair for pair in pairs if pair[1]}
