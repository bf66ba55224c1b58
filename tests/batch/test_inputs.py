"""Sources expand to files without duplicates; manifest columns are kept, and all manifest errors are reported."""

import os
import sys
from pathlib import Path

import pytest

from overtone.batch.inputs import Input, collect_inputs
from overtone.errors import CorpusError, InputError, MissingExtraError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with audio files in it and its subfolders."""
    for name in ("in/b.wav", "in/deep/a.flac", "in/deep/.hidden.wav", "x[1].wav", "x1.wav", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*sources: str) -> list[str]:
    return [row.name for row in collect_inputs(sources).rows]


def write_manifest(text: str) -> Path:
    Path("m.csv").write_text(text, "utf-8")
    return Path("m.csv")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["in"], ["in/b.wav", "in/deep/a.flac"]),
        (["in/deep/a.flac", "in", "./in/b.wav"], ["in/deep/a.flac", "in/b.wav"]),
        (["in/**/*.*"], ["in/b.wav", "in/deep/a.flac"]),
        (["in/**/.*"], ["in/deep/.hidden.wav"]),
        (["x*.wav"], ["x1.wav", "x[1].wav"]),
        (["x[1].wav"], ["x[1].wav"]),
        (["i?"], ["in/b.wav", "in/deep/a.flac"]),
        (["gone.wav"], ["gone.wav"]),
    ],
)
def test_files_folders_and_patterns(folder: Path, sources: list[str], expected: list[str]) -> None:
    assert names(*sources) == expected
    absolute = [str(folder / source) for source in sources]
    assert [os.path.relpath(name, folder) for name in names(*absolute)] == expected


def test_circular_links_are_searched_once(folder: Path) -> None:
    Path("in/deep/up").symlink_to("..")
    Path("in/deep/self").symlink_to(".")
    Path("again").symlink_to("in")
    Path("in/loop.wav").symlink_to("loop.wav")
    files = ["in/b.wav", "in/deep/a.flac", "in/loop.wav"]
    assert names("in", "again") == files
    assert sorted(names("**/*.wav", "**/*.flac", "again")) == sorted([*files, "x1.wav", "x[1].wav"])


def test_a_folder_that_cannot_be_searched_is_an_input_with_an_error(folder: Path) -> None:
    Path("empty").mkdir()
    (row,) = collect_inputs(["empty"]).rows
    assert row.name == "empty"
    assert row.error.startswith("empty: a folder without ")


def test_a_pattern_that_matches_nothing(folder: Path) -> None:
    with pytest.raises(InputError, match=r"in/\*\.mp3: no file matches"):
        collect_inputs(["in", "in/*.mp3"])


def test_paths_are_relative_to_the_manifest(folder: Path) -> None:
    text = (
        '\ufeffid,path,start_s,end_s,said\n1,b.wav,,,"oh, ""no""\n"\n\n2,deep/a.flac, 0.5,2,\n2,deep/a.flac, 0.5,2,\n'
    )
    Path("in/m.csv").write_text(text, "utf-8")
    found = collect_inputs(["in/m.csv"])
    assert found.columns == ("id", "start_s", "end_s", "said")
    second = Input("deep/a.flac", "in/deep/a.flac", 0.5, 2.0, ("2", " 0.5", "2", ""))
    assert list(found.rows) == [Input("b.wav", "in/b.wav", None, None, ("1", "", "", 'oh, "no"\n')), second, second]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m.csv: is empty; expected a table with"),
        ("name\na.wav\n", "m.csv: no column 'path'; expected"),
        ("path,File\na.wav,b.wav\n", "m.csv, line 1: the columns 'path' and 'File' both mean 'path'"),
        ("path|id\na.wav|1\n", "m.csv: no column 'path'; expected"),
        ("path,id,id\na.wav,1,2\n", "column 'id'"),
        ("path\n", "m.csv: has no rows"),
        ("path,id\na.wav\n", "m.csv, line 2: 1 cells where the header has 2"),
        ("path,id\n,1\n", "m.csv, line 2: its 'path' is not a file name"),
        ("path,end_s\na.wav,soon\n", "m.csv, line 2: end_s 'soon' is not"),
        ("path,channel\na.wav,phone\n", "m.csv, line 2: channel: expected mix, each, left, right or a number"),
        ("path,start_s,end_s\na.wav,2,1\nb.wav,0,nan\n", "\n  line 2: end_s 1.0 "),
        ('path\n"a.wav', "m.csv, line 2: not CSV"),
    ],
)
def test_manifest_errors_are_reported(folder: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        collect_inputs([str(write_manifest(text))])
    assert message in str(caught.value)


def test_bad_rows_do_not_affect_the_others(folder: Path) -> None:
    bad = [",1", "x1.wav", "x1.wav,soon"]
    rows = [bad[number // 200 % 3] if number % 200 == 0 else f"x1.wav,{number}" for number in range(10_000)]
    found = collect_inputs([str(write_manifest("path,end_s\n" + "\n".join(rows) + "\n"))])
    assert len(found.rows) == 10_000
    errors = [row.error for row in found.rows if row.error]
    assert errors[:3] == [
        "m.csv, line 2: its 'path' is not a file name",
        "m.csv, line 202: 1 cells where the header has 2",
        "m.csv, line 402: end_s 'soon' is not a number of seconds such as 12.5",
    ]
    assert len(errors) == 50


def test_columns_have_other_names_and_paths_of_windows(folder: Path) -> None:
    Path("in/m.tsv").write_text(
        "File\tSTART\tEnd\tChannel\tNote\n deep\\a.flac \t0 days 00:00:01\t0:02\tRight\tx\n", "utf-8"
    )
    found = collect_inputs(["in/m.tsv"])
    assert (found.columns, found.has_channels) == (("START", "End", "Note"), True)
    values = ("0 days 00:00:01", "0:02", "x")
    assert list(found.rows) == [Input(" deep\\a.flac ", "in/deep/a.flac", 1.0, 2.0, values, channel="right")]


def test_tables_of_a_folder_have_the_columns_of_all(folder: Path) -> None:
    Path("in/1.jsonl").write_text('{"path": "b.wav", "id": 1, "n": 2}\n')
    Path("in/2.jsonl").write_text('{"path": "b.wav", "id": "x", "n": 3}\n')
    found = collect_inputs(["manifest=in"])
    assert (found.columns, found.types) == (("id", "n"), {"n": int})
    assert [row.values for row in found.rows] == [("1", 2), ("x", 3)]


def test_a_manifest_that_is_not_utf8_or_missing(folder: Path) -> None:
    Path("m.csv").write_bytes(b"path\n\xff.wav\n")
    with pytest.raises(CorpusError, match=r"m\.csv: not UTF-8"):
        collect_inputs(["m.csv"])
    with pytest.raises(CorpusError, match=r"gone\.csv: cannot be read: No such file"):
        collect_inputs(["gone.csv"])


def test_a_manifest_must_be_the_only_source(folder: Path) -> None:
    write_manifest("path\nx1.wav\n")
    with pytest.raises(InputError, match=r"m\.csv: a manifest must be the only source"):
        collect_inputs(["in", "m.csv"])


def test_the_digest_changes_with_every_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["path,id\nx1.wav,1\n", "path,id\nx1.wav,2\n", "path,ID\nx1.wav,1\n", "path,id\nx1.wav,1\nx1.wav,1\n"]
    digests = [collect_inputs([str(write_manifest(text))]).digest() for text in (*texts, texts[0])]
    assert len(set(digests)) == len(texts)
    assert digests[0] == digests[-1]
    relative = collect_inputs(["m.csv"]).digest()
    Path("elsewhere").mkdir()
    Path("elsewhere/m.csv").write_text(texts[0])
    monkeypatch.chdir("elsewhere")
    assert collect_inputs(["m.csv"]).digest() != relative, "the same names in another folder are other files"


def test_a_parquet_manifest_keeps_its_types(folder: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import datetime

    import pyarrow.parquet

    columns = {
        "path": ["b.wav", "deep/a.flac"],
        "end_s": pa.array([None, 1.5], pa.float32()),
        "id": pa.array([3, None], pa.int16()),
        "day": [datetime.date(2024, 5, 17), None],
        "share": [float("nan"), 0.25],
    }
    pyarrow.parquet.write_table(pa.table(columns), "in/m.parquet")
    found = collect_inputs(["in/m.parquet"])
    assert found.columns == ("end_s", "id", "day", "share")
    assert list(found.rows) == [
        Input("b.wav", "in/b.wav", None, None, (None, 3, "2024-05-17", None)),
        Input("deep/a.flac", "in/deep/a.flac", None, 1.5, (1.5, None, None, 0.25)),
    ]
    assert {name: str(type_) for name, type_ in found.types.items()} == {
        "end_s": "float",
        "id": "int16",
        "share": "double",
    }
    Path("m.parquet").write_text("not a table")
    with pytest.raises(CorpusError, match=r"m\.parquet: cannot be read as Parquet"):
        collect_inputs(["m.parquet"])


def test_a_parquet_manifest_without_pyarrow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[parquet\]'"):
        collect_inputs(["m.parquet"])


def test_intervals_of_a_nemo_manifest_and_in_milliseconds(folder: Path) -> None:
    Path("m.jsonl").write_text('{"audio_filepath": "x1.wav", "offset": 1.5, "duration": 2}\n', "utf-8")
    inputs = collect_inputs(["m.jsonl"])
    assert [(row.name, row.start_s, row.end_s) for row in inputs.rows] == [("x1.wav", 1.5, 3.5)]
    assert (inputs.columns, inputs.rows[0].values) == (("offset", "duration"), (1.5, 2))
    (row,) = collect_inputs([str(write_manifest("path,start_ms,end_ms\nx1.wav,1500,0:02\n"))]).rows
    assert (row.start_s, row.end_s, row.values) == (1.5, 2.0, ("1500", "0:02"))


def test_an_ambiguous_time_is_an_error(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"m\.csv, line 2: the column 'offset' is not read"):
        collect_inputs([str(write_manifest("path,start,offset\nx1.wav,1,2\n"))])
