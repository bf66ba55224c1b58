"""The benchmark of the service measures what it says, and sees what goes wrong."""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import encoded
from sounds import RATE_HZ, speech_like

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")
pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")

from benchmarks import serve  # noqa: E402
from benchmarks.serving import malformed, pages  # noqa: E402
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
    assert serve.main(["--data", str(tmp_path / "ravdess"), "--output", str(out), *options, "--parts", *parts]) == 0
    told = json.loads(out.read_text())
    assert told["start"] == {"kept": True}
    assert told["recognise"]["answers"].keys() == {"right"}
    assert told["recognise"]["right_per_second"] > 1
    assert (told["kill"]["done"], told["kill"]["finished_again"], told["kill"]["different_timelines"]) == (8, 0, 1)
    assert told["malformed"]["server_errors"] == 0
    assert told["malformed"]["right_afterwards"] is True
    assert sum(sum(counts.values()) for counts in told["malformed"]["statuses"].values()) == 21


@pytest.mark.slow
def test_the_page_is_visited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'overtone[dev]'")
    if not Path(pages.CHROMIUM).exists():
        pytest.skip(f"no Chromium at {pages.CHROMIUM}")
    monkeypatch.delenv("GRADIO_PYTHON", raising=False)
    monkeypatch.setattr(pages, "SETTLES_MS", 10)
    told = pages.measure(tmp_path, encoded(speech_like(np.random.default_rng(1), 4.0), RATE_HZ, "FLAC"), 1)
    assert "left_out" in told["gradio"]
    ours = told["overtone"]
    assert (ours["elsewhere"], ours["names_left"]) == ([], 0)
    assert 10 <= ours["requests"] <= 20
    assert 20 < ours["loaded_kb"] < 100
    assert 0 < ours["adds_mb"] < 1
    assert ours["answer_ms"] > 0 and ours["memory_mb"] > 50


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
