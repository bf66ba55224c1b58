"""`--turns FILE --keep-labels`: labels that a person corrected in Praat or ELAN stay, and the agreement is reported."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tiny_model
from pympi import Eaf

from overtone.audio.decode import read
from overtone.cli.main import main

SPEECH = Path(__file__).resolve().parent.parent.parent / "examples" / "speech"
RATE_HZ = 16_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a model, a recording of speech and five turns; there is no speech in the last one."""
    tiny_model.write(tmp_path / "tiny.onnx")
    clips = [read(SPEECH / f"{name}.flac").samples for name in ("level", "slow-soft-low")]
    speech = np.concatenate(clips)[: 6 * RATE_HZ]
    soundfile.write(tmp_path / "talk.wav", np.concatenate([speech, np.zeros(2 * RATE_HZ)]), RATE_HZ)
    duration_s = len(speech) / RATE_HZ
    turns = [(k * duration_s / 4, (k + 1) * duration_s / 4, "anna" if k % 2 else "ben") for k in range(4)]
    rows = [*turns, (duration_s + 0.5, duration_s + 1.5, "ben")]
    lines = [f"{start_s:.3f},{end_s:.3f},{speaker}\n" for start_s, end_s, speaker in rows]
    (tmp_path / "turns.csv").write_text("start_s,end_s,speaker\n" + "".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def timeline(*arguments: str) -> int:
    return main(["timeline", "talk.wav", "--model", "tiny.onnx", "--uncertain-below", "0", "--no-adapt", *arguments])


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert timeline(*arguments, "--format", "json") == 0
    return json.loads(capsys.readouterr().out)


def correct_elan(path: Path, changes: dict[int, str]) -> None:
    """Change the labels of annotations, in the order of their start."""
    eaf = Eaf(str(path))
    tiers = [name for name in eaf.get_tier_names() if name.startswith("emotion")]
    spans = sorted((*span[:3], tier) for tier in tiers for span in eaf.get_annotation_data_for_tier(tier))
    for number, label in changes.items():
        start, end, _, tier = spans[number]
        eaf.remove_annotation(tier, (start + end) // 2)
        eaf.add_annotation(tier, start, end, label)
    eaf.to_file(str(path))


def correct_textgrid(path: Path, changes: dict[int, str], labels: list[str]) -> None:
    """Change the labels of intervals of emotion, each of which has another text in this file."""
    text = path.read_text("utf-8")
    for number, label in changes.items():
        assert text.count(f'text = "{labels[number]}"') == 1
        text = text.replace(f'text = "{labels[number]}"', f'text = "{label}"')
    path.write_text(text, "utf-8")


def test_corrected_elan_labels_are_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    assert timeline("--turns", "turns.csv", "--output", "talk.eaf") == 0
    model = [row.get("emotion") for row in as_json(capsys, "--turns", "talk.eaf")["segments"]]
    assert None not in model[:4] and model[4] is None
    other = "sad" if model[0] != "sad" else "angry"
    correct_elan(folder / "talk.eaf", {0: other.upper(), 1: "frustrated", 2: "uncertain (sad)", 4: "tired"})
    found = as_json(capsys, "--turns", "talk.eaf", "--keep-labels")
    rows = [(row.get("emotion"), row["decided_by"], row.get("model_emotion")) for row in found["segments"]]
    assert rows == [
        (other, "person", model[0]), ("frustrated", "person", model[1]),
        (model[2], "model", None), (model[3], "model", None), ("tired", "person", None),
    ]  # fmt: skip
    pairs = list(zip([other, "frustrated", model[3]], [model[0], model[1], model[3]], strict=True))
    kappa = metrics.cohen_kappa_score(*zip(*pairs, strict=True))
    assert found["agreement"] == {"n": 3, "agreed": 1, "kappa": pytest.approx(kappa, abs=1e-6)}
    assert timeline("--turns", "talk.eaf", "--keep-labels") == 0
    out = capsys.readouterr().out
    assert f"1 of 3 labelled segments (33%); Cohen's kappa {kappa:.2f}\n" in out and "frustrated (person)" in out


def test_who_decided_is_kept_over_several_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert timeline("--turns", "turns.csv", "--output", "a.eaf") == 0
    model = [row.get("emotion") for row in as_json(capsys, "--turns", "a.eaf")["segments"]]
    correct_elan(folder / "a.eaf", {0: "frustrated", 1: f"wrong ({model[1]})"})
    first = as_json(capsys, "--turns", "a.eaf", "--keep-labels")
    assert timeline("--turns", "a.eaf", "--keep-labels", "--output", "b.TextGrid") == 0
    assert 'name = "decided by@ben"' in Path("b.TextGrid").read_text("utf-8")
    assert as_json(capsys, "--turns", "b.TextGrid", "--keep-labels") == first
    assert [row["emotion"] for row in first["segments"][:2]] == ["frustrated", None]
    assert first["agreement"]["n"] == 4 and first["agreement"]["agreed"] == 2, "wrong is no agreement"
    correct_textgrid(folder / "b.TextGrid", {0: model[0]}, ["frustrated"])
    confirmed = as_json(capsys, "--turns", "b.TextGrid", "--keep-labels")["segments"][0]
    assert (confirmed["emotion"], confirmed["decided_by"]) == (model[0], "person"), "the file says so"


def test_a_label_that_may_be_a_typing_error_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert timeline("--turns", "turns.csv", "--output", "talk.eaf") == 0
    correct_elan(folder / "talk.eaf", {0: "happyy", 1: "frustrated"})
    assert timeline("--turns", "talk.eaf", "--keep-labels") == 0
    err = capsys.readouterr().err
    assert "hint: talk.eaf: the label 'happyy' is a class of its own; did you mean 'happy'?" in err
    assert err.count("hint:") == 1


def test_labels_that_cannot_be_kept_are_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert timeline("--keep-labels") == 1
    assert timeline("--turns", "turns.csv", "--keep-labels") == 1
    assert timeline("--turns", "turns.csv", "--output", "talk.TextGrid") == 0
    text = Path("talk.TextGrid").read_text("utf-8")
    Path("other.TextGrid").write_text(text.replace('"emotion@', '"words of '), "utf-8")
    assert timeline("--turns", "other.TextGrid", "--keep-labels") == 1
    err = capsys.readouterr().err
    assert "--keep-labels: concerns speaker turns" in err
    assert "turns.csv: --keep-labels needs a TextGrid or ELAN file" in err
    assert "other.TextGrid: --keep-labels needs a TextGrid or ELAN file" in err
