"""The benchmark of the service measures what it says, and sees what goes wrong."""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import RATE_HZ, speech_like

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")
pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")

from benchmarks import serve  # noqa: E402
from benchmarks.serving import malformed  # noqa: E402
from benchmarks.serving.load import Clip, Load  # noqa: E402


@pytest.mark.slow
def test_parts_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malformed, "BOMB_S", 1000)
    clips = tmp_path / "ravdess" / "Actor_01"
    clips.mkdir(parents=True)
    for number in (1, 2):
        sound = speech_like(np.random.default_rng(number), 6.0)
        soundfile.write(clips / f"03-01-0{number}-01-01-01-01.wav", sound, RATE_HZ)
    out = tmp_path / "serve.json"
    out.write_text('{"start": {"kept": true}}')
    sizes = {"clients": 4, "seconds": 1, "jobs": 8, "uploads": 20}
    options = [word for name, size in sizes.items() for word in (f"--{name}", str(size))]
    parts = ["recognise", "kill", "malformed"]
    assert serve.main(["--data", str(tmp_path / "ravdess"), "--out", str(out), *options, "--parts", *parts]) == 0
    told = json.loads(out.read_text())
    assert told["start"] == {"kept": True}
    assert told["recognise"]["answers"].keys() == {"right"}
    assert told["recognise"]["right_per_second"] > 1
    assert (told["kill"]["done"], told["kill"]["finished_again"], told["kill"]["different_timelines"]) == (8, 0, 1)
    assert told["malformed"]["server_errors"] == 0
    assert told["malformed"]["right_afterwards"] is True
    assert sum(sum(counts.values()) for counts in told["malformed"]["statuses"].values()) == 21


def test_a_wrong_answer_and_a_refusal_without_a_time_are_seen() -> None:
    load, clip = Load(), Clip(b"", {"emotion": "happy"})
    right = json.dumps({"answers": [clip.answer]}).encode()
    for status, headers, content in (
        (200, {}, right),
        (200, {}, right.replace(b"happy", b"sad")),
        (503, {"retry-after": "1"}, b""),
        (503, {}, b""),
        (500, {}, b""),
    ):
        load.take(clip, status, headers, content, 0.0)
    names = ("right", "wrong", "refused with Retry-After", "status 503", "status 500")
    assert load.counts == Counter(dict.fromkeys(names, 1))
