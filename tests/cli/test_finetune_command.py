"""`overtone finetune` from the command line: a model and what to expect of it, or one clear line."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import soundfile
from synthetic_audio import RATE_HZ

pytest.importorskip("torch")

from overtone.cli.main import main
from overtone.inference.recogniser import load

LABELS = ("sad", 'very,\n"glad"', "غاضب")


def write_table(folder: Path, labels: tuple[str, ...] = LABELS, speakers: int = 3, clips: int = 2) -> Path:
    """Write a manifest.csv and its clips; return its folder."""
    rng = np.random.default_rng(5)
    folder.mkdir(exist_ok=True)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "emotion", "speaker"])
        for speaker in range(speakers):
            for number, label in enumerate(labels * clips):
                name = f"{speaker}-{number}.wav"
                soundfile.write(folder / name, small_corpus.clip(number % len(labels), rng), RATE_HZ)
                rows.writerow([name, label, f"speaker {speaker}"])
    return folder


def run(data: Path, output: Path, *options: object) -> int:
    """Run the command."""
    return main(["finetune", str(data), "--output", str(output), "--cache", str(data / "cache"), *map(str, options)])


@pytest.mark.slow
def test_a_folder_of_labelled_clips_becomes_a_model(
    encoder_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_table(tmp_path / "data", clips=3)
    assert run(data, tmp_path / "mine", "--init-from", encoder_model.parent) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("expect on other speakers, recorded likewise: UAR ") and "recall: " in out
    assert "to improve it: more speakers: 3 are few" in out
    assert lines[-1] == str(tmp_path / "mine" / "model.onnx") and "Traceback" not in err
    recogniser = load(lines[-1])
    assert recogniser.emotions == ("sad", 'very, "glad"', "غاضب") and recogniser.card["id"] == "mine"
    with (data / "manifest.csv").open("a", encoding="utf-8") as file:
        file.write("missing.wav,sad,speaker 1\n")  # the others are used
    again = tmp_path / "again"
    assert run(data, again, "--init-from", tmp_path / "mine" / "model.onnx", "--id", "next") == 1
    err = capsys.readouterr().err
    assert "was trained on manifest too: if on the same speakers, the expected scores are too high" in err
    assert "overtone: left out 1 of" in err and "missing.wav" in err.splitlines()[-1]
    assert load(again / "model.onnx").card["init_corpora"] == ["manifest", "ravdess"]


def test_an_output_in_use_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").touch()
    assert run(tmp_path / "missing", tmp_path / "used") == 1
    assert (
        capsys.readouterr().err
        == f"overtone: {tmp_path / 'used'} exists already; choose another folder, or delete it\n"
    )


@pytest.mark.parametrize(
    ("labels", "options", "expected"),
    [
        (("sad",) * 3, (), "all 18 clips are 'sad'"),
        (
            ("sad", "happy"),
            ("--init-from", "lite"),
            "lite.onnx: of another architecture, with the branches mel, prosody",
        ),
        (("sad", "happy"), ("--init-from", "none.onnx"), "none.onnx: the model cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    labels: tuple[str, ...], options: tuple[str, ...], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_table(tmp_path / "data", labels)
    assert run(data, tmp_path / "run", *options) == 1
    lines = capsys.readouterr().err.splitlines()
    assert (
        expected in lines[-1] and lines[-1].startswith("overtone: ") and len(lines) == 2
    )  # the first counts the clips
    assert not (tmp_path / "run").exists()


def test_contradictory_labels_of_one_sound_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_table(tmp_path / "data", ("sad", "happy"))
    shutil.copy(data / "0-0.wav", data / "1-1.wav")
    assert run(data, tmp_path / "run") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "1 of 12 clips have the sound of another clip with another label" in line
    assert f"{data / '0-0.wav'} is 'sad', and {data / '1-1.wav'} 'happy'" in line
    assert line.startswith(f"overtone: {data}: ") and not (tmp_path / "run").exists()


def test_bad_rows_of_a_manifest_are_counted_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_table(tmp_path / "data", ("sad", "happy"))
    with (data / "manifest.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"missing-{k}.wav,sad,anna\n" for k in range(50))
    assert run(data, tmp_path / "run") == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and "missing-0.wav" in err and "40 more" in err
