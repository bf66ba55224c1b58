"""Audio that a table contains is read as files are, for training and for a batch, and bad rows are named."""

import csv
import errno
import hashlib
import os
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import soundfile
import tiny_model
from hub_dataset import FEATURES, rows, wav, write_arrow, write_parquet

from overtone.audio.decode import read_utterance
from overtone.batch.inputs import collect_inputs
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import run
from overtone.corpora import manifest
from overtone.corpora.manifest import SAME_AUDIO
from overtone.corpora.tables.table_files import read_file
from overtone.errors import AudioError, CorpusError, OvertoneError

pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OVERTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["d.parquet", "d.arrow"])
def test_rows_become_files_that_are_named_by_their_content(tmp_path: Path, cache: Path, name: str) -> None:
    write = write_parquet if name.endswith("parquet") else write_arrow
    path = write(tmp_path / name, rows(range(40)))
    scan = manifest.read(path)
    assert [(u.clip, u.emotion, u.speaker) for u in scan.utterances[:3]] == [
        ("0", "angry", "s0"),
        ("1", "sad", "s1"),
        ("2", "angry", "s0"),
    ]
    for seed, utterance in enumerate(scan.utterances):
        digest = hashlib.sha256(wav(seed)).hexdigest()
        assert utterance.path == cache / "audio" / digest[:2] / f"{digest}.wav"
        assert utterance.path.read_bytes() == wav(seed)
        assert utterance.origin == f"{path}, row {seed + 1} ({seed}.wav)"
    assert len(files(cache)) == 40
    inputs = collect_inputs([str(path)])
    assert [row.path for row in inputs.rows] == [str(utterance.path) for utterance in scan.utterances]
    assert (inputs.rows[1].name, inputs.columns, inputs.rows[1].values) == (
        "1.wav",
        ("label", "speaker"),
        ("sadness", "s1"),
    )


def test_files_are_written_once_and_in_the_given_cache(tmp_path: Path, cache: Path) -> None:
    path = write_parquet(tmp_path / "d.parquet", rows(range(3)))
    manifest.read(path, cache=tmp_path / "mine")
    assert len(files(tmp_path / "mine")) == 3 and not cache.exists()
    times = [file.stat().st_mtime_ns for file in files(tmp_path / "mine")]
    files(tmp_path / "mine")[0].write_bytes(b"cut")  # is written again
    manifest.read(path, cache=tmp_path / "mine")
    assert [file.stat().st_mtime_ns for file in files(tmp_path / "mine")][1:] == times[1:]
    assert all(hashlib.sha256(file.read_bytes()).hexdigest() == file.stem for file in files(tmp_path / "mine"))


def test_a_row_without_bytes_names_a_file_and_one_without_both_is_an_error_of_its_row(tmp_path: Path) -> None:
    content = rows(range(5))
    (tmp_path / "real.wav").write_bytes(wav(9))
    content[1]["audio"] = {"bytes": None, "path": "real.wav"}
    content[2]["audio"] = {"bytes": None, "path": None}
    content[3]["audio"] = None
    content[4]["audio"] = {"bytes": b"", "path": None}
    path = write_parquet(tmp_path / "d.parquet", content)
    inputs = collect_inputs([str(path)])
    assert [(row.path, row.origin) for row in inputs.rows[1:2]] == [(str(tmp_path / "real.wav"), "")]
    assert [row.error.partition(":")[0] for row in inputs.rows if row.error] == [f"{path}, row {k}" for k in (3, 4, 5)]
    scan = manifest.read(path, max_invalid_share=0.6)
    assert [utterance.clip for utterance in scan.utterances] == ["0", "real"]
    with pytest.raises(CorpusError, match="row 3: has no audio"):
        manifest.read(path)


def test_no_name_or_one_that_is_not_unique_becomes_that_of_the_row(tmp_path: Path) -> None:
    content = rows(range(4))
    content[1]["audio"]["path"] = None
    content[2]["audio"]["path"] = "0.flac"  # the clip is called as the first one
    path = write_parquet(tmp_path / "d.parquet", content)
    assert [row.name for row in collect_inputs([str(path)]).rows] == [
        "0.wav",
        "d.parquet:row 2",
        "d.parquet:row 3",
        "3.wav",
    ]
    scan = manifest.read(path)
    assert [u.clip for u in scan.utterances] == ["0", "d.parquet:row 2", "d.parquet:row 3", "3"]
    assert scan.utterances[1].origin == f"{path}, row 2"


def test_names_write_to_no_other_folder(tmp_path: Path, cache: Path) -> None:
    content = rows(range(3))
    for row, name in zip(content, ("../../x.wav", str(tmp_path / "y.wav"), "a\0/..\\z.exe"), strict=True):
        row["audio"]["path"] = name
    path = write_parquet(tmp_path / "data" / "d.parquet", content)
    scan = manifest.read(path)
    assert files(tmp_path) == sorted([*files(cache / "audio"), path])
    assert {utterance.path.suffix for utterance in scan.utterances} == {".wav"}


def test_the_same_audio_twice_is_left_out_and_with_another_label_an_error(tmp_path: Path) -> None:
    content = rows([0, 1, 0])
    content[2]["audio"]["path"] = "copy.wav"
    scan = manifest.read(write_parquet(tmp_path / "d.parquet", content))
    assert (len(scan.utterances), scan.ignored) == (2, {SAME_AUDIO: 1})
    content[2]["label"] = 1
    with pytest.raises(CorpusError, match=r"row 3: 'copy' is 'sad' here and 'angry' in row 1"):
        manifest.read(write_parquet(tmp_path / "d.parquet", content), max_invalid_share=1.0)


def test_undecodable_audio_is_reported_by_file_and_row_and_the_rest_is_used(tmp_path: Path) -> None:
    content = rows(range(4))
    content[2]["audio"] = {"bytes": b"no audio at all", "path": "broken.wav"}
    path = write_parquet(tmp_path / "d.parquet", content)
    tiny_model.write(tmp_path / "tiny.onnx")
    report = run(
        collect_inputs([str(path)]), tmp_path / "out", RecogniserConfig(str(tmp_path / "tiny.onnx")), processes=1
    )
    assert (report["predictions"], report["failures"]) == (3, 1)
    with (tmp_path / "out" / "failures.csv").open() as file:
        (failure,) = csv.DictReader(file)
    assert failure["path"] == "broken.wav"
    assert failure["error"].startswith(f"{path}, row 3 (broken.wav): ")
    assert str(tmp_path / "cache") not in failure["error"]
    good, _, broken, _ = manifest.read(path).utterances
    assert read_utterance(good).source == good.origin
    with pytest.raises(AudioError) as error:
        read_utterance(broken)
    assert str(error.value).startswith(f"{path}, row 3 (broken.wav): ")
    assert str(broken.path) not in str(error.value)


def test_a_full_disk_is_one_line_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "d.parquet", rows(range(2)))

    def full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("overtone._internal.atomic_write.tempfile.mkstemp", full)
    for read in (manifest.read, lambda path: collect_inputs([str(path)])):
        with pytest.raises(OvertoneError, match=r"d\.parquet: .*No space left.*OVERTONE_CACHE") as error:
            read(path)
        assert "\n" not in str(error.value)


def test_other_columns_of_paths_are_renamed_and_other_bytes_left_out(tmp_path: Path) -> None:
    content = [{**row, "file": "old/0.wav", "photo": {"bytes": b"x", "path": "x.png"}} for row in rows(range(2))]
    path = write_parquet(tmp_path / "d.parquet", content, {**FEATURES, "photo": {"_type": "Image"}})
    assert collect_inputs([str(path)]).columns == ("label", "speaker", "original_file")
    assert len(manifest.read(path).utterances) == 2


def test_bytes_alone_and_columns_of_other_names_are_audio_too(tmp_path: Path) -> None:
    labels = {"label": ["sad", "angry"]}
    pq.write_table(pa.table({"audio": [wav(0), wav(1)], **labels}), tmp_path / "bytes.parquet")
    pq.write_table(pa.table({"speech": [row["audio"] for row in rows([0, 1])], **labels}), tmp_path / "named.parquet")
    for name, clips in (
        ("bytes.parquet", ["bytes.parquet:row 1", "bytes.parquet:row 2"]),
        ("named.parquet", ["0", "1"]),
    ):
        assert [utterance.clip for utterance in manifest.read(tmp_path / name).utterances] == clips


def test_several_columns_of_audio_and_decoded_audio_are_refused(tmp_path: Path) -> None:
    audio = [row["audio"] for row in rows([0])]
    pq.write_table(pa.table({"left": audio, "right": audio, "label": ["sad"]}), tmp_path / "two.parquet")
    decoded = [{"array": [0.0, 0.1], "sampling_rate": 16_000, "path": None}]
    pq.write_table(pa.table({"audio": decoded, "label": ["sad"]}), tmp_path / "decoded.parquet")
    with pytest.raises(CorpusError, match=r"two\.parquet: .*left, right"):
        manifest.read(tmp_path / "two.parquet")
    with pytest.raises(CorpusError, match=r"decoded\.parquet: .*samples"):
        manifest.read(tmp_path / "decoded.parquet")
    pq.write_table(pa.table({"audio": audio, "right": audio, "label": ["sad"]}), tmp_path / "named.parquet")
    assert [utterance.clip for utterance in manifest.read(tmp_path / "named.parquet").utterances] == ["0"]


def test_the_suffix_is_that_of_the_content(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 8000)
    contents = []
    for form in ("FLAC", "OGG", "MP3", "AIFF"):
        soundfile.write(tmp_path / "x", samples, 16_000, format=form)
        contents.append((tmp_path / "x").read_bytes())
    audio = [{"bytes": content, "path": "x.wav"} for content in [*contents, b"unknown"]]
    audio.append({"bytes": b"unknown too", "path": "y.exe"})
    path = write_parquet(tmp_path / "d.parquet", [{"audio": value, "label": 0} for value in audio])
    suffixes = [Path(row.path).suffix for row in collect_inputs([str(path)]).rows]
    assert suffixes == [".flac", ".ogg", ".mp3", ".aiff", ".wav", ".audio"]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_one_group_of_rows_is_in_memory_at_once(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"d{suffix}"
    schema = pa.schema({"audio": pa.struct({"bytes": pa.binary(), "path": pa.string()}), "label": pa.string()})
    noise = np.random.default_rng(0).bytes(1 << 20)
    with pq.ParquetWriter(path, schema) if suffix == ".parquet" else pa.ipc.new_stream(str(path), schema) as writer:
        for group in range(8):
            audio = [{"bytes": bytes([group, k]) + noise, "path": None} for k in range(4)]
            writer.write_table(pa.table({"audio": audio, "label": ["sad"] * 4}, schema))
    before = pa.total_allocated_bytes()
    peak = max(pa.total_allocated_bytes() for _ in read_file(str(path), "").rows)
    assert peak - before < 16 << 20  # of 32 MiB in all


def test_times_of_a_clip_in_its_original_recording_do_not_cut_it(tmp_path: Path) -> None:
    table = pa.table({**rows_with_times(), "offset": [60.0], "duration": [2.0], "end_ms": [62_000]})
    pq.write_table(table, tmp_path / "d.parquet")
    (utterance,) = manifest.read(tmp_path / "d.parquet").utterances
    assert (utterance.start_s, utterance.end_s) == (0.25, None)
    assert collect_inputs([str(tmp_path / "d.parquet")]).rows[0][2:4] == (0.25, None)


def rows_with_times() -> dict[str, list[Any]]:
    return {"audio": [{"bytes": wav(0), "path": "0.wav"}], "label": ["sad"], "start": [0.25]}
