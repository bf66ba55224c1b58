from pathlib import Path

import numpy as np
import pytest
import soundfile

import overtone.corpora.download.corpus
from overtone.cli.corpora import verification_to_text
from overtone.cli.main import main
from overtone.corpora import CORPORA
from overtone.corpora.download.verify import Verification


def test_the_list_names_every_corpus_and_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["corpora"], ["corpora", "list"]):
        assert main(arguments) == 0
        out = capsys.readouterr().out
        for name, corpus in CORPORA.items():
            assert f"{name}: {corpus.INFO.title}" in out
            assert corpus.INFO.licence in out
            assert corpus.INFO.tree.strip().splitlines()[-1] in out


def test_verify_lists_the_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tone = 0.3 * np.sin(np.arange(16_000) / 9)
    soundfile.write(tmp_path / "a.wav", tone, 16_000)
    soundfile.write(tmp_path / "b.wav", tone, 16_000)
    (tmp_path / "c.wav").write_text("not audio")
    (tmp_path / "t.csv").write_text("path,emotion\na.wav,happy\nb.wav,sad\nc.wav,sad\n")
    assert main(["corpora", "verify", "manifest", str(tmp_path / "t.csv")]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "3 clips found"
    assert "unreadable 1" in out
    assert "    a = b" in out
    assert out[-1].startswith("incomplete")


def test_verify_shows_the_expected_number_of_clips() -> None:
    assert verification_to_text(Verification(534, (), (), (), (), (), expected=535)).splitlines()[0] == (
        "534 clips found of 535"
    )


def test_long_lists_are_truncated_and_counted() -> None:
    result = Verification(0, tuple(f"clip{n}" for n in range(25)), (), (), (), ())
    lines = verification_to_text(result).splitlines()
    assert lines[1:3] == ["missing    25", "    clip0"]
    assert lines[12] == "    and 15 more"


def test_download_reports_progress_and_whether_it_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fake_download(corpus, folder, progress):
        calls.append((corpus, folder))
        progress(1, 2, "fetching")
        return len(calls) == 1

    monkeypatch.setattr(overtone.corpora.download.corpus, "download_corpus", fake_download)
    assert main(["corpora", "download", "ravdess", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"ravdess is complete in {tmp_path}\n"
    assert main(["corpora", "download", "ravdess", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"ravdess is complete in {tmp_path}; nothing was downloaded\n"
    assert calls == [("ravdess", tmp_path)] * 2


def test_a_corpus_without_archives_cannot_be_downloaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpora", "download", "manifest", str(tmp_path)]) == 1
    assert "manifest" in capsys.readouterr().err
