"""Source files -> a name for what they do, so that results made by other code are not taken for one's own."""

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
DIGITS = 16
# What makes a sound file features; other modules of `audio` have no say in them.
FEATURES = (*(f"audio/{name}.py" for name in ("container", "mp3", "opened", "read")), "features")


def fingerprint(*parts: str, more: str = "") -> str:
    """Hexadecimal digits that change with the code.

    Args:
        parts: modules and folders of the package, for example "features" or "tasks/training/loop.py".
        more: what else the name shall stand for.
    """
    digest = hashlib.sha256()
    for part in parts:
        path = PACKAGE / part
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    digest.update(more.encode())
    return digest.hexdigest()[:DIGITS]
