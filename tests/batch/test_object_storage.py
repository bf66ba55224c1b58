"""Files in object storage are found and read like files in a folder; unreachable storage is reported."""

from pathlib import Path

import audio_files
import numpy as np
import pytest
import s3_server

from overtone.batch import object_storage
from overtone.batch.inputs import collect_inputs
from overtone.errors import AudioError, CorpusError, InputError, OvertoneError

pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")

AUDIO = ("a.wav", "b/new?#%41 line.FLAC", "b/声音.wav")
OTHER = ("note.txt", ".hidden.wav", "b/.git/c.wav")


@pytest.fixture
def in_s3(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def calls(s3: dict[str, str]) -> None:
    """A bucket with audio files and other files."""
    system = s3_server.bucket(s3, "calls")
    for name in (*AUDIO, *OTHER):
        with system.open_output_stream(f"calls/in/{name}") as stream:
            stream.write(b"audio of " + name.encode())


@pytest.mark.parametrize(
    ("folder", "name", "expected"),
    [
        ("lists", "a.wav", "lists/a.wav"),
        ("lists", "/data/a.wav", "/data/a.wav"),
        ("lists", "s3://bucket/a.wav", "s3://bucket/a.wav"),
        ("lists", "file:///data/a%20b.wav", "/data/a b.wav"),
        ("s3://bucket/lists", "calls/a.wav", "s3://bucket/lists/calls/a.wav"),
        ("s3://bucket", "gs://other/a.wav", "gs://other/a.wav"),
    ],
)
def test_paths_are_relative_to_the_folder_of_the_manifest(folder: str, name: str, expected: str) -> None:
    assert object_storage.resolve(name, [folder]) == expected


def test_urls_are_distinguished_from_paths() -> None:
    assert not any(map(object_storage.is_url, ("a.wav", "/a/b", "C:/a.wav", "a:b", "x/s3://b", "")))
    assert all(map(object_storage.is_url, ("s3://b", "s3://b/a\nb", "S3://b/k", "file:///x")))


def test_a_local_folder_is_written_listed_and_removed(tmp_path: Path) -> None:
    object_storage.write_bytes(object_storage.join(str(tmp_path), "new/x"), b"1")
    assert object_storage.read_bytes(str(tmp_path / "new" / "x")) == b"1"
    assert object_storage.list_names(str(tmp_path / "new")) == ["x"]
    assert object_storage.list_names(str(tmp_path / "none")) == []
    object_storage.remove_folder(str(tmp_path / "new"))
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("in_s3", "calls")
def test_every_audio_file_below_a_url_is_an_input_once() -> None:
    found = collect_inputs(["s3://calls/in/", "s3://calls/in/a.wav", "s3://calls/in", "s3://calls/gone.wav"])
    assert [row.path for row in found.rows] == [*(f"s3://calls/in/{name}" for name in AUDIO), "s3://calls/gone.wav"]
    assert not any(row.error for row in found.rows)
    assert collect_inputs(["s3://calls"]).rows == collect_inputs(["s3://calls/"]).rows == found.rows[:-1]
    assert [row.path for row in collect_inputs(["s3://calls/in/b"]).rows] == [
        f"s3://calls/in/{name}" for name in AUDIO[1:]
    ]


@pytest.mark.usefixtures("in_s3", "calls")
def test_audio_files_are_read_by_their_url() -> None:
    for name in AUDIO:
        file = object_storage.open_audio(f"s3://calls/in/{name}")
        assert (file.name, file.read()) == (f"s3://calls/in/{name}", b"audio of " + name.encode())
    with pytest.raises(AudioError, match=r"^s3://calls/in/gone\.wav: no such file$"):
        object_storage.open_audio("s3://calls/in/gone.wav")
    with pytest.raises(AudioError, match=r"^s3://other/a\.wav: "):
        object_storage.open_audio("s3://other/a.wav")


@pytest.mark.usefixtures("in_s3", "calls")
def test_objects_are_written_listed_and_removed() -> None:
    object_storage.write_bytes("s3://calls/out/parts/x y", b"2")
    assert object_storage.list_names("s3://calls/out/parts") == ["x y"]
    assert object_storage.read_bytes("s3://calls/out/parts/x y") == b"2"
    object_storage.remove_folder("s3://calls/out/parts")
    assert object_storage.list_names("s3://calls/out/parts") == []
    with pytest.raises(OvertoneError, match="s3://no-such-bucket/x: "):
        object_storage.write_bytes("s3://no-such-bucket/x", b"")


@pytest.mark.usefixtures("in_s3", "calls")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_manifest_in_object_storage(suffix: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    content = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.table({"path": ["in/a.wav", "/data/b.wav"], "who": ["ann", "ben"]}), content)
    contents = {"csv": b"path,who\nin/a.wav,ann\n/data/b.wav,ben\n", "parquet": content.getvalue().to_pybytes()}
    object_storage.write_bytes(f"s3://calls/m.{suffix}", contents[suffix])
    found = collect_inputs([f"s3://calls/m.{suffix}"])
    assert [row.name for row in found.rows] == ["in/a.wav", "/data/b.wav"]
    assert found.rows[0].path == "s3://calls/in/a.wav"
    assert found.columns == ("who",)
    with pytest.raises(CorpusError, match=rf"s3://calls/gone\.{suffix}: cannot be read"):
        collect_inputs([f"s3://calls/gone.{suffix}"])


@pytest.mark.usefixtures("in_s3")
def test_consecutive_segments_download_a_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = []
    content = audio_files.encoded(np.zeros(8_000), 8_000)
    monkeypatch.setattr(object_storage, "read_bytes", lambda url: downloads.append(url) or content)
    for name in ("x", "x", "y", "x"):
        assert object_storage.open_audio(f"s3://once/{name}").read() == content
    assert downloads == ["s3://once/x", "s3://once/y", "s3://once/x"]


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(InputError, match=r"ss3://b/a: no object storage is called 'ss3'; did you mean 's3'\?"):
        collect_inputs(["ss3://b/a"])
