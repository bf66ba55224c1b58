"""A fingerprint changes with every source file of its parts, and never ignores a missing part."""

from pathlib import Path

import pytest

from overtone._internal import fingerprint as module
from overtone._internal.fingerprint import FEATURES, PACKAGE, fingerprint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a module, and a folder with a subfolder."""
    for name in ("one.py", "folder/two.py", "folder/deep/three.py", "folder/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["one.py", "folder/two.py", "folder/deep/three.py"])
def test_a_changed_or_renamed_file_changes_the_fingerprint(package: Path, name: str) -> None:
    before = fingerprint("one.py", "folder")
    file = package / name
    content = file.read_bytes()
    file.write_bytes(content + b"x = 1\n")
    assert fingerprint("one.py", "folder") != before
    file.write_bytes(content)
    assert fingerprint("one.py", "folder") == before
    renamed = file.rename(file.with_name("renamed.py"))
    assert fingerprint(*("renamed.py" if renamed.parent == package else "one.py", "folder")) != before


def test_an_added_file_in_a_new_subfolder_changes_the_fingerprint(package: Path) -> None:
    before = fingerprint("folder")
    (package / "folder" / "new").mkdir()
    (package / "folder" / "new" / "four.py").write_text("")
    assert fingerprint("folder") != before


def test_only_source_files_of_the_parts_and_more_matter(package: Path) -> None:
    before = fingerprint("folder")
    (package / "one.py").write_text("x = 1\n")
    (package / "folder" / "notes.txt").write_text("changed")
    assert fingerprint("folder") == before
    assert fingerprint("folder", more="x") != before
    assert fingerprint("one.py", "folder") != before


@pytest.mark.parametrize("part", ["gone.py", "gone", "folder/deep/gone.py", "stale"])
def test_a_missing_part_is_an_error(package: Path, part: str) -> None:
    (package / "stale" / "__pycache__").mkdir(parents=True)  # the remains of a package that was moved
    with pytest.raises(FileNotFoundError, match=f"'{part}'"):
        fingerprint("one.py", part)


def test_the_parts_of_features_exist() -> None:
    assert all((PACKAGE / part).exists() for part in FEATURES)
    assert len(fingerprint(*FEATURES)) == module.DIGITS
