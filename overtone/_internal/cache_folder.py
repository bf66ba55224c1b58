"""The folder for what can be computed or copied again: features of clips, and audio that tables contain."""

import os
from pathlib import Path

CACHE_VARIABLE = "OVERTONE_CACHE"


def default_cache() -> Path:
    """Return the cache folder: $OVERTONE_CACHE, else `overtone` in that of the user ($XDG_CACHE_HOME or ~/.cache)."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "overtone"
