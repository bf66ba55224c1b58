"""The number of cores respects the CPU quota of a container, in both versions of control groups."""

import os
from pathlib import Path

import pytest

from overtone._internal import cpu_count as module
from overtone._internal.cpu_count import cpu_count, cpu_quota


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


@pytest.mark.parametrize(
    ("own", "files", "quota"),
    [
        ("0::/", {"": {"cpu__max": "200000 100000"}}, 2.0),
        ("0::/", {"": {"cpu__max": "50000 100000"}}, 0.5),
        ("0::/", {"": {"cpu__max": "max 100000"}}, None),
        ("0::/a/b", {"a": {"cpu__max": "300000 100000"}, "a/b": {"cpu__max": "max 100000"}}, 3.0),
        ("0::/a/b", {"a": {"cpu__max": "300000 100000"}, "a/b": {"cpu__max": "100000 100000"}}, 1.0),
        ("4:cpu,cpuacct:/d", {"cpu": {"cpu__cfs_quota_us": "250000", "cpu__cfs_period_us": "100000"}}, 2.5),
        ("4:cpu,cpuacct:/d", {"cpu,cpuacct/d": {"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"}}, None),
        ("4:cpu,cpuacct:/d", {"cpu,cpuacct/d": {"cpu__cfs_quota_us": "100000", "cpu__cfs_period_us": "50000"}}, 2.0),
        ("4:memory:/d", {"memory/d": {"cpu__max": "100000 100000"}}, None),
        ("not a line", {"": {"cpu__max": "not a number"}}, None),
    ],
)
def test_the_quota_of_a_container(
    own: str, files: dict[str, dict[str, str]], quota: float | None, tmp_path: Path
) -> None:
    for folder, texts in files.items():
        write(tmp_path / "cgroup" / folder, **texts)
    (tmp_path / "own").write_text(own + "\n")
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "own") == quota
    assert cpu_quota(tmp_path / "missing", tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000 100000", 2), ("250000 100000", 2), ("10000 100000", 1), ("max 1", 32)]
)
def test_the_number_of_cores(quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, cpu__max=quota)
    monkeypatch.setattr(module, "CGROUPS", tmp_path)
    monkeypatch.setattr(module, "OWN_CGROUPS", tmp_path / "missing")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(32), raising=False)
    assert cpu_count() == cores
