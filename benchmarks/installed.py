"""How much `pip install` brings: a package with everything it requires, measured in the environment that runs this."""

import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SOURCE = Path(__file__).resolve().parent.parent / "overtone"


def sizes_mb(name: str) -> dict[str, float]:
    """Package -> megabytes on disk (compiled `.pyc` files left out), for `name` and all that it requires.

    Args:
        name: an installed package, without extras.

    Raises:
        importlib.metadata.PackageNotFoundError: the package or one that it requires is not installed.
    """
    found: dict[str, float] = {}
    waiting = [name]
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
