"""How much `pip install` brings: packages with everything they require, measured in the environment that runs this.

python -m benchmarks.installed PACKAGE...      prints their megabytes
"""

import importlib.metadata
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SOURCE = Path(__file__).resolve().parent.parent / "overtone"


def sizes_mb(*names: str) -> dict[str, float]:
    """Package -> megabytes on disk (compiled `.pyc` files left out), for some and all that they require.

    Args:
        names: installed packages, without extras.

    Raises:
        importlib.metadata.PackageNotFoundError: the package or one that it requires is not installed.
    """
    found: dict[str, float] = {}
    waiting = list(names)
    while waiting:
        package = canonicalize_name(waiting.pop())
        if package not in found:
            found[package] = size_mb(package)
            waiting += required(package)
    return found


def required(package: str) -> list[str]:
    """Names of the packages that `package` requires here, its extras left out."""
    requirements = [Requirement(line) for line in importlib.metadata.requires(package) or []]
    return [each.name for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]


def size_mb(package: str) -> float:
    """Megabytes of one installed package; of this project, its source folder (it may be installed editable)."""
    if package == SOURCE.name:
        paths = {path for path in SOURCE.rglob("*") if "__pycache__" not in path.parts}
    else:
        files = importlib.metadata.files(package) or []
        paths = {Path(str(file.locate())) for file in files if file.suffix != ".pyc"}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


if __name__ == "__main__":
    print(sum(sizes_mb(*sys.argv[1:]).values()))
