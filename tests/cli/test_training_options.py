"""`read_clips`: any labels, label maps, hints, and one error for data that cannot be trained on."""

import argparse
from pathlib import Path

import pytest

from overtone.cli.errors import UsageError
from overtone.cli.main import main
from overtone.cli.training_options import data_arguments, naming_data, read_clips
from overtone.errors import CorpusError, OptionError

Labels = list[str]


def write_table(path: Path, labels: Labels, speakers: int = 0) -> Path:
    """Write a manifest with a clip per label; with `speakers`, that many speak in turn."""
    lines = ["path,emotion" + (",speaker" if speakers else "")]
    for number, label in enumerate(labels):
        (path.parent / f"{path.stem}-{number}.wav").touch()
        speaker = f",s{number % speakers}" if speakers else ""
        lines.append(f"{path.stem}-{number}.wav,{label}{speaker}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def arguments(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    data_arguments(parser)
    return parser.parse_args([*map(str, words), "--corpus", "manifest"])


def read_labels(*words: object) -> Labels:
    return [clip.emotion for clip in read_clips(arguments(*words))]


def test_labels_of_several_tables_have_one_spelling(tmp_path: Path) -> None:
    first, second = (write_table(tmp_path / f"{name}.csv", labels) for name, labels in TABLES.items())
    assert read_labels("--data", second, "--data", first) == ["TIRED", "sad", "TIRED", "happy"]


TABLES = {"a": ["tired", "joy"], "b": ["TIRED", "sad"]}


def test_a_label_like_a_known_emotion_is_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "t.csv", ["angri", "hapy", "frustrated", "satisfied", "غاضب", "sad"])
    assert len(read_labels("--data", table)) == 6
    hints = [line for line in capsys.readouterr().err.splitlines() if line.startswith("hint")]
    assert [("angri" in line, "'angry'" in line, "'happy'" in line) for line in hints] == [
        (True, True, False),
        (False, False, True),
    ]


def test_only_known_labels_refuses_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "t.csv", ["sad", "frustrated", "happy", "tired"])
    command = ["train", "--data", f"manifest={table}", "--only-known-labels", "--output", str(tmp_path / "run")]
    assert main(command) == 1
    err = capsys.readouterr().err
    assert str(table) in err and "line 3" in err and "line 5" in err and "line 2" not in err


def test_a_label_file_maps_and_drops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "t.csv", ["Frustrated", "angri", "tired", "sad", "sad"])
    (tmp_path / "own.toml").write_text('frustrated = "anger"\nangri = "angry"\nsad = "low"\nbored = "low"\n')
    assert read_labels("--data", table, "--labels", tmp_path / "own.toml") == ["angry", "angry", "low", "low"]
    err = capsys.readouterr().err
    assert "4 clips; dropped: 1 x tired" in err
    (hint,) = [line for line in err.splitlines() if line.startswith("hint")]  # the file names "angri" on purpose
    assert "bored" in hint


def test_a_bad_label_file_is_named_before_any_clip_is_read(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("frustrated = 3")
    with pytest.raises(UsageError, match=r"own\.toml.*'frustrated'"):
        read_clips(arguments("--data", tmp_path / "missing.csv", "--labels", tmp_path / "own.toml"))
    with pytest.raises(UsageError, match="did you mean '4-classes'"):
        read_clips(arguments("--data", tmp_path / "missing.csv", "--labels", "4-clases"))


@pytest.mark.parametrize("labels", [["tired", "Tired", "TIRED"], ["sad"]])
def test_a_single_class_is_an_error_with_the_table(tmp_path: Path, labels: Labels) -> None:
    table = write_table(tmp_path / "t.csv", labels)
    with pytest.raises(CorpusError) as caught:
        read_labels("--data", f"manifest={table}")
    assert str(caught.value).startswith(f"{table}: ") and labels[0] in str(caught.value)


def test_a_label_map_that_leaves_one_class_or_none_is_named(tmp_path: Path) -> None:
    for labels in (["tired", "sad"], ["tired", "bored"]):
        with pytest.raises(CorpusError, match="4-classes"):
            read_labels("--data", write_table(tmp_path / "t.csv", labels), "--labels", "4-classes")


@pytest.mark.parametrize(
    ("labels", "speakers", "protocol", "words"),
    [
        (["tired", "sad"] * 10, 1, "loso", ("s0", "'random'")),
        (["tired", "sad"] * 10, 1, "all", ("s0", "'random'")),
        (["tired", "sad"] * 10, 0, "all", ("'speaker' column", "'random'")),
        (["tired", "sad"] * 10 + ["glad"], 3, "random", ("'glad'", "t-20.wav", "--labels")),
        (["tired", "sad"] * 10 + ["glad"], 3, "loso", ("glad", "t-20.wav", "--labels")),
        (["tired", "sad"], 2, "all", ("2 clips", "10")),
    ],
)
def test_data_that_a_protocol_cannot_split_is_one_line_with_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: Labels, speakers: int, protocol: str, words: Labels
) -> None:
    pytest.importorskip("torch")
    table = write_table(tmp_path / "t.csv", labels, speakers)
    command = ["--data", f"manifest={table}", "--protocol", protocol]
    for name, options in (("train", ["--output", str(tmp_path / "run")]), ("evaluate", ["--oof", str(tmp_path)])):
        assert main([name, *command, *options]) == 1
        *_, last = capsys.readouterr().err.splitlines()
        assert last.startswith(f"overtone: {table}: ")
        assert all(word in last for word in words)


def test_the_kind_of_an_error_stays(tmp_path: Path) -> None:
    args = arguments("--data", "manifest=x.csv", "--data", "y.csv")
    with pytest.raises(OptionError, match=r"^x\.csv, y\.csv: no$"), naming_data(args):
        raise OptionError("no")
