import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import Prediction
from overtone.errors import InputError, MissingExtraError, OptionError, OvertoneError
from overtone.formats import FORMATS, get_format, parquet, save


def answers(rng: np.random.Generator, names: tuple[str, ...]) -> list[Prediction]:
    def some() -> np.ndarray:
        return rng.dirichlet(np.ones(len(EMOTIONS)))

    return [
        Prediction(
            EMOTIONS, some(), {"mel": some(), "prosody": some()}, 3.70312, {"tempo_bpm": 118.23456}, "tiny", name, 0.4
        )
        for name in names
    ]


NAMES = ("a.wav", 'with "quotes", commas.wav', "line\nbreak.wav", "声.wav", "not-utf8-\udcff.wav", "=1+1.wav")


def written(form: str, given: list[Prediction]) -> str:
    stream = io.StringIO(newline="")
    FORMATS[form].write(given, stream)
    return stream.getvalue()


def test_json_has_every_key_and_number(rng: np.random.Generator) -> None:
    given = answers(rng, NAMES)
    objects = json.loads(written("json", given))
    assert [row["path"] for row in objects] == list(NAMES)
    for row, answer in zip(objects, given, strict=True):
        assert list(row["probabilities"]) == list(EMOTIONS)
        assert list(row["branches"]) == ["mel", "prosody"]
        assert list(row["probabilities"].values()) == pytest.approx(list(answer.probabilities), abs=1e-6)
        assert list(row["branches"]["prosody"].values()) == pytest.approx(list(answer.branches["prosody"]), abs=1e-6)
        assert row["emotion"] == max(row["probabilities"], key=row["probabilities"].get) == answer.emotion
        assert row["confidence"] == pytest.approx(answer.confidence, abs=1e-6)
        assert row["uncertain"] is (answer.confidence < 0.4)
        assert row["duration_s"] == 3.703
        assert row["prosody"] == {"tempo_bpm": 118.235}
        assert row["model"] == "tiny"
    assert len({row["uncertain"] for row in objects}) == 2, "both kinds are tried"


def test_json_of_no_answer_is_an_empty_list() -> None:
    assert json.loads(written("json", [])) == []


def test_json_lines_are_the_objects_of_json(rng: np.random.Generator) -> None:
    given = answers(rng, NAMES)
    lines = written("jsonl", given).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(written("json", given))
    assert written("jsonl", []) == ""


def test_columns_of_a_manifest_stand_in_front(rng: np.random.Generator) -> None:
    given = [replace(answer, columns={"id": 7, "said": "oh, no", "left": None}) for answer in answers(rng, NAMES)]
    rows = list(csv.reader(io.StringIO(written("csv", given), newline="")))
    assert rows[0][:4] == ["id", "said", "left", "path"]
    assert [row[:4] for row in rows[1:]] == [["7", "oh, no", "", name] for name in NAMES]
    for row in json.loads(written("json", given)):
        assert list(row)[:4] == ["id", "said", "left", "path"]
        assert (row["id"], row["said"], row["left"]) == (7, "oh, no", None)


def test_parquet_is_the_csv_with_types(rng: np.random.Generator) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    given = [replace(answer, columns={"id": k, "said": "oh"}) for k, answer in enumerate(answers(rng, NAMES))]
    stream = io.BytesIO()
    parquet.write(given, stream, {"id": pa.int16()})
    table = pyarrow.parquet.read_table(io.BytesIO(stream.getvalue()))
    assert table.column_names == next(csv.reader(io.StringIO(written("csv", given))))
    kinds = ["int16", "string", "string", "string", "double", "bool", "double", "double"]
    assert [str(kind) for kind in table.schema.types[:8]] == kinds
    assert table["path"].to_pylist() == [name.replace("\udcff", "\\udcff") for name in NAMES]
    assert table["id"].to_pylist() == list(range(len(NAMES)))
    assert table["mel_p_sad"].to_pylist() == [one.branches["mel"][EMOTIONS.index("sad")] for one in given]
    stream = io.BytesIO()
    parquet.write([], stream)
    assert pyarrow.parquet.read_table(io.BytesIO(stream.getvalue())).num_rows == 0


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[parquet\]'"):
        parquet.write([], io.BytesIO())


def test_csv_has_the_columns_and_numbers(rng: np.random.Generator) -> None:
    given = answers(rng, NAMES)
    rows = list(csv.DictReader(io.StringIO(written("csv", given), newline="")))
    expected = ["path", "emotion", "confidence", "uncertain", "duration_s", *(f"p_{name}" for name in EMOTIONS)]
    expected += [f"{branch}_p_{name}" for branch in ("mel", "prosody") for name in EMOTIONS]
    assert list(rows[0]) == expected
    assert [row["path"] for row in rows] == list(NAMES)
    for row, answer in zip(rows, given, strict=True):
        assert float(row["mel_p_sad"]) == pytest.approx(answer.branches["mel"][EMOTIONS.index("sad")], abs=1e-6)
        assert float(row["p_angry"]) == pytest.approx(answer.probabilities[EMOTIONS.index("angry")], abs=1e-6)
        assert float(row["confidence"]) == pytest.approx(answer.confidence, abs=1e-6)
        assert row["uncertain"] == ("true" if answer.confidence < 0.4 else "false")


def test_csv_of_no_answer_is_a_header() -> None:
    assert written("csv", []) == "path,emotion,confidence,uncertain,duration_s\n"


def test_csv_refuses_answers_of_different_models(rng: np.random.Generator) -> None:
    other = Prediction(("sad", "angry"), np.array([0.5, 0.5]), source="b.wav")
    with pytest.raises(InputError, match=r"b\.wav: answers of models with different emotions"):
        written("csv", [*answers(rng, ("a.wav",)), other])


@pytest.mark.parametrize("form", FORMATS)
def test_saving_writes_whole_or_not_at_all(form: str, tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "answers"
    path.write_text("older")

    def breaking():
        yield from answers(rng, ("a.wav",))
        raise OvertoneError("the model broke")

    with pytest.raises(OvertoneError, match="the model broke"):
        save(breaking(), path, form)
    assert path.read_text() == "older"
    save(answers(rng, NAMES), path, form)
    assert b"a.wav" in path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["answers"]


def test_saved_csv_keeps_the_bytes_of_file_names(tmp_path: Path, rng: np.random.Generator) -> None:
    save(answers(rng, ("not-utf8-\udcff.wav", "声.wav")), tmp_path / "a.csv", "csv")
    assert b"not-utf8-\xff.wav" in (tmp_path / "a.csv").read_bytes()
    assert "声.wav".encode() in (tmp_path / "a.csv").read_bytes()


def test_unknown_forms_name_the_nearest() -> None:
    with pytest.raises(OptionError, match="did you mean 'json'"):
        get_format("jsn")
