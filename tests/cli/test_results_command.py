from pathlib import Path

import pytest

from overtone.cli.main import main


def test_a_folder_without_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["results", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"overtone: no folder {tmp_path}/results")


def test_what_was_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    (tmp_path / "results").mkdir()
    (tmp_path / "README.md").write_text(
        "".join(f"<!-- {name}:start -->\n<!-- {name}:end -->\n" for name in ("results", "rebuilt", "bench"))
    )
    assert main(["results", str(tmp_path)]) == 0
    assert str(tmp_path / "docs" / "results.md") in capsys.readouterr().out.splitlines()
