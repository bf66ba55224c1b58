"""The source distribution and the wheel: their files, and an installation that recognises speech."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import overtone

PROJECT = Path(__file__).resolve().parent.parent
METADATA = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff")
DECOYS = ("tests", "tools", "benchmarks", "experiments", "examples", "deploy", "docs")  # must not be installed

pytestmark = pytest.mark.slow


def run(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    """Run Python with these arguments and return its output; a failure shows everything that was printed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def package_files() -> set[str]:
    """Every file of the package, as paths relative to the project folder."""
    files = (path for path in (PROJECT / "overtone").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(PROJECT).as_posix() for path in files}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked; built from a copy, so that nothing is written into the project folder."""
    folder = tmp_path_factory.mktemp("sdist")
    source = folder / "source"
    source.mkdir()
    for name in METADATA:
        shutil.copy(PROJECT / name, source)
    ignore = shutil.ignore_patterns("__pycache__", "figures")
    for name in ("overtone", *DECOYS):
        shutil.copytree(PROJECT / name, source / name, ignore=ignore)
    run("-c", "from setuptools import build_meta; build_meta.build_sdist('dist')", cwd=source)
    (archive,) = (source / "dist").iterdir()
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip builds from the source distribution, without network."""
    output = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")
    run("-m", "pip", "wheel", *options, "--wheel-dir", output, sdist, cwd=output)
    (path,) = output.glob("*.whl")
    return path


def test_the_source_distribution_holds_what_a_build_needs(sdist: Path) -> None:
    files = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}
    generated = {name for name in files if name == "PKG-INFO" or name.startswith("overtone.egg-info/")}
    docs = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "docs").glob("*.md")}
    assert files - generated - {"setup.cfg"} == package_files() | set(METADATA) | docs


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    assert names - metadata == package_files()
    licences = {name.split("/licenses/")[1] for name in metadata if "/licenses/" in name}
    assert {"LICENSE", "overtone/bundled/LICENSE"} <= licences


def test_the_installed_wheel_recognises_speech(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    options = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    run("-m", "pip", "install", *options, "--target", target, wheel, cwd=tmp_path)
    environment = {"PYTHONPATH": str(target), "PYTHONDONTWRITEBYTECODE": "1"}
    location = run("-c", "import overtone; print(overtone.__file__)", cwd=tmp_path, **environment)
    assert Path(location.strip()).is_relative_to(target), "the installed package, not the project folder"
    clip = PROJECT / "examples" / "speech" / "level.flac"
    table = run("-m", "overtone", "predict", clip, "--format", "csv", cwd=tmp_path, **environment)
    assert f"level.flac,{overtone.load().recognise(clip).emotion}," in table.splitlines()[1]
    assert "overtone" in run("-m", "overtone", "info", cwd=tmp_path, **environment)
    assert (target / "bin" / "overtone").exists() or (target / "Scripts").exists()
