"""The audio file that a cell of a table names."""

import os
from collections.abc import Sequence
from pathlib import Path

from overtone._internal.spreadsheet_text import unquote_formula


def locate(name: str, folders: Sequence[str]) -> str:
    """Return the path of the file in the first folder that contains it; in the first folder if none does.

    Blanks around the name are ignored, and backslashes, as written on Windows, separate folders too, unless the name of
    a file contains them. A name that a spreadsheet would run as a formula may be behind an apostrophe.

    Args:
        name: as written in the table.
        folders: at least one.
    """
    stripped = name.strip()
    unquoted = unquote_formula(stripped)
    spellings = list(dict.fromkeys((name, unquoted, stripped, stripped.replace("\\", "/"))))
    paths = [str(Path(folder) / spelling) for folder in folders for spelling in spellings]
    found = next(filter(os.path.lexists, paths), None) if len(paths) > 1 and "\0" not in name else None
    return found or paths[len(spellings) - 1]
