"""What docs/serve.md says can be done, can be done: its commands run, and its tables are those of the code."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import Served
from sounds import RATE_HZ, speech_like, voice

import overtone
from overtone.formats import FORMATS, TIMELINE_FORMATS
from overtone.service.api.content_negotiation import media_type
from overtone.service.api.errors import CODES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "serve.md").read_text("utf-8")
ADDRESS = "127.0.0.1:8080"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the files that the page names."""
    place = tmp_path_factory.mktemp("page")
    (place / "clip.wav").write_bytes(encoded(voice(180, 1.0), RATE_HZ))
    (place / "other.flac").write_bytes(encoded(voice(120, 1.0), RATE_HZ, "FLAC"))
    (place / "talk.flac").write_bytes(encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC"))
    return place


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("block", [block for block in blocks("sh") if "curl" in block])
def test_commands_of_the_page_run(served: Served, folder: Path, block: str) -> None:
    shown = 'set -e; curl() { command curl -sS --fail-with-body "$@"; }; KEY=none\n'
    script = shown + block.replace(ADDRESS, f"127.0.0.1:{served.port}")
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if "talk.TextGrid" in block:
        assert (folder / "talk.TextGrid").read_text("utf-8").startswith('File type = "ooTextFile"')


def test_python_of_the_page_runs(
    served: Served, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert len(blocks("python")) == 2
    names: dict[str, object] = {"chunks": [bytes(32_000)] * 5}
    for block in blocks("python"):
        exec(block.replace(ADDRESS, f"127.0.0.1:{served.port}"), names)
    assert capsys.readouterr().out.splitlines()[1:] == ["segment", "segment", "timeline"]
    assert isinstance(names["answer"], overtone.Prediction)


def test_tables_are_those_of_the_code() -> None:
    for form in (*FORMATS, *TIMELINE_FORMATS):
        assert f"`{form}`" in PAGE
        assert f"`{media_type(form)}`" in PAGE
    rows = "".join(f"| {status} | `{code}` | {meaning} |\n" for code, (status, meaning) in CODES.items())
    table = f"| status | code | when |\n|---|---|---|\n{rows}"
    assert f"<!-- codes:start -->\n{table}<!-- codes:end -->" in PAGE, f"the table is:\n{table}"
    for status, code in re.findall(r'"code": "(\w+)".*?"status": (\d+)', PAGE):
        assert CODES[status][0] == int(code)
    for block in blocks("json"):
        json.loads(block)
