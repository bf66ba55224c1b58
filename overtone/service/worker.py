"""The program of a worker process: it runs recognition tasks, so that a crash or hang costs one request only.

Standard input is a socket to the service. The worker receives its configuration, replies `{"ready": card}`, then runs
one task at a time. A task is a message with the name of the task as "task", and an optional binary payload. Input that
cannot be used is a reply too: `{"rejected": reason}`. The process ends with the service.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np

from overtone._internal.prediction_codec import encode_prediction
from overtone.audio.blocks import count_channels, measure_duration
from overtone.audio.decode import check_duration, read
from overtone.audio.source import source_name
from overtone.channels import MIX, Channel
from overtone.datatypes import Prediction, Waveform
from overtone.each_channel import ChannelChoice
from overtone.errors import InputError, OptionError, OvertoneError
from overtone.formats import to_bytes, write_timeline
from overtone.formats.explanation_json import to_object
from overtone.inference import channel_speakers
from overtone.inference.channel_speakers import recognise_each
from overtone.inference.recogniser import Recogniser, load
from overtone.inference.speaker_statistics import SpeakerStatistics
from overtone.service.corrected_timelines import correct
from overtone.service.ipc import Channel as MessageChannel
from overtone.service.ipc import Message
from overtone.service.timeline_codec import decode, encode
from overtone.service.worker_streams import WorkerStreams
from overtone.speaker_turns import read_turns
from overtone.timeline import Segment

PARENT_POLL_S = 1.0
MAX_OVERLAPPING_SPEAKERS = 16  # average number of simultaneous turns over the whole recording

Reply = tuple[Message, bytes]


class TaskHandler:
    """The tasks that a worker can run.

    Args:
        recogniser: makes the predictions.
        report: receives progress messages.
    """

    def __init__(self, recogniser: Recogniser, report: Callable[[Message], None]) -> None:
        self._recogniser = recogniser
        self._report = report
        streams = WorkerStreams(recogniser)
        self._tasks: dict[str, Callable[[Message, bytes], Reply]] = {
            "recognise": self._recognise,
            "explain": self._explain,
            "speaker_features": self._speaker_features,
            "timeline": self._timeline,
            "write_timeline": self._write_timeline,
            "correct_timeline": self._correct_timeline,
            "stream_open": streams.open,
            "stream_push": streams.push,
            "stream_finish": streams.finish,
            "stream_close": streams.close,
        }

    def run(self, task: Message, payload: bytes) -> Reply:
        """Run one task and return its reply."""
        try:
            return self._tasks[task["task"]](task, payload)
        except OvertoneError as error:
            return {"rejected": _use_client_name(str(error), task)}, b""

    def _recognise(self, task: Message, payload: bytes) -> Reply:
        """Recognise an audio file, which is the payload; with "moments", adapted to reference clips.

        If each channel is a speaker, the reply has the result of each as "channels".
        """
        recogniser, choice = self._adapted(task), _channel_choice(task)
        load_channel = partial(_load_channel, payload, task)
        if not choice.is_each:
            prediction = recogniser.recognise(load_channel(choice.channel))
            return {"prediction": encode_prediction(replace(prediction, channel=choice.channel.removeprefix(MIX)))}, b""
        channels = choice.channels(count_channels(payload), task["name"])
        results = [result for _, result in recognise_each(recogniser.recognise, channels, load_channel)]
        return {"channels": [_to_message(result, task) for result in results]}, b""

    def _explain(self, task: Message, payload: bytes) -> Reply:
        """Explain the prediction for an audio file, which is the payload; that of the reply is a JSON object."""
        options = {name: task[name] for name in ("emotion", "start_s", "end_s", "offset_s", "channel")}
        explanation = self._adapted(task).explain(payload, **options)
        prediction = replace(explanation.prediction, source=task["name"])
        return {}, json.dumps(to_object(replace(explanation, prediction=prediction))).encode()

    def _adapted(self, task: Message) -> Recogniser:
        """Return the recogniser; with "moments" in the task, adapted to reference clips."""
        if "moments" not in task:
            return self._recogniser
        moments = np.array(task["moments"], np.float32)
        return self._recogniser.adapt_to(SpeakerStatistics(moments, task["reference_clips"]))

    def _speaker_features(self, task: Message, payload: bytes) -> Reply:
        """Measure a reference clip, which is the payload; the payload of the reply is float32 `(values,)`."""
        waveform = _load_channel(payload, task, _channel_choice(task).channel)
        return {}, self._recogniser.speaker_features(waveform).tobytes()

    def _timeline(self, task: Message, payload: bytes) -> Reply:
        """Build the timeline of a file; the payload of the reply is the encoded timeline."""
        duration_s = measure_duration(task["path"])
        check_duration(duration_s, task["max_duration_s"], task["path"])
        turns = None if task["turns"] is None else read_turns(Path(task["turns"]), task["name"], duration_s)
        _check_overlap(turns or (), duration_s, task["name"])
        choice = _channel_choice(task)
        if choice.is_each:
            _check_channels(count_channels(task["path"]), task["name"])
        timeline = channel_speakers.timeline(
            self._recogniser.model,
            task["path"],
            choice=choice,
            turns=turns,
            adapt=task["adapt"],
            name=task["name"],
            # A progress message is also when a deleted job is cancelled.
            on_progress=lambda time_s: self._report({"processed_s": time_s, "duration_s": duration_s}),
        )
        return {"duration_s": duration_s}, encode(timeline)

    def _write_timeline(self, task: Message, payload: bytes) -> Reply:
        """Write an encoded timeline, which is the payload, in a format and a dialect of CSV."""
        timeline, format, options = decode(payload), task["format"], {"is_local": False, "dialect": task["dialect"]}
        return {}, to_bytes(lambda stream: write_timeline(timeline, stream, format, **options))

    def _correct_timeline(self, task: Message, payload: bytes) -> Reply:
        """Correct an encoded timeline, which is the payload; that of the reply is the encoded corrected timeline."""
        return {}, encode(correct(decode(payload), task["corrections"]))


def _channel_choice(task: Message) -> ChannelChoice:
    return ChannelChoice(task.get("channel", MIX), tuple(task.get("channel_names", ())))


def _load_channel(payload: bytes, task: Message, channel: Channel) -> Waveform:
    return read(payload, max_duration_s=task["max_duration_s"], channel=channel)


def _to_message(result: Prediction | OvertoneError, task: Message) -> Message:
    if isinstance(result, Prediction):
        return {"prediction": encode_prediction(result)}
    return {"rejected": _use_client_name(str(result), task)}


def _check_channels(count: int, name: str) -> None:
    """Check the number of channels that are speakers, which bounds the work, as `_check_overlap` does.

    Raises:
        InputError: more than `MAX_OVERLAPPING_SPEAKERS`.
    """
    if count > MAX_OVERLAPPING_SPEAKERS:
        raise InputError(f"{name}: has {count} channels; at most {MAX_OVERLAPPING_SPEAKERS} can be speakers")


def _check_overlap(turns: Iterable[Segment], duration_s: float, name: str) -> None:
    """Check the total duration of the turns, which bounds the work: each turn is recognised separately.

    Raises:
        InputError: more than `MAX_OVERLAPPING_SPEAKERS` times the duration of the recording.
    """
    if sum(turn.duration_s for turn in turns) > MAX_OVERLAPPING_SPEAKERS * duration_s:
        raise InputError(
            f"{name}: more than {MAX_OVERLAPPING_SPEAKERS} turns at the same time on average; send fewer turns"
        )


def _use_client_name(text: str, task: Message) -> str:
    """Replace the paths of our files in a message by the name that the client gave."""
    for path in (task.get("turns"), task.get("path"), source_name(b"")):
        text = text.replace(path, task["name"]) if path and "name" in task else text
    return text


def work(channel: MessageChannel) -> None:
    """Load the model and run tasks until the service closes the connection."""
    config, _ = channel.receive()
    os.nice(config["nice"])
    try:
        recogniser = load(
            config["model"] or None,
            uncertain_below=config["uncertain_below"],
            emotions=config["emotions"],
            branches=config["branches"],
        )
    except OvertoneError as error:
        channel.send({"failed": str(error), "is_option_error": isinstance(error, OptionError)})
        return
    tasks = TaskHandler(recogniser, channel.send)
    used = {
        "uncertain_below": recogniser.uncertain_below,
        "predicted_emotions": recogniser.emotions,
        "can_adapt": recogniser.can_adapt,
    }
    channel.send({"ready": {**recogniser.card, **used}})
    while True:
        channel.send(*tasks.run(*channel.receive()))


def _terminate_with_parent(parent: int) -> None:
    """Terminate this process once its parent process has ended, whatever task is running."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _silence_c_libraries() -> None:
    """Discard what C libraries print about damaged files; Python's own output still goes to stderr."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with Path(os.devnull).open("wb") as null:
        os.dup2(null.fileno(), 2)


def _log_without_values(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback and the type of an error, but not its message, which may hold data of a client."""
    sys.stderr.write("".join(traceback.format_tb(trace)) + f"{kind.__name__}\n")


if __name__ == "__main__":
    sys.excepthook = _log_without_values
    _silence_c_libraries()
    threading.Thread(target=_terminate_with_parent, args=(os.getppid(),), daemon=True).start()
    with suppress(ConnectionError):
        work(MessageChannel(socket.socket(fileno=os.dup(0))))
