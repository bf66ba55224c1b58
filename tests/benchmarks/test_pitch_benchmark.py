"""The benchmark of the pitch contour: what its scores count, and a run on the example speech."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import pitch
from benchmarks.pitch import main, pad, score

SPEECH = Path(__file__).parents[2] / "examples" / "speech"


def test_scores_count_gross_errors_octaves_high_pitch_and_voicing() -> None:
    praat_hz = np.array([100, 100, 100, 100, 0, 100.0])
    scores = score(np.array([100, 200, 130, 500, 100, 0.0]), praat_hz)
    assert scores == pytest.approx({"gross": 3 / 4, "octave": 1 / 4, "high": 1 / 5, "voicing": 4 / 6})


def test_padded_clips_have_whole_frames() -> None:
    assert [len(pad(np.ones(samples, np.float32))) % pitch.HOP_SAMPLES for samples in (1, 255, 256, 257)] == [0] * 4


def test_it_writes_results_for_every_corpus(tmp_path: Path) -> None:
    pytest.importorskip("parselmouth")
    output = tmp_path / "pitch.json"
    data = [f"{name}={SPEECH}" for name in ("one", "other")]
    assert main(["--data", *data, "--clips", "2", "--output", str(output)]) == 0
    results = json.loads(output.read_text())
    assert [(row["corpus"], row["n"]) for row in results["clips"]] == [("one", 2), ("other", 2), ("all", 4)]
    assert all(row["path"]["gross"] < 0.1 and row["path"]["voicing"] > 0.85 for row in results["clips"])
    assert [row["corpus"] for row in results["recordings"]] == ["one", "other"]


@pytest.mark.parametrize("data", ["ravdess", "=folder", "name="])
def test_a_folder_without_a_name_is_an_error(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", data]) == 1
    assert "CORPUS=DIR" in capsys.readouterr().err
