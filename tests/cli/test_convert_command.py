"""`overtone convert`: the JSON of a timeline in every format, or one clear line; no label of it can run a script."""

from pathlib import Path

import html5lib
import numpy as np
import pytest
import soundfile
from timelines import corrected_timeline

from overtone.cli.main import main
from overtone.formats import TIMELINE_FORMATS, save_timeline

XHTML = "{http://www.w3.org/1999/xhtml}"
ATTACKS = ("<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", '"><svg onload=alert(1)>')


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The JSON of a corrected timeline."""
    path = tmp_path / "talk.corrected.json"
    save_timeline(corrected_timeline(), path, "json")
    return path


@pytest.mark.parametrize("name", sorted(TIMELINE_FORMATS.keys() - {"svg"}))  # as slow as png
def test_every_format_is_that_of_the_timeline(document: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    suffix = TIMELINE_FORMATS[name].suffix
    assert main(["convert", str(document), "--output", str(document.with_suffix(f".again{suffix}"))]) == 0
    save_timeline(corrected_timeline(), document.with_suffix(f".expected{suffix}"), name)
    again, expected = (document.with_suffix(f".{kind}{suffix}").read_bytes() for kind in ("again", "expected"))
    if name in ("csv", "textgrid", "elan", "audacity", "webvtt", "table"):
        assert again == expected
    assert len(again) == pytest.approx(len(expected), rel=0.05)
    assert capsys.readouterr() == ("", "")


def test_the_default_is_the_table_on_stdout(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(document)]) == 0
    out = capsys.readouterr().out
    assert "frustrated (person)" in out and "model: sad 60%" in out and "wrong (angry)" in out


def test_the_recording_is_embedded_in_a_page_only(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audio, page = document.with_name("talk.wav"), document.with_name("talk.html")
    soundfile.write(audio, np.zeros(6 * 16_000), 16_000)
    assert main(["convert", str(document), "--output", str(page), "--audio", str(audio)]) == 0
    assert 'id="audio-data"' in page.read_text("utf-8")
    assert main(["convert", str(document), "--audio", str(audio)]) == 1
    assert "--audio: is embedded in a page only" in capsys.readouterr().err


def test_tables_are_written_in_a_dialect(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for format_name in ("csv", "summary"):
        assert main(["convert", str(document), "--format", format_name, "--csv-dialect", "excel-de"]) == 0
        header, first, *_ = capsys.readouterr().out.splitlines()
        assert header.startswith("\ufeffpath;") and "talk.wav;" in first and "," in first and "." not in first[8:]
    assert main(["convert", str(document), "--format", "json", "--csv-dialect", "excel-de"]) == 2
    assert "--csv-dialect excel-de: the format is json" in capsys.readouterr().err


def test_labels_are_escaped_in_the_page(document: Path) -> None:
    save_timeline(corrected_timeline(*ATTACKS), document, "json")
    page = document.with_name("talk.html")
    assert main(["convert", str(document), "--output", str(page)]) == 0
    tree = html5lib.HTMLParser(strict=True).parse(page.read_text("utf-8"))
    labels = [("".join(span.itertext())).strip() for span in tree.iter(f"{XHTML}span") if span.get("class") == "label"]
    assert labels[:3] == [f"{attack} (person)" for attack in ATTACKS]
    assert not list(tree.iter(f"{XHTML}img")) and not list(tree.iter(f"{XHTML}svg"))
    assert len(list(tree.iter(f"{XHTML}script"))) == 3


@pytest.mark.parametrize("content", ["", "[]", "path,start_s", '{"segments": []}', "\udcff"])
def test_other_files_are_one_line(document: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    document.write_text(content, "utf-8", "surrogateescape")
    output = document.with_name("x.csv")
    assert main(["convert", str(document), "--output", str(output)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"overtone: {document}: ") and not output.exists()
    assert main(["convert", str(document.with_name("gone.json"))]) == 1
    assert "gone.json: cannot be read: No such file" in capsys.readouterr().err
