"""docs/serve.md: its commands run, and its tables match the code."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import Served
from synthetic_audio import RATE_HZ, speech_like, voice

import overtone
from overtone.formats import PREDICTION_FORMATS, TIMELINE_FORMATS
from overtone.service.api.content_negotiation import MEDIA_TYPES
from overtone.service.api.errors import CODES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "serve.md").read_text("utf-8")
ADDRESS = "127.0.0.1:8080"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the page uses."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "clip.wav").write_bytes(encoded(voice(180, 1.0), RATE_HZ))
    (folder / "other.flac").write_bytes(encoded(voice(120, 1.0), RATE_HZ, "FLAC"))
    for number in (1, 2):
        (folder / f"anna-{number}.wav").write_bytes(encoded(voice(200 + 20 * number, 1.0), RATE_HZ))
    call = np.stack([voice(180, 1.0), voice(120, 1.0)], 1)
    (folder / "call.wav").write_bytes(encoded(call, RATE_HZ))
    (folder / "talk.flac").write_bytes(encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC"))
    return folder


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("block", [block for block in blocks("sh") if "curl" in block])
def test_shell_commands_run(adapting: Served, folder: Path, block: str) -> None:
    setup = 'set -e; curl() { command curl -sS --fail-with-body "$@"; }; KEY=none\n'
    script = setup + block.replace(ADDRESS, f"127.0.0.1:{adapting.port}")
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if "talk.TextGrid" in block:
        assert (folder / "talk.TextGrid").read_text("utf-8").startswith('File type = "ooTextFile"')


def test_python_code_runs(
    adapting: Served, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert len(blocks("python")) == 2
    names: dict[str, object] = {"chunks": [bytes(32_000)] * 5}
    for block in blocks("python"):
        exec(block.replace(ADDRESS, f"127.0.0.1:{adapting.port}"), names)
    assert capsys.readouterr().out.splitlines()[1:] == ["segment", "segment", "timeline"]
    assert isinstance(names["prediction"], overtone.Prediction)


def test_tables_match_the_code() -> None:
    for name in (*PREDICTION_FORMATS, *TIMELINE_FORMATS):
        assert f"`{name}`" in PAGE
        assert f"`{MEDIA_TYPES[name]}`" in PAGE
    rows = "".join(f"| {status} | `{code}` | {meaning} |\n" for code, (status, meaning) in CODES.items())
    table = f"| Status | Code | Meaning |\n|---|---|---|\n{rows}"
    assert f"<!-- codes:start -->\n{table}<!-- codes:end -->" in PAGE, f"the table is:\n{table}"
    for code, status in re.findall(r'"code": "(\w+)".*?"status": (\d+)', PAGE):
        assert CODES[code][0] == int(status)
    for block in blocks("json"):
        json.loads(block)


def test_metrics_exist(served: Served) -> None:
    served.ask("GET", "/health")
    metrics = served.ask("GET", "/metrics").content.decode()
    names = re.findall(r"^\| `(overtone_\w+)", PAGE, re.MULTILINE)
    assert len(names) == 8
    for name in names:
        assert re.search(rf"^{name}(_bucket)?[{{ ]", metrics, re.MULTILINE), name


def test_every_path_of_the_api_is_described(served: Served) -> None:
    paths = served.ask("GET", "/v1/openapi.json").json["paths"]
    assert "/v1/recognise" in paths
    missing = [path for path in paths if path.replace("{job_id}", "ID") not in PAGE and path not in PAGE]
    assert not missing, f"docs/serve.md does not describe {missing}"
