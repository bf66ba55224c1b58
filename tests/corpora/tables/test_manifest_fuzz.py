"""Any content of a manifest gives utterances or an `InputError`, for training and for a batch."""

import tempfile
from pathlib import Path

import pytest
from damaged_content import damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overtone.batch.inputs import collect_inputs
from overtone.corpora.manifest import read
from overtone.errors import OvertoneError

EXAMPLES = 60  # per form
CSV = b"path,emotion,speaker,start_s,end_s,channel\na.wav,happy,anna,0.5,2.75,left\nsub\\b.wav,sad,,,,\n"
JSONL = b'{"file_name": "a.wav", "label": "happy", "start": 0.5}\n{"file_name": "sub/b.wav", "label": "sad"}\n'
SEEDS = {
    "m.csv": [CSV, CSV.replace(b",", b";"), CSV.decode().encode("utf-16"), b"\xef\xbb\xbf" + CSV, b"sep=,\r\n" + CSV],
    "m.tsv": [CSV.replace(b",", b"\t")],
    "m.jsonl": [JSONL],
}
PIECES = (
    *(b"\n", b"\r", b",", b";", b"\t", b'"', b"'", b" ", b"=", b"\\", b"/", b"..", b"\0", b"-1", b"1e999", b"NaN"),
    *(b"null", b"[", b"{", b"}", b"\xff\xfe", b"\xef\xbb\xbf", b"\xf6", b"path", b"emotion", b"a.wav", b"0 days 1:00"),
    *(b"http://x/", b"9" * 400, b"\\ud800", b"true", b"left", b"each", b"sep=;"),
)
pieces = st.sampled_from(PIECES)


def check(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for file in ("a.wav", "sub/b.wav"):
            path = Path(folder, file)
            path.parent.mkdir(exist_ok=True)
            path.touch()
        table = Path(folder, name)
        table.write_bytes(content)
        try:
            utterances = read(table).utterances
            assert utterances and all(clip.emotion and clip.path.is_file() for clip in utterances)
        except OvertoneError as error:
            assert str(table) in str(error)
        try:
            assert collect_inputs([str(table)]).rows
        except OvertoneError as error:
            assert str(table) in str(error)


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_content_gives_utterances_or_an_error(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(SEEDS[name]))
    check(data.draw(damaged(seed, pieces, longest=30) | st.lists(pieces | st.binary(max_size=5)).map(b"".join)), name)


@pytest.mark.parametrize("name", SEEDS)
def test_the_valid_tables_are_valid(name: str, tmp_path: Path) -> None:
    for file in ("a.wav", "sub/b.wav"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    for content in SEEDS[name]:
        (tmp_path / name).write_bytes(content)
        assert [clip.emotion for clip in read(tmp_path / name).utterances] == ["happy", "sad"]
