"""The size of a package on disk with all its dependencies, measured in the environment that runs this module.

python -m benchmarks.installed PACKAGE... [--beyond PACKAGE...]      prints megabytes, without the second packages
"""

import importlib.metadata
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SOURCE = Path(__file__).resolve().parent.parent / "overtone"


def sizes_mb(*names: str) -> dict[str, float]:
    """Return package -> megabytes on disk (without `.pyc` files), for these packages and all their dependencies.

    Args:
        names: installed packages, optionally with extras, such as `overtone[serve]`.

    Raises:
        importlib.metadata.PackageNotFoundError: a package or a dependency is not installed.
    """
    sizes: dict[str, float] = {}
    seen: set[tuple[str, str]] = set()
    queue = list(names)
    while queue:
        requirement = Requirement(queue.pop())
        package = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {extra for name, extra in seen if name == package}:
            seen.add((package, extra))
            sizes[package] = size_mb(package)
            queue += direct_dependencies(package, extra)
    return sizes


def direct_dependencies(package: str, extra: str = "") -> list[str]:
    """Return the dependencies of a package, or of one of its extras, in this environment: names with their extras."""
    requirements = [Requirement(line) for line in importlib.metadata.requires(package) or []]
    applicable = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": extra})]
    return [f"{each.name}[{','.join(sorted(each.extras))}]" if each.extras else each.name for each in applicable]


def size_mb(package: str) -> float:
    """Return the megabytes of one installed package; for this project, of its source folder, as it may be editable."""
    if package == SOURCE.name:
        paths = {path for path in SOURCE.rglob("*") if "__pycache__" not in path.parts}
    else:
        files = importlib.metadata.files(package) or []
        paths = {Path(str(file.locate())) for file in files if file.suffix != ".pyc"}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


if __name__ == "__main__":
    wanted, _, excluded = " ".join(sys.argv[1:]).partition("--beyond")
    excluded_packages = sizes_mb(*excluded.split())
    print(sum(size for name, size in sizes_mb(*wanted.split()).items() if name not in excluded_packages))
