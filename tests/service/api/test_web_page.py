"""The files of the web page; `test_web_page_in_chromium.py` tests it in a browser."""

import hashlib
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from faulty_service_worker import COMMAND as FAULTY_WORKER
from serving import Served, serving

from overtone import formats
from overtone.formats import TIMELINE_FORMATS
from overtone.formats.html_player import page_script, script_digest
from overtone.service.api import web_page
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.settings import Settings
from overtone.speaker_turns import SUFFIXES

WEB = files("overtone.service").joinpath("web")
# SHA-256 of the npm packages preact 11.2.0 (dist/preact.mjs, hooks/dist/hooks.mjs) and htm 3.1.1 (dist/htm.mjs).
PUBLISHED_DIGESTS = {
    "preact.mjs": "bdcbd9abdf2c77c5c45326eab42191e949222d479d0d5f69467387a77040cb55",
    "hooks.mjs": "e862ab2973aa6455eaa0f77c5d832d2157d6be59a17c8ba546550a575b58c6b4",
    "htm.mjs": "ab33dd3f38059b9be4d5f5350128eefb2356639c4e0bbe9d9e8b3ba75847e9e4",
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(
        Settings(tmp_path_factory.mktemp("keys"), workers=1), FAULTY_WORKER, ApiKeys({"anna": hash_key("k")})
    ) as running:
        yield running


def read_config(served: Served) -> dict:
    text = served.ask("GET", "/").content.decode()
    found = re.search(r'<script type="application/json" id="config">(.*?)</script>', text)
    assert found
    return json.loads(found[1])


def test_the_page_loads_only_files_of_the_service(served: Served) -> None:
    reply = served.ask("GET", "/")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = reply.content.decode()
    imports = re.search(r'<script type="importmap">(.*?)</script>', text)
    assert imports
    policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"].split() == ["'self'", script_digest(imports[1]), script_digest(page_script())]
    assert not re.search("https?:", str(policy))
    wanted = re.findall(r'(?:href|src)="([^"]+)"', text) + list(json.loads(imports[1])["imports"].values())
    for name in wanted:
        assert name.startswith(("data:", "page/", "./page/")), name
        if not name.startswith("data:"):
            assert served.ask("GET", "/" + name.removeprefix("./")).status == 200, name


def test_files_have_media_types_and_their_imports_exist(served: Served) -> None:
    media_types = {
        "app.js": "text/javascript; charset=utf-8",
        "talk.flac": "audio/flac",
        "look.css": "text/css; charset=utf-8",
    }
    for name, media_type in media_types.items():
        assert served.ask("GET", f"/page/{name}").headers["content-type"] == media_type
    for part in WEB.iterdir():
        if part.name.endswith(".js"):
            for name in re.findall(r'from "\./([^"]+)"|absoluteUrl\("page/([^"]+)"\)', part.read_text("utf-8")):
                assert served.ask("GET", f"/page/{name[0] or name[1]}").status == 200, (part.name, name)
    for name in ("", "none.js", "..%2Fpage.py", "..%2F..%2F__init__.py", "libraries", "libraries%2Fhtm.mjs"):
        reply = served.ask("GET", f"/page/{name}")
        assert (reply.status, reply.code) == (404, "not_found"), name


def test_libraries_are_unmodified() -> None:
    for name, digest in PUBLISHED_DIGESTS.items():
        assert hashlib.sha256(WEB.joinpath("libraries", name).read_bytes()).hexdigest() == digest, name


def test_no_file_contains_an_external_address() -> None:
    for part in WEB.iterdir():
        if part.is_file():
            assert not re.search(r"(?<!xmlns=')(https?|wss?)://", part.read_text("utf-8")), part.name


def test_the_configuration_lists_formats_and_limits(served: Served) -> None:
    config = read_config(served)
    assert {row["format"]: row["suffix"] for row in config["formats"]} == {
        name: row.suffix for name, row in TIMELINE_FORMATS.items()
    }
    assert not any(row["missing"] for row in config["formats"])
    assert config["limits"] == {"bytes": 4_000_000, "seconds": 100.0}
    assert config["turns"] == list(SUFFIXES)
    assert {"audio/*", "video/*", *SUFFIXES} <= set(config["accept"].split(",")), "file dialogs offer them"
    for example in web_page.EXAMPLES:
        for name in filter(None, (example["audio"], example["turns"])):
            assert served.ask("GET", f"/page/{name}").status == 200


def test_a_format_names_its_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    config = web_page._page_config(Settings(Path()))
    missing = {row["format"]: row["missing"] for row in config["formats"] if row["missing"]}
    assert missing == {"png": "matplotlib", "svg": "matplotlib", "parquet": "pyarrow"}


def test_the_page_needs_no_key_but_its_requests_do(guarded: Served) -> None:
    assert guarded.ask("GET", "/").status == guarded.ask("GET", "/page/app.js").status == 200
    assert guarded.ask("GET", "/v1/models").status == 401


def test_the_page_is_optional(tmp_path: Path) -> None:
    with serving(Settings(tmp_path, workers=1), FAULTY_WORKER, page=None) as running:
        assert running.ask("GET", "/").status == running.ask("GET", "/page/app.js").status == 404
