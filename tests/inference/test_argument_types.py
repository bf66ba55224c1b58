"""Matrix of the public functions and arguments of wrong types: each is used, or refused by an error of Overtone."""

import io
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_model

import overtone
from overtone.errors import OvertoneError

RATE_HZ = 16_000
VOICE = (0.3 * np.sin(np.arange(RATE_HZ // 2) / 12)).astype(np.float32)


class Unconvertible:
    """An object that numpy cannot convert."""

    def __array__(self, *_: object, **__: object) -> None:
        raise RuntimeError("no array")


class TextFile:
    """A file that was not opened in binary mode."""

    def read(self, _: int = -1) -> str:
        return "text"


def closed() -> io.BytesIO:
    file = io.BytesIO(b"x")
    file.close()
    return file


def values() -> dict[str, Any]:
    found = {
        **{
            repr(value)[:9]: value
            for value in (None, "x", "", "16000", "a\udcff", "a\0b", 5, 1.5, -1, 0, True, 10**400)
        },
        **{repr(value): value for value in (float("nan"), float("inf"), Fraction(3, 2), Decimal(5), int, b"RIFF", {1})},
        **{repr(value): value for value in ([], [1, 2], ["a"], [None], [[1], [1, 2]], (0, 1.8, "A"), {"a": 1}, [b"a"])},
        **{f"{dtype}": (VOICE * 100).astype(dtype) for dtype in ("int32", "int64", "uint16", "float16", "complex64")},
        **{"a missing file": Path("nope"), "a folder": Path(__file__).parent, "a text file": TextFile()},
        **{"empty": VOICE[:0], "NaN": VOICE * np.nan, "transposed": np.stack([VOICE, VOICE]), "scalar": VOICE[1]},
        **{
            "2-D": np.stack([VOICE, VOICE], axis=1),
            "3-D": VOICE[None, None],
            "booleans": VOICE > 0,
            "[voice]": [VOICE],
        },
        **{"texts": np.array(["a"]), "objects": np.array([None, 1]), "dates": np.array(["2020-01-01"], "M8[D]")},
        **{"bytearray": bytearray(b"xyz"), "memoryview": memoryview(b"xyz"), "StringIO": io.StringIO("x")},
        **{"closed": closed(), "unconvertible": Unconvertible(), "function": print, "generator": (n for n in [1])},
        **{"one number": np.array([RATE_HZ]), "fields": np.zeros(3, [("a", "f4")])},
    }
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        found |= {"tensor": torch.tensor(VOICE), "tensor with grad": torch.tensor(VOICE, requires_grad=True)}
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", adapts=True)


def make_calls(model: Path, turns: Path) -> dict[str, Callable[[Any], object]]:
    recogniser = overtone.load(model)
    stereo = np.stack([VOICE, VOICE], axis=1)
    return {
        "load(model)": overtone.load,
        "load(threads)": lambda x: overtone.load(model, threads=x),
        "load(uncertain_below)": lambda x: overtone.load(model, uncertain_below=x),
        "load(emotions)": lambda x: overtone.load(model, emotions=x),
        "load(branches)": lambda x: overtone.load(model, branches=x),
        "read": overtone.read,
        "from_array": lambda x: overtone.from_array(x, RATE_HZ),
        "from_array(rate_hz)": lambda x: overtone.from_array(VOICE, x),
        "recognise": recogniser.recognise,
        "recognise(.., 16000)": lambda x: recogniser.recognise(x, RATE_HZ),
        "recognise(rate_hz)": lambda x: recogniser.recognise(VOICE, x),
        "recognise(channel)": lambda x: recogniser.recognise(VOICE, RATE_HZ, channel=x),
        "recognise_many": lambda x: list(recogniser.recognise_many(x)),
        "recognise_many([..])": lambda x: list(recogniser.recognise_many([x])),
        "recognise_many(channel)": lambda x: list(recogniser.recognise_many([], channel=x)),
        "recognise_many(channel_names)": lambda x: list(recogniser.recognise_many([], channel="each", channel_names=x)),
        "timeline": recogniser.timeline,
        "timeline(.., 16000)": lambda x: recogniser.timeline(x, RATE_HZ),
        "timeline(rate_hz)": lambda x: recogniser.timeline(VOICE, x),
        "timeline(turns)": lambda x: recogniser.timeline(VOICE, RATE_HZ, turns=x),
        "timeline(threads)": lambda x: recogniser.timeline(VOICE, RATE_HZ, threads=x),
        "timeline(adapt)": lambda x: recogniser.timeline(VOICE, RATE_HZ, adapt=x),
        "timeline(channel)": lambda x: recogniser.timeline(VOICE, RATE_HZ, channel=x),
        "timeline(channel_names)": lambda x: recogniser.timeline(stereo, RATE_HZ, channel="each", channel_names=x),
        "stream(rate_hz)": recogniser.stream,
        "stream(threads)": lambda x: recogniser.stream(RATE_HZ, threads=x),
        "stream(adapt)": lambda x: recogniser.stream(RATE_HZ, adapt=x),
        "push": lambda x: recogniser.stream(RATE_HZ).push(x),
        "adapt": recogniser.adapt,
        "adapt([..])": lambda x: recogniser.adapt([x]),
        "read_turns": overtone.read_turns,
        "read_turns(recording)": lambda x: overtone.read_turns(turns, x),
        "read_turns(duration_s)": lambda x: overtone.read_turns(turns, "talk.wav", x),
        "Segment(start_s)": lambda x: overtone.Segment(x, 2),
        "Segment(end_s)": lambda x: overtone.Segment(0, x),
        "Segment(speaker)": lambda x: overtone.Segment(0, 1, speaker=x),
        "Segment(text)": lambda x: overtone.Segment(0, 1, text=x),
    }


@pytest.mark.slow
def test_every_argument_is_used_or_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "talk.rttm").write_text("SPEAKER talk 1 0.1 0.3 <NA> <NA> anna <NA> <NA>\n")
    accepted: dict[str, list[str]] = {}
    for name, call in make_calls(model, tmp_path / "talk.rttm").items():
        for label, value in values().items():
            if "threads" in name and label == "5":
                continue
            try:
                call(value)
            except OvertoneError as error:
                assert str(error), (name, label)
            except Exception as error:
                raise AssertionError(f"{name}, {label}: {error!r}") from error
            else:
                accepted.setdefault(name, []).append(label)
    assert set(accepted["timeline(adapt)"]) == {"True"}
    assert {"bytearray", "memoryview"}.isdisjoint(accepted["push"] + accepted["recognise(.., 16000)"])
    assert set(accepted["recognise(.., 16000)"]) <= {"float16", "2-D", "tensor"}


def test_a_huge_number_of_threads_is_refused(model: Path) -> None:
    with pytest.raises(overtone.OptionError, match=r"^threads: expected at most"):
        overtone.load(model, threads=16_000)
