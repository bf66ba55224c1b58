"""Runs the task of one input in a worker process: its audio -> the exact values of predictions as JSON, or an "error".

    {"probabilities": [...], ...}                       # one channel, or the mean of all
    {"channels": [{"probabilities": [...], ...}, {"error": "...", "channel": "right"}]}     # each channel is a speaker

The task is a tuple of some fields of an `overtone.batch.inputs.Input`.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from overtone._internal.prediction_codec import encode_prediction
from overtone._internal.special_files import is_special
from overtone.audio.blocks import count_channels
from overtone.audio.decode import read
from overtone.audio.source import Source
from overtone.batch.object_storage import is_url, open_audio
from overtone.channels import Channel
from overtone.datatypes import Prediction, Waveform
from overtone.each_channel import ChannelChoice
from overtone.errors import AudioError, OvertoneError
from overtone.inference.channel_speakers import recognise_each
from overtone.inference.inputs import MAX_DURATION_S
from overtone.inference.recogniser import Recogniser

MAX_TASK_S = 300  # per task; the longest allowed input takes seconds

Task = tuple[str, float | None, float | None, str, str]  # path, start_s, end_s, channel, error: fields of an `Input`


class InputAudio(NamedTuple):
    """The audio of an input: a file or a segment of it."""

    path: str
    start_s: float | None
    end_s: float | None

    def open(self) -> Source:
        """Return the path, or the content of a URL."""
        return open_audio(self.path) if is_url(self.path) else self.path

    def read(self, channel: Channel) -> Waveform:
        """Return one channel."""
        start_s = self.start_s or 0.0
        return read(self.open(), start_s=start_s, end_s=self.end_s, max_duration_s=MAX_DURATION_S, channel=channel)


def recognise_input(recogniser: Recogniser, task: Task, choice: ChannelChoice) -> dict[str, Any]:
    """Return the exact values of a prediction as JSON values, or an "error".

    Args:
        recogniser: makes the prediction.
        task: the input; its channel has priority.
        choice: the channel, and the names of all channels if each is a speaker.
    """
    chosen = choice_of(task, choice)
    if chosen.is_each:
        return run_on_input(partial(_recognise_channels, recogniser, chosen), task)
    return run_on_input(partial(_recognise, recogniser, chosen.channel), task)


def choice_of(task: Task, choice: ChannelChoice) -> ChannelChoice:
    """Return the channel of a task: its own, else that of the choice."""
    return choice._replace(channel=task[3] or choice.channel)


def run_on_input(use: Callable[[InputAudio], dict[str, Any]], task: Task) -> dict[str, Any]:
    """Return the result of a function for the audio of a task, a JSON value; or an "error".

    It kills the process when the task takes more than `MAX_TASK_S`.
    """
    path, start_s, end_s, _, error = task
    try:
        if error:
            raise AudioError(error)
        with _time_limit():
            if is_special(Path(path)):
                raise AudioError(f"{path}: is not a regular file")
            return use(InputAudio(path, start_s, end_s))
    except OvertoneError as failure:
        return {"error": str(failure)}


def _recognise(recogniser: Recogniser, channel: str, audio: InputAudio) -> dict[str, Any]:
    return encode_prediction(replace(recogniser.recognise(audio.read(channel)), channel=channel))


def _recognise_channels(recogniser: Recogniser, choice: ChannelChoice, audio: InputAudio) -> dict[str, Any]:
    channels = choice.channels(count_channels(audio.open()), audio.path)
    # Not the given names: a list of failures is also a manifest of what to try again.
    valid = {name: number if choice.names else name for number, name in channels}
    parts = []
    for name, result in recognise_each(recogniser.recognise, channels, audio.read):
        error = {"error": str(result), "channel": valid.get(name, name)}
        parts.append(encode_prediction(result) if isinstance(result, Prediction) else error)
    return {"channels": parts}


@contextmanager
def _time_limit() -> Iterator[None]:
    """End the process by SIGALRM after `MAX_TASK_S`, since no exception can interrupt a decoder that hangs."""
    if not hasattr(signal, "alarm"):  # Windows
        yield
        return
    signal.alarm(MAX_TASK_S)
    try:
        yield
    finally:
        signal.alarm(0)
