"""Databases that the package audformat wrote are read as the package reads them; see `audformat/make_example.py`."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from overtone.corpora import manifest
from overtone.corpora.tables import read_tables
from overtone.errors import CorpusError, MissingExtraError

EXAMPLE = Path(__file__).parent / "audformat"
EXPECTED = json.loads((EXAMPLE / "expected.json").read_text("utf-8"))


@pytest.fixture(params=["csv", "parquet"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an example, with empty audio files."""
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    folder = Path(shutil.copytree(EXAMPLE / request.param, tmp_path / "db"))
    (folder / "wav").mkdir()
    for number in range(1, 5):
        (folder / "wav" / f"{number}.wav").touch()
    return folder


@pytest.mark.parametrize("selection", EXPECTED)
def test_clips_are_those_of_the_package(database: Path, selection: str) -> None:
    scan = manifest.read(Path(f"{database}#{selection}"))
    found = [
        {
            "file": u.path.relative_to(database).as_posix(),
            "start_s": u.start_s,
            "end_s": u.end_s,
            "emotion": u.emotion,
            "speaker": u.speaker,
            "gender": u.gender,
        }
        for u in scan.utterances
    ]
    known = {"anger": "angry", "joy": "happy", "other": ""}
    expected = [{key: known.get(value, value) for key, value in row.items()} for row in EXPECTED[selection]]
    assert found == expected
    unlabelled = {"emotion.all.emotion": 1, "parts.gold": 0, "parts.rater1": 1}[selection]
    assert scan.ignored == ({"without a label": unlabelled} if unlabelled else {})
    assert scan.hints == ()


def test_the_column_called_emotion_is_the_label(database: Path) -> None:
    (table,) = read_tables(str(database), "a table")
    assert table.columns == ("file", "emotion", "emotion.confidence", "speaker", "gender", "mother tongue")
    assert [row.cells[-1] for row in table.rows] == ["eng", "deu", "eng", None]
    assert read_tables(f"{database}#emotion.all", "a table")[0].columns == table.columns


def test_other_columns_of_emotions_keep_their_full_name(database: Path) -> None:
    header = database / "db.yaml"
    header.write_text(header.read_text().replace("rater1: {scheme_id: code}", "emotion: {scheme_id: code}"))
    with pytest.raises(
        CorpusError, match=r"select one by #TABLE\.COLUMN after .*: #emotion\.all\.emotion, #parts\.emo"
    ):
        read_tables(str(database), "a table")
    for file in database.glob("db.parts.csv"):
        file.write_text(file.read_text().replace("rater1", "emotion"))
        (table,) = read_tables(f"{database}#parts.gold", "a table")
        assert table.columns[:5] == ("file", "start", "end", "emotion", "parts.emotion")


def test_several_columns_are_read_together(database: Path) -> None:
    scan = manifest.read(Path(f"{database}#parts.gold,emotion.all"))
    assert [u.clip for u in scan.utterances] == [
        *("wav/1#0.000-1.500", "wav/1#1.500-", "wav/2#0.100-0.700"),
        *("wav/1", "wav/2", "wav/4"),
    ]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("parts.golf", r"no column of labels '#parts\.golf'; did you mean 'parts\.gold'\?"),
        ("files", "no column of labels '#files'"),
        ("emotion", "no column of labels '#emotion'"),
    ],
)
def test_an_unknown_selection_is_an_error(database: Path, selection: str, message: str) -> None:
    with pytest.raises(CorpusError, match=rf"db\.yaml: {message}"):
        manifest.read(Path(f"{database}#{selection}"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("name: [", "cannot be read as YAML"),
        ("!!python/object:os.system {}", "cannot be read as YAML"),
        ("name: x", "has no tables"),
        ("tables: {}", "no column or scheme 'emotion'"),
        ("tables: {a: {columns: {emotion: }}}", r"db\.a: neither \.parquet nor \.csv"),
    ],
)
def test_a_damaged_database_is_an_error(tmp_path: Path, header: str, message: str) -> None:
    (tmp_path / "db.yaml").write_text(header)
    with pytest.raises(CorpusError, match=message) as caught:
        manifest.read(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"db\.yaml: .* pip install 'overtone\[audformat\]'"):
        manifest.read(EXAMPLE / "csv")
