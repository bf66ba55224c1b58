"""Reads the JSON of a timeline, as `overtone.formats.timeline_json` or the page of a timeline writes it.

What follows from the rest, such as the summary of each speaker, is not read. The numbers have the digits of the JSON.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from overtone.agreement import MODEL, PERSON, Agreement
from overtone.datatypes import FloatArray, Prediction
from overtone.emotions import find_class, parse_label
from overtone.errors import InputError
from overtone.formats.timeline_json import CURVES
from overtone.shares import ShareEstimate
from overtone.timeline import CORRECTED, NOT_ADAPTED, ChannelTracks, Segment, Timeline, Tracks

Value = TypeVar("Value")
MAX_MESSAGE = 300  # characters; the checks of a timeline show all values
NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # lone surrogates, but for bytes of a file name that is not UTF-8
ROUNDING = 1e-3  # of a probability of a step
REMEDY = "expected the JSON of 'overtone timeline', or of its page"


def read_timeline(path: Path) -> Timeline:
    """Return the timeline in a file.

    Args:
        path: JSON of a timeline, in UTF-8.

    Raises:
        InputError: the file cannot be read, or is no such JSON; the message names the file and the place in it.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{path}: not UTF-8; {REMEDY}") from error
    try:
        return parse_timeline(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def parse_timeline(text: str) -> Timeline:
    """Return the timeline in a JSON text.

    Raises:
        InputError: it is no such JSON; the message names the place in it.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}; {REMEDY}") from error
    root = _Node(document, "the document")
    emotions = tuple(node.text() for node in root["emotions"].items())
    if not emotions or len(set(emotions)) != len(emotions):
        raise root["emotions"].error("a list of different classes")
    source, model = root["path"].text(), root["model"].text()
    read = _SegmentReader(emotions, model, source)
    no_channels: list[_Node] = []
    read_tracks = _TracksReader(emotions, root["duration_s"].number())
    estimates: list[tuple[ShareEstimate, ...]] = []
    try:
        segments = tuple(read.segment(node) for node in root["segments"].items())
        no_estimates = _no_estimates(root, segments)
        if not no_estimates:
            estimates = [_estimates(node, emotions) for node in (*root["speakers"].items(), root["summary"])]
        return Timeline(
            source=source,
            duration_s=read_tracks.duration_s,
            emotions=emotions,
            model=model,
            segments=segments,
            tracks=read_tracks.tracks(root["tracks"]),
            turns_given=root.get("turns_given", _Node.flag, False),
            adaptation=root.get("adaptation", _Node.text, NOT_ADAPTED),
            channels=tuple(map(read_tracks.channel, root.get("channels", _Node.items, no_channels))),
            agreement=root.get("agreement", _agreement, None),
            share_estimates=tuple(estimates),
            no_estimates=no_estimates,
        )
    except InputError as error:
        message = str(error)
        raise InputError(message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "…") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


@dataclass(frozen=True)
class _Node:
    """A value of the document, and where it is."""

    value: Any
    place: str

    def error(self, expected: str) -> InputError:
        got = json.dumps(self.value)
        return InputError(f"{self.place}: expected {expected}, got {got if len(got) <= 60 else got[:60] + '…'}")

    def __getitem__(self, key: str) -> "_Node":
        if not isinstance(self.value, dict) or key not in self.value:
            raise self.error(f"an object with the key '{key}'; {REMEDY}")
        return _Node(self.value[key], f"{key} of {self.place}")

    def get(self, key: str, convert: Callable[["_Node"], Value], otherwise: Value) -> Value:
        """Return the converted value of a key, or another value where it is missing or null."""
        if not isinstance(self.value, dict) or self.value.get(key) is None:
            return otherwise
        return convert(self[key])

    def items(self) -> list["_Node"]:
        if not isinstance(self.value, list):
            raise self.error("a list")
        return [_Node(value, f"item {number} of {self.place}") for number, value in enumerate(self.value, start=1)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.error("a text")
        return NO_BYTE.sub("\ufffd", self.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.error("true or false")
        return self.value

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not _is_finite(self.value):
            raise self.error("a number")
        return float(self.value)

    def whole_number(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not 0 <= self.value < 2**31:
            raise self.error("a whole number")
        return self.value

    def numbers(self) -> FloatArray:
        """Return a list of numbers as an array; null is NaN."""
        values = [math.nan if node.value is None else node.number() for node in self.items()]
        return np.array(values, np.float32)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer of hundreds of digits
        return False


class _SegmentReader(NamedTuple):
    """Reads the segments of a timeline."""

    emotions: tuple[str, ...]
    model: str
    source: str

    def segment(self, node: _Node) -> Segment:
        """Return one segment."""
        times = node["start_s"].number(), node["end_s"].number()
        prediction = self._prediction(node)
        decided_by = node.get("decided_by", _Node.text, MODEL)
        label = node.get("emotion", self._label, "") if decided_by == PERSON else ""
        texts = node.get("speaker", _Node.text, ""), node.get("text", _Node.text, "")
        try:
            return Segment(*times, prediction, *texts, decided_by, label)
        except InputError as error:
            raise InputError(f"{node.place}: {error}") from error

    def _prediction(self, node: _Node) -> Prediction | None:
        """Return the prediction of a segment; None without probabilities, as segments without speech are written."""
        if node.value.get("probabilities") is None:
            return None
        start_s, end_s = node["start_s"].number(), node["end_s"].number()
        nothing: dict[str, _Node] = {}
        branches, prosody = (node.get(name, _objects, nothing) for name in ("branches", "prosody"))
        try:
            return Prediction(
                self.emotions,
                self._probabilities(node["probabilities"]),
                {name: self._probabilities(branch) for name, branch in branches.items()},
                duration_s=max(end_s - start_s, 0.0),
                prosody={name: value.number() for name, value in prosody.items()},
                model=self.model,
                source=self.source,
                # The threshold itself is not written: one with which exactly the same predictions are uncertain.
                uncertain_below=1.0 if node["uncertain"].flag() else 0.0,
                speech_s=node.get("speech_s", _Node.number, math.nan),
                arousal=node.get("arousal", _Node.number, math.nan),
                valence=node.get("valence", _Node.number, math.nan),
                reference_clips=node.get("reference_clips", _Node.whole_number, 0),
                channel=node.get("channel", _Node.text, ""),
            )
        except InputError as error:
            raise InputError(str(error) if node.place in str(error) else f"{node.place}: {error}") from error

    def _label(self, node: _Node) -> str:
        name = node.text()
        try:
            return find_class(name, self.emotions) or parse_label(name)
        except InputError as error:
            raise InputError(f"{node.place}: {error}") from error

    def _probabilities(self, node: _Node) -> FloatArray:
        values = np.array([node[name].number() for name in self.emotions])
        if not bool(((values >= 0) & (values <= 1)).all()):
            raise node.error("probabilities from 0 to 1")
        return values


def _objects(node: _Node) -> dict[str, _Node]:
    if not isinstance(node.value, dict):
        raise node.error("an object")
    return {name: node[name] for name in node.value}


def _no_estimates(root: _Node, segments: Sequence[Segment]) -> str:
    """Return why there are no estimates of the true shares; "" if there are, which are those of the model alone."""
    is_corrected = any(segment.by_person for segment in segments)
    missing = CORRECTED if is_corrected else "they were not stored with the timeline"
    return root.get("no_estimates", _Node.text, missing) or (CORRECTED if is_corrected else "")


def _estimates(summary: _Node, emotions: Sequence[str]) -> tuple[ShareEstimate, ...]:
    """Return the estimates in a summary, one per emotion; none without speech."""
    if not summary["estimates"].value:
        return ()
    rows = (summary["estimates"][emotion] for emotion in emotions)
    return tuple(ShareEstimate(*(row[key].number() for key in ("value", "low", "high"))) for row in rows)


def _agreement(node: _Node) -> Agreement:
    kappa = node.get("kappa", _Node.number, math.nan)
    return Agreement(node["n"].whole_number(), node["agreed"].whole_number(), kappa)


class _TracksReader(NamedTuple):
    """Reads the tracks of a timeline."""

    emotions: tuple[str, ...]
    duration_s: float

    def channel(self, node: _Node) -> ChannelTracks:
        """Return the tracks of one channel."""
        return ChannelTracks(node["speaker"].text(), self.tracks(node["tracks"]))

    def tracks(self, node: _Node) -> Tracks:
        """Return tracks, whose rounded probabilities sum to 1 again."""
        step_s = node["step_s"].number()
        by_emotion = [node["probabilities"][name].numbers() for name in self.emotions]
        curves = {name: node[name].numbers() for name in CURVES}
        if step_s <= 0 or len({len(row) for row in (*by_emotion, *curves.values())}) != 1:
            raise InputError(f"{node.place}: expected lists of the same length, and step_s > 0")
        if any(np.isnan(curves[name]).any() for name in ("pitch_hz", "loudness_db")):
            raise InputError(f"{node.place}: expected pitch_hz and loudness_db without null")
        probabilities = np.stack(by_emotion, axis=1)
        sums = probabilities.sum(axis=1, keepdims=True)
        is_speech = ~np.isnan(sums)
        far_off = np.abs(sums[is_speech] - 1) > ROUNDING * len(by_emotion)
        if bool((probabilities < 0).any()) or bool(far_off.any()):
            raise InputError(f"{node.place}: expected probabilities from 0 to 1 whose sum is 1 at each step")
        # The duration is rounded: of a last step of less than half a millisecond, nothing is left.
        steps = int(np.ceil(self.duration_s / step_s - 1e-9))
        end = steps if len(probabilities) == steps + 1 else None
        parts = [values[:end] for values in (probabilities / np.where(is_speech, sums, 1), *curves.values())]
        return Tracks(step_s, *parts)
