"""The deletion tests of explanations: areas of known curves, summaries, and a run on a model of a few kilobytes."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, speech_like

from benchmarks import deletion_curves, explanations
from overtone.evaluation.document import to_markdown
from overtone.inference.explaining.band_changes import BANDS
from tools.report import explanations_table

WEIGHTS = np.array([0.4, 0.1, 0.3, 0.05, 0.15])


def probability(deleted: tuple[bool, ...]) -> float:
    """Return a probability to which each cell adds its weight."""
    return float(WEIGHTS[~np.array(deleted)].sum())


def test_the_right_order_has_the_best_areas() -> None:
    areas = deletion_curves.measure_areas(probability, WEIGHTS, -WEIGHTS, np.random.default_rng(0))
    deletion, insertion = areas["deletion"], areas["insertion"]
    assert deletion["explanation"] == pytest.approx(np.trapezoid([1, 0.6, 0.3, 0.15, 0.05, 0]) / 5)
    assert deletion["energy"] == pytest.approx(1 - deletion["explanation"]), "the reverse order"
    assert deletion["explanation"] < deletion["random"] < deletion["energy"]
    assert insertion["explanation"] > insertion["random"] > insertion["energy"]


def test_deleted_parts_are_silent() -> None:
    samples = speech_like(np.random.default_rng(5), 1.0)
    energies = deletion_curves.span_energies(samples)
    mask = np.arange(len(energies)) == 2
    assert deletion_curves.span_energies(deletion_curves.delete_spans(samples, mask))[2] < 0.1 * energies[2]
    before, band = deletion_curves.band_energies(samples), np.arange(BANDS) == 3
    after = deletion_curves.band_energies(deletion_curves.delete_bands(samples, band))
    assert after[3] < 1e-6 * before[3]
    np.testing.assert_allclose(np.delete(after, 3), np.delete(before, 3), rtol=1e-3)


def test_intervals_are_paired() -> None:
    interval = explanations.paired_interval(np.full(30, 0.2))
    assert interval == {"value": pytest.approx(0.2), "low": pytest.approx(0.2), "high": pytest.approx(0.2)}
    wide = explanations.paired_interval(np.random.default_rng(0).normal(0, 1, 50))
    assert wide["low"] < wide["value"] < wide["high"]


def test_a_run_is_stored_continued_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tiny_model.write(tmp_path / "tiny.onnx")
    lines = ["path,label,speaker"]
    for number in range(2):
        soundfile.write(tmp_path / f"{number}.wav", speech_like(np.random.default_rng(number), 1.0), RATE_HZ)
        lines.append(f"{number}.wav,{'happy' if number else 'sad'},s{number}")
    (tmp_path / "clips.csv").write_text("\n".join(lines) + "\n")
    tests, output = tmp_path / "tests.json", tmp_path / "out.json"
    tests.write_text(json.dumps([{"model": str(model), "protocol": "own"}]))
    options = ["--data", f"manifest={tmp_path / 'clips.csv'}", "--tests", str(tests), "--output", str(output)]
    assert explanations.main([*options, "--clips", "1", "--properties"]) == 0
    first = json.loads(output.read_text())["clips"]
    assert explanations.main(options) == 0
    content = json.loads(output.read_text())
    assert (len(first), len(content["clips"])) == (1, 2)
    assert first[0] in content["clips"], "it was not measured again"
    assert {(row["kind"], row["direction"], row["clips"]) for row in content["rows"]} == {
        (kind, direction, 2) for kind in ("spans", "bands") for direction in ("deletion", "insertion")
    }
    assert {row["property"] for row in content["properties"]} >= {"pitch", "loudness", "voice quality"}
    text = to_markdown(explanations_table.blocks(output))
    assert "2 clips of 2 speakers" in text
    assert text.count("| spans |") + text.count("| bands |") >= 4
    output.write_text("[]")
    assert explanations.main(options) == 1
    assert "out.json" in capsys.readouterr().err


def test_without_results_there_is_no_table(tmp_path: Path) -> None:
    assert explanations_table.blocks(tmp_path / "none.json") == []
