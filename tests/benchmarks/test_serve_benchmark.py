"""The service benchmark runs its parts, and counts wrong and rejected responses."""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import encoded
from synthetic_audio import RATE_HZ, speech_like

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")
pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")

from benchmarks import serve  # noqa: E402
from benchmarks.serving import malformed, pages  # noqa: E402
from benchmarks.serving.load import Clip, LoadStatistics  # noqa: E402


@pytest.mark.slow
def test_parts_with_small_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malformed, "BOMB_S", 1000)
    clips = tmp_path / "ravdess" / "Actor_01"
    clips.mkdir(parents=True)
    for number in (1, 2):
        samples = speech_like(np.random.default_rng(number), 6.0)
        soundfile.write(clips / f"03-01-0{number}-01-01-01-01.wav", samples, RATE_HZ)
    out = tmp_path / "serve.json"
    out.write_text('{"start": {"stored": true}}')
    sizes = {"clients": 4, "seconds": 1, "jobs": 8, "uploads": 20}
    options = [word for name, size in sizes.items() for word in (f"--{name}", str(size))]
    parts = ["recognise", "kill", "malformed"]
    assert serve.main(["--data", str(tmp_path / "ravdess"), "--output", str(out), *options, "--parts", *parts]) == 0
    results = json.loads(out.read_text())
    assert results["start"] == {"stored": True}
    assert results["recognise"]["responses"].keys() == {"correct"}
    assert results["recognise"]["correct_per_second"] > 1
    assert (results["kill"]["done"], results["kill"]["finished_twice"], results["kill"]["different_timelines"]) == (
        8,
        0,
        1,
    )
    assert results["malformed"]["server_errors"] == 0
    assert results["malformed"]["correct_afterwards"] is True
    assert sum(sum(counts.values()) for counts in results["malformed"]["statuses"].values()) == 21


@pytest.mark.slow
def test_the_web_page_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'overtone[dev]'")
    if not Path(pages.CHROMIUM).exists():
        pytest.skip(f"no Chromium at {pages.CHROMIUM}")
    monkeypatch.delenv("GRADIO_PYTHON", raising=False)
    monkeypatch.setattr(pages, "SETTLE_MS", 10)
    results = pages.measure(tmp_path, encoded(speech_like(np.random.default_rng(1), 4.0), RATE_HZ, "FLAC"), 1)
    assert "skipped" in results["gradio"]
    own = results["overtone"]
    assert (own["external_hosts"], own["leftover_files"]) == ([], 0)
    assert 10 <= own["requests"] <= 25
    assert 20 < own["loaded_kb"] < 150
    assert 0 < own["added_mb"] < 1
    assert own["result_ms"] > 0 and own["memory_mb"] > 50


def test_wrong_and_rejected_responses_are_counted() -> None:
    load, clip = LoadStatistics(), Clip(b"", {"emotion": "happy"})
    correct = json.dumps({"predictions": [clip.prediction]}).encode()
    for status, headers, content in (
        (200, {}, correct),
        (200, {}, correct.replace(b"happy", b"sad")),
        (503, {"retry-after": "1"}, b""),
        (503, {}, b""),
        (500, {}, b""),
    ):
        load.record(clip, status, headers, content, 0.0)
    outcomes = ("correct", "wrong", "rejected with Retry-After", "status 503", "status 500")
    assert load.counts == Counter(dict.fromkeys(outcomes, 1))
