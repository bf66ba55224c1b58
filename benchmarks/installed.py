"""How much `pip install` brings: packages with everything they require, measured in the environment that runs this.

python -m benchmarks.installed PACKAGE... [--beyond PACKAGE...]      prints megabytes; of what the others do not bring
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
        names: installed packages, with extras if need be, such as `overtone[serve]`.

    Raises:
        importlib.metadata.PackageNotFoundError: the package or one that it requires is not installed.
    """
    found: dict[str, float] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(names)
    while waiting:
        asked = Requirement(waiting.pop())
        package = canonicalize_name(asked.name)
        for extra in {"", *asked.extras} - {extra for name, extra in seen if name == package}:
            seen.add((package, extra))
            found[package] = size_mb(package)
            waiting += required(package, extra)
    return found


def required(package: str, extra: str = "") -> list[str]:
    """What `package` requires here, or what one of its extras does; names with their extras."""
    requirements = [Requirement(line) for line in importlib.metadata.requires(package) or []]
    wanted = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": extra})]
    return [f"{each.name}[{','.join(sorted(each.extras))}]" if each.extras else each.name for each in wanted]


def size_mb(package: str) -> float:
    """Megabytes of one installed package; of this project, its source folder (it may be installed editable)."""
    if package == SOURCE.name:
        paths = {path for path in SOURCE.rglob("*") if "__pycache__" not in path.parts}
    else:
        files = importlib.metadata.files(package) or []
        paths = {Path(str(file.locate())) for file in files if file.suffix != ".pyc"}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


if __name__ == "__main__":
    wanted, _, others = " ".join(sys.argv[1:]).partition("--beyond")
    known = sizes_mb(*others.split())
    print(sum(size for name, size in sizes_mb(*wanted.split()).items() if name not in known))
