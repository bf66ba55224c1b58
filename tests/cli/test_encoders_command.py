"""`overtone encoders` names every encoder, its place, licence and the state of its weights, and downloads one."""

from pathlib import Path

import pytest
from small_encoder import write_encoder

from overtone.cli.main import main
from overtone.models import encoder_download
from overtone.models.encoder_files import ENCODERS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with an encoder per folder."""
    monkeypatch.setenv("OVERTONE_ENCODERS", str(tmp_path / "encoders"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "encoders"


def blocks(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """The listed encoders: name -> lines."""
    texts = capsys.readouterr().out.split("\n\n")
    return {text.splitlines()[0].split(":")[0]: text.splitlines() for text in texts}


def test_missing_encoders_are_listed_with_the_command_to_download_them(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["encoders"], ["encoders", "list"]):
        assert main(arguments) == 0
        listed = blocks(capsys)
        assert listed.keys() == ENCODERS.keys()
        for name, lines in listed.items():
            assert "    licence: MIT" in lines
            assert f"    download: overtone encoders download {name} DIR" in lines


def test_found_encoders_are_listed_with_place_and_digest(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_encoder(folder / "own")
    write_encoder(folder / "whisper-tiny.en")
    snapshot = write_encoder(tmp_path / "hub" / "models--openai--whisper-base" / "snapshots" / "abc")
    damaged = write_encoder(folder / "damaged") / "model.safetensors"
    damaged.write_bytes(b"")
    assert main(["encoders"]) == 0
    listed = blocks(capsys)
    assert list(listed) == ["damaged", "own", "whisper-base", "whisper-tiny.en"]
    assert f"    found in {snapshot}" in listed["whisper-base"]
    assert "    licence: MIT" in listed["whisper-base"] and "    licence: MIT" not in listed["own"]
    assert str(damaged) in listed["damaged"][-1]
    assert "not those of the published encoder" in listed["whisper-tiny.en"][-1]


def test_download_names_the_place_and_how_to_use_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake_download(name, target, progress):
        progress(1, 2, "fetching")
        write_encoder(Path(target) / name)
        return True

    monkeypatch.setattr(encoder_download, "download_encoder", fake_download)
    assert main(["encoders", "download", "whisper-tiny.en", str(folder)]) == 0
    assert capsys.readouterr().out == f"whisper-tiny.en is complete in {folder / 'whisper-tiny.en'}\n"
    assert main(["encoders", "download", "whisper-tiny.en", str(tmp_path / "other")]) == 0
    assert f"export OVERTONE_ENCODERS={tmp_path / 'other'}" in capsys.readouterr().out


def test_an_unknown_name_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["encoders", "download", "whisper-tiny", str(tmp_path)])
    assert caught.value.code == 2
    assert "whisper-tiny.en" in capsys.readouterr().err
