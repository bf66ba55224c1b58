"""Predictions and timelines of recordings whose channels are speakers, such as the two sides of a telephone call.

    choice = choose_channels("each", ("agent", "customer"))
    for result in recognise_channels(recogniser.recognise, "call.wav", choice):     # one per channel
        ...
    timeline(model, "call.wav", choice=choice)                      # one, with the segments of both speakers

The result of a channel is exactly that of a mono file of this channel. A file is decoded once per channel and pass, so
that the memory does not depend on its length.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO, TypeVar, cast

import numpy as np

from overtone._internal.file_objects import read_file_object
from overtone.audio.blocks import count_channels
from overtone.audio.decode import read
from overtone.audio.source import RepeatableContent, Source, read_pipe, source_name
from overtone.channels import SIDES, Channel
from overtone.datatypes import FloatArray, Prediction, Waveform
from overtone.each_channel import EACH, ChannelChoice, NamedChannel
from overtone.errors import AudioError, OptionError, OvertoneError
from overtone.inference import two_passes
from overtone.inference.inputs import MAX_DURATION_S, Samples, is_file_source, to_array, waveform_from_samples
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.share_estimates import with_estimates
from overtone.inference.two_passes import OnProgress
from overtone.timeline import (
    ADAPTED_TO_RECORDING,
    ADAPTED_TO_SPEAKERS,
    NOT_ADAPTED,
    ChannelTracks,
    Segment,
    Timeline,
    Tracks,
)

AnySource = Source | Waveform | Samples
AnyKind = TypeVar("AnyKind", bound=AnySource)
Recognise = Callable[..., Prediction]
QUIETER_DB = 1_000.0  # more than any two channels differ in


def recognise_channels(
    recognise: Recognise, source: Source | Waveform, choice: ChannelChoice
) -> Iterator[Prediction | OvertoneError]:
    """Yield the prediction of each channel in order; if it cannot be made, the error.

    Args:
        recognise: `Recogniser.recognise`.
        source: a file or a `Waveform`.
        choice: each channel, with its names.
    """
    try:
        source = _repeatable(source)
        channels = choice.channels(_count_channels(source, None), _name(source))
    except OvertoneError as error:
        yield error
        return
    for _, result in recognise_each(recognise, channels, partial(_load, source)):
        yield result


def recognise_each(
    recognise: Recognise, channels: Iterable[NamedChannel], load: Callable[[Channel], Waveform]
) -> Iterator[tuple[str, Prediction | OvertoneError]]:
    """Yield the name and the prediction of each channel; if it cannot be made, the error in its place.

    An error of the file, such as that of a damaged one, is yielded once, with the name "each".

    Args:
        recognise: `Recogniser.recognise`.
        channels: the channels of the recording.
        load: returns the audio of a channel.
    """
    file_errors = set()
    for channel, name in channels:
        try:
            waveform = load(channel)
        except OvertoneError as error:
            if str(error) not in file_errors:
                yield EACH, error
            file_errors.add(str(error))
            continue
        source = waveform.source or "waveform"
        try:
            prediction = recognise(replace(waveform, source=f"{source}, channel {name}"))
            yield name, replace(prediction, source=waveform.source, channel=name)
        except OvertoneError as error:
            yield name, error


def timeline(
    model: OnnxModel,
    source: AnySource,
    rate_hz: float | None = None,
    *,
    choice: ChannelChoice,
    turns: Iterable[Segment] | None = None,
    threads: int = 1,
    adapt: bool = True,
    name: str = "",
    on_progress: OnProgress | None = None,
) -> Timeline:
    """The timeline of one channel, or of all channels as speakers; see `Recogniser.timeline`.

    Args:
        model: the model.
        source: as for `Recogniser.timeline`.
        rate_hz: sample rate of an array.
        choice: the channels.
        turns: speaker turns of one channel; None if unknown.
        threads: number of threads.
        adapt: whether the recording, or each of its channels, is adapted to itself.
        name: name of the recording; "" for that of the source.
        on_progress: called with the number of seconds that have been processed; each pass of each channel counts
            equally.

    Raises:
        OptionError: speaker turns, and channels as speakers.
        AudioError: another number of channels than of names; and as for `Recogniser.timeline`.
    """
    one_channel = partial(two_passes.timeline, model, threads=threads, adapt=adapt)
    if not choice.is_each:
        return one_channel(source, rate_hz, channel=choice.channel, turns=turns, name=name, on_progress=on_progress)
    check_no_turns(turns)
    name, source = name or _name(source), _repeatable(source)
    speakers = _speakers(choice, _count_channels(source, rate_hz), name)
    progress = _ChannelProgress(len(speakers), on_progress)
    timelines = []
    for channel, _ in speakers:
        timelines.append(one_channel(source, rate_hz, channel=channel, name=name, on_progress=progress))
        progress.add(timelines[-1].duration_s)
    if len({timeline.duration_s for timeline in timelines}) > 1:
        raise AudioError(f"{name}: has changed while it was read; try again")
    return with_estimates(merge([speaker for _, speaker in speakers], timelines), model)


def check_no_turns(turns: object) -> None:
    """Check that there are no speaker turns.

    Raises:
        OptionError: there are.
    """
    if turns is not None:
        raise OptionError(
            "channel each: speaker turns name the speakers already; choose one channel, or leave them out"
        )


def merge(speakers: Sequence[str], timelines: Sequence[Timeline]) -> Timeline:
    """The timeline of a recording from those of its channels: only the segments with speech, with their speakers.

    Args:
        speakers: name of the speaker on each channel.
        timelines: of each channel; at least one.
    """
    segments = [
        replace(segment, speaker=speaker)
        for speaker, timeline in zip(speakers, timelines, strict=True)
        for segment in timeline.segments
        if segment.is_speech
    ]
    adaptations = [timeline.adaptation for timeline in timelines if timeline.adaptation != NOT_ADAPTED]
    adaptation = adaptations[0] if adaptations else NOT_ADAPTED
    return replace(
        timelines[0],
        segments=tuple(sorted(segments, key=lambda segment: segment.start_s)),  # stable: in the order of the channels
        tracks=_of_the_loudest([timeline.tracks for timeline in timelines]),
        adaptation=ADAPTED_TO_SPEAKERS if adaptation == ADAPTED_TO_RECORDING else adaptation,
        channels=tuple(map(ChannelTracks, speakers, (timeline.tracks for timeline in timelines))),
        share_estimates=(),  # those of the channels are of other speakers
    )


class _ChannelProgress:
    """Reports how much of a recording has been processed, in seconds, over channels that count equally."""

    def __init__(self, channels: int, on_progress: OnProgress | None) -> None:
        self._channels, self._on_progress = channels, on_progress
        self._finished_s = 0.0

    def __call__(self, time_s: float) -> None:
        if self._on_progress is not None:
            self._on_progress((self._finished_s + time_s) / self._channels)

    def add(self, duration_s: float) -> None:
        """Count a finished channel."""
        self._finished_s += duration_s


def _speakers(choice: ChannelChoice, count: int, name: str) -> tuple[NamedChannel, ...]:
    """The channels with names of speakers: a channel without a name of its own is `channel-1`, ..."""
    channels = choice.channels(count, name)
    if choice.names or count == len(SIDES):
        return channels
    return tuple(NamedChannel(number, f"channel-{number}") for number, _ in channels)


def _of_the_loudest(tracks: Sequence[Tracks]) -> Tracks:
    """The tracks of all channels together: of each step, the values of its loudest channel, those with speech first."""
    loudness_db = np.stack([track.loudness_db for track in tracks])
    is_speech = ~np.isnan(np.stack([track.probabilities[:, 0] for track in tracks]))
    loudest = np.where(is_speech, loudness_db, loudness_db - QUIETER_DB).argmax(axis=0)

    def select(name: str) -> FloatArray:
        values: FloatArray = getattr(tracks[0], name).copy()
        for index, track in enumerate(tracks):
            values[loudest == index] = getattr(track, name)[loudest == index]
        return values

    names = ("probabilities", "pitch_hz", "loudness_db", "arousal", "valence")
    return Tracks(tracks[0].step_s, *map(select, names))


def _repeatable(source: AnyKind) -> AnyKind | RepeatableContent:
    """The source, or the content of a pipe or a file object."""
    if hasattr(source, "read"):
        content = read_file_object(cast(BinaryIO, source))
        return RepeatableContent(content, source_name(cast(Source, source))) if isinstance(content, bytes) else source
    return (read_pipe(source) or source) if isinstance(source, str | os.PathLike) else source


def _count_channels(source: AnySource, rate_hz: float | None) -> int:
    if is_file_source(source, rate_hz):
        return count_channels(source)
    if isinstance(source, Waveform):
        return 1
    shape = to_array(source).shape
    return shape[1] if len(shape) == 2 else 1


def _load(source: AnySource, channel: Channel) -> Waveform:
    if is_file_source(source, None):
        return read(source, max_duration_s=MAX_DURATION_S, channel=channel)
    return waveform_from_samples(source, None, channel)


def _name(source: AnySource) -> str:
    if isinstance(source, Waveform):
        return source.source
    return source_name(source) if is_file_source(source, None) else "array"
