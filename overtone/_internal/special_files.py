"""Files that are not on a disk."""

import stat
from pathlib import Path


def is_special(file: Path) -> bool:
    """Return whether it is a pipe, a socket or a device, which might never end; False for a missing file."""
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
