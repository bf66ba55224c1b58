"""The number of CPU cores available to this process."""

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def cpu_count() -> int:
    """Return the number of CPU cores that this process may use: by its affinity, and by the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(CGROUPS, OWN_CGROUPS)
    return cores if quota is None else max(1, min(cores, int(quota)))


def cpu_quota(cgroups: Path, own_cgroups: Path) -> float | None:
    """Return the CPU quota of the control groups of this process, in cores; None if it is not limited.

    Args:
        cgroups: where the control groups are mounted.
        own_cgroups: the file that names those of this process.

    Source: the Linux kernel's documentation, Control Group v2, `cpu.max`, and CFS Bandwidth Control (version 1).
    """
    quotas = [_read_quota(folder) for folder in _folders(cgroups, own_cgroups)]
    return min((quota for quota in quotas if quota is not None), default=None)


def _folders(cgroups: Path, own_cgroups: Path) -> list[Path]:
    """Return the folders of the control groups that may limit the CPU: each group and those that contain it."""
    folders = [cgroups, cgroups / "cpu", cgroups / "cpu,cpuacct"]
    for line in _read(own_cgroups).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers or "cpu" in controllers.split(","):
            own = cgroups / controllers / path.lstrip("/")
            folders += [own, *(parent for parent in own.parents if parent.is_relative_to(cgroups))]
    return folders


def _read_quota(folder: Path) -> float | None:
    """Return the quota of one control group in cores, by version 2 or 1; None if it has none."""
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    try:
        cores = float(quota) / float(period)
    except (ValueError, ZeroDivisionError):  # "max"; no such file; a value that is not known here
        return None
    return cores if cores > 0 else None  # -1 for no limit


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
