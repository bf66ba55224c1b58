import csv
import io
import json
import math
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overtone import formats
from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import Prediction
from overtone.errors import InputError, MissingExtraError, OptionError, OvertoneError
from overtone.formats import EXTRA_PACKAGES, PREDICTION_FORMATS, TIMELINE_FORMATS, Format, get_format, parquet, save
from overtone.formats.csv import FIXED_COLUMNS

PROJECT = Path(__file__).resolve().parents[2]
NAMES = ("a.wav", 'with "quotes", commas.wav', "line\nbreak.wav", "声.wav", "not-utf8-\udcff.wav", "=1+1.wav")
MEASUREMENTS = ("duration_s", "speech_s", "arousal", "valence")
ROWS = [*PREDICTION_FORMATS.values(), *TIMELINE_FORMATS.values()]


def make_predictions(rng: np.random.Generator, names: tuple[str, ...]) -> list[Prediction]:
    def probabilities() -> np.ndarray:
        return rng.dirichlet(np.ones(len(EMOTIONS)))

    return [
        Prediction(
            EMOTIONS,
            probabilities(),
            {"mel": probabilities(), "prosody": probabilities()},
            3.70312,
            {"tempo_bpm": 118.23456},
            "tiny",
            name,
            0.4,
            speech_s=2.14449,
            arousal=0.81249,
            valence=0.5,
        )
        for name in names
    ]


def format_text(name: str, predictions: list[Prediction]) -> str:
    stream = io.StringIO(newline="")
    get_format(name).write(predictions, stream)
    return stream.getvalue()


CHANNEL_NAMES = ("left", 'say "hé", Anna', "=2+2", "\u202fnarrow", "a\tb", "<b>")


def test_every_format_names_the_channel_where_one_was_asked_for(rng: np.random.Generator) -> None:
    plain = make_predictions(rng, ("call.wav",) * len(CHANNEL_NAMES))
    named = [replace(prediction, channel=name) for prediction, name in zip(plain, CHANNEL_NAMES, strict=True)]
    for name in ("json", "jsonl"):
        text = format_text(name, named)
        rows = json.loads(text) if name == "json" else [json.loads(line) for line in text.splitlines()]
        assert [row["channel"] for row in rows] == list(CHANNEL_NAMES)
        assert list(rows[0])[:2] == ["path", "channel"]
    rows = list(csv.DictReader(io.StringIO(format_text("csv", named))))
    assert [row["channel"] for row in rows] == list(CHANNEL_NAMES)
    assert list(rows[0])[:2] == ["path", "channel"]
    heading, *lines = format_text("table", named).splitlines()
    assert re.split("  +", heading)[:3] == ["file", "channel", "emotion"]
    shown = ("left", '…"hé", Anna', "=2+2", r"\u202fnarrow"[-12:], r"a\tb", "<b>")
    for line, text in zip(lines, shown, strict=True):
        assert re.split("  +", line)[1][-8:] == text[-8:]
    for name in PREDICTION_FORMATS:
        assert b"channel" not in formats.encode(plain, name), name


def test_json_has_every_key_and_number(rng: np.random.Generator) -> None:
    predictions = make_predictions(rng, NAMES)
    objects = json.loads(format_text("json", predictions))
    assert [row["path"] for row in objects] == list(NAMES)
    for row, prediction in zip(objects, predictions, strict=True):
        assert list(row["probabilities"]) == list(EMOTIONS)
        assert list(row["branches"]) == ["mel", "prosody"]
        assert list(row["probabilities"].values()) == pytest.approx(list(prediction.probabilities), abs=1e-6)
        prosody = list(prediction.branches["prosody"])
        assert list(row["branches"]["prosody"].values()) == pytest.approx(prosody, abs=1e-6)
        assert row["emotion"] == max(row["probabilities"], key=row["probabilities"].get) == prediction.emotion
        assert row["confidence"] == pytest.approx(prediction.confidence, abs=1e-6)
        assert row["uncertain"] is (prediction.confidence < 0.4)
        assert [row[name] for name in MEASUREMENTS] == [3.703, 2.144, 0.812, 0.5]
        assert row["prosody"] == {"tempo_bpm": 118.235}
        assert row["model"] == "tiny"
    assert len({row["uncertain"] for row in objects}) == 2, "certain and uncertain predictions are both tested"


def test_json_without_predictions_is_an_empty_list() -> None:
    assert json.loads(format_text("json", [])) == []


def test_json_lines_are_the_objects_of_json(rng: np.random.Generator) -> None:
    predictions = make_predictions(rng, NAMES)
    lines = format_text("jsonl", predictions).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(format_text("json", predictions))
    assert format_text("jsonl", []) == ""


def test_manifest_columns_come_first(rng: np.random.Generator) -> None:
    columns = {"id": 7, "said": "oh, no", "left": None}
    predictions = [replace(prediction, columns=columns) for prediction in make_predictions(rng, NAMES)]
    rows = list(csv.reader(io.StringIO(format_text("csv", predictions), newline="")))
    assert rows[0][:4] == ["id", "said", "left", "path"]
    assert [row[:4] for row in rows[1:]] == [["7", "oh, no", "", name] for name in NAMES]
    for row in json.loads(format_text("json", predictions)):
        assert list(row)[:4] == ["id", "said", "left", "path"]
        assert (row["id"], row["said"], row["left"]) == (7, "oh, no", None)


def test_parquet_has_the_columns_of_csv_with_types(rng: np.random.Generator) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    predictions = [
        replace(prediction, columns={"id": number, "said": "oh"})
        for number, prediction in enumerate(make_predictions(rng, NAMES))
    ]
    stream = io.BytesIO()
    parquet.write_table(predictions, stream, {"id": pa.int16()})
    table = pyarrow.parquet.read_table(io.BytesIO(stream.getvalue()))
    assert table.column_names == next(csv.reader(io.StringIO(format_text("csv", predictions))))
    types = [
        "int16",
        "string",
        "string",
        "string",
        "double",
        "bool",
        *["double", "double", "bool", "double", "double"],
        "int64",
        "double",
    ]
    assert [str(column_type) for column_type in table.schema.types[: len(types)]] == types
    assert table["path"].to_pylist() == [name.replace("\udcff", "\\udcff") for name in NAMES]
    assert table["id"].to_pylist() == list(range(len(NAMES)))
    sad = [prediction.branches["mel"][EMOTIONS.index("sad")] for prediction in predictions]
    assert table["mel_p_sad"].to_pylist() == sad


def test_parquet_without_predictions_has_the_columns_of_the_template(rng: np.random.Generator) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    (template,) = make_predictions(rng, NAMES[:1])
    fixed = len(FIXED_COLUMNS)
    for options, columns in (({}, fixed), ({"template": template}, fixed + 3 * len(EMOTIONS))):
        stream = io.BytesIO()
        parquet.write_table([], stream, **options)
        table = pyarrow.parquet.read_table(io.BytesIO(stream.getvalue()))
        assert (table.num_rows, table.num_columns) == (0, columns)


def test_parquet_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[parquet\]'"):
        parquet.write_table([], io.BytesIO())


def test_csv_has_the_columns_and_numbers(rng: np.random.Generator) -> None:
    predictions = make_predictions(rng, NAMES)
    rows = list(csv.DictReader(io.StringIO(format_text("csv", predictions), newline="")))
    expected = [*FIXED_COLUMNS]
    expected += [f"p_{name}" for name in EMOTIONS]
    expected += [f"{branch}_p_{name}" for branch in ("mel", "prosody") for name in EMOTIONS]
    assert list(rows[0]) == expected
    assert [row["path"] for row in rows] == list(NAMES)
    for row, prediction in zip(rows, predictions, strict=True):
        sad, angry = EMOTIONS.index("sad"), EMOTIONS.index("angry")
        assert float(row["mel_p_sad"]) == pytest.approx(prediction.branches["mel"][sad], abs=1e-6)
        assert float(row["p_angry"]) == pytest.approx(prediction.probabilities[angry], abs=1e-6)
        assert float(row["confidence"]) == pytest.approx(prediction.confidence, abs=1e-6)
        assert row["uncertain"] == ("true" if prediction.confidence < 0.4 else "false")
        assert [row[name] for name in MEASUREMENTS] == ["3.703", "2.144", "0.812", "0.500"]
        assert row["reference_clips"] == "0"


def test_the_number_of_reference_clips_is_written(rng: np.random.Generator) -> None:
    (prediction,) = (replace(each, reference_clips=1_234_567) for each in make_predictions(rng, NAMES[:1]))
    (row,) = csv.DictReader(io.StringIO(format_text("csv", [prediction]), newline=""))
    assert row["reference_clips"] == "1234567"
    assert json.loads(format_text("json", [prediction]))[0]["reference_clips"] == 1_234_567


def test_csv_without_predictions_is_a_header() -> None:
    expected = "path,emotion,confidence,uncertain,duration_s,speech_s,no_speech,arousal,valence,reference_clips\n"
    assert format_text("csv", []) == expected


def test_unknown_values_are_null_or_empty(rng: np.random.Generator) -> None:
    (known,) = make_predictions(rng, ("a.wav",))
    unknown = [known, replace(known, speech_s=math.nan, valence=math.nan)]
    objects = json.loads(format_text("json", unknown))
    rows = list(csv.DictReader(io.StringIO(format_text("csv", unknown), newline="")))
    for name, value, text in (("speech_s", 2.144, "2.144"), ("valence", 0.5, "0.500")):
        assert [row[name] for row in objects] == [value, None]
        assert [row[name] for row in rows] == [text, ""]
    pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    stream = io.BytesIO()
    parquet.write_table(unknown, stream)
    assert pyarrow.parquet.read_table(io.BytesIO(stream.getvalue()))["speech_s"].to_pylist() == [2.14449, None]


def test_every_format_says_where_no_speech_is(rng: np.random.Generator) -> None:
    (known,) = make_predictions(rng, ("a.wav",))
    cases = [replace(known, speech_s=speech_s) for speech_s in (math.nan, 0.0, 0.3)]
    expected = [None, True, False]
    assert [prediction.no_speech for prediction in cases] == expected
    assert [row["no_speech"] for row in json.loads(format_text("json", cases))] == expected
    assert [json.loads(line)["no_speech"] for line in format_text("jsonl", cases).splitlines()] == expected
    rows = csv.DictReader(io.StringIO(format_text("csv", cases), newline=""))
    assert [row["no_speech"] for row in rows] == ["", "true", "false"]
    lines = format_text("table", cases).splitlines()[1:]
    assert ["no speech" in line for line in lines] == [False, True, False]
    pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    stream = io.BytesIO()
    parquet.write_table(cases, stream)
    assert pyarrow.parquet.read_table(io.BytesIO(stream.getvalue()))["no_speech"].to_pylist() == expected


def test_csv_rejects_predictions_with_other_columns(rng: np.random.Generator) -> None:
    other = Prediction(("sad", "angry"), np.array([0.5, 0.5]), source="b.wav")
    with pytest.raises(InputError, match=r"b\.wav: .*header"):
        format_text("csv", [*make_predictions(rng, ("a.wav",)), other])


@pytest.mark.parametrize("format_name", PREDICTION_FORMATS)
def test_saving_is_atomic(format_name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "predictions"
    path.write_text("older")

    def fail_after_one():
        yield from make_predictions(rng, ("a.wav",))
        raise OvertoneError("the model failed")

    with pytest.raises(OvertoneError, match="the model failed"):
        save(fail_after_one(), path, format_name)
    assert path.read_text() == "older"
    save(make_predictions(rng, NAMES), path, format=format_name)
    assert b"a.wav" in path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["predictions"]


def test_saved_csv_keeps_the_bytes_of_file_names(tmp_path: Path, rng: np.random.Generator) -> None:
    save(make_predictions(rng, ("not-utf8-\udcff.wav", "声.wav")), tmp_path / "a.csv", "csv")
    assert b"not-utf8-\xff.wav" in (tmp_path / "a.csv").read_bytes()
    assert "声.wav".encode() in (tmp_path / "a.csv").read_bytes()


def test_an_unknown_format_suggests_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"'jsn'.*'json'"):
        get_format("jsn")


def test_a_new_format_is_one_module_and_one_row(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    module = type(sys)("overtone.formats.names")
    module.write = lambda predictions, stream: stream.writelines(f"{one.source}\n" for one in predictions)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(formats.PREDICTION_FORMATS, "names", Format("names", ".names", "text/plain", "Names"))
    assert format_text("names", make_predictions(rng, ("a.wav", "b.wav"))) == "a.wav\nb.wav\n"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.module)
def test_rows_are_complete(row: Format) -> None:
    assert (Path(formats.__file__).parent / f"{row.module}.py").is_file()
    assert re.fullmatch(r"(\.\w+)+", row.suffix)
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", row.media_type)
    assert row.label


def test_extras_are_declared_with_their_package() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert {row.extra for row in ROWS} - {None} == set(EXTRA_PACKAGES)
    for extra, package in EXTRA_PACKAGES.items():
        assert any(requirement.startswith(package) for requirement in extras[extra])


def test_a_missing_package_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda package: None if package == "matplotlib" else package)
    missing = {name: row.missing_package() for name, row in TIMELINE_FORMATS.items() if row.missing_package()}
    assert missing == {"png": "matplotlib", "svg": "matplotlib"}


def test_a_format_module_is_imported_when_it_is_first_used() -> None:
    modules = {f"overtone.formats.{row.module}" for row in ROWS}
    code = (
        "import io, sys, overtone.formats as formats\n"
        f"modules = {modules}\n"
        "assert not modules & set(sys.modules)\n"
        "formats.get_format('table').write([], io.StringIO())\n"
        "assert modules & set(sys.modules) == {'overtone.formats.table'}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
