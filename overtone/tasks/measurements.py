"""A JSON file that a benchmark wrote -> blocks of a page; nothing where there is no file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from overtone.errors import InputError
from overtone.outputs.document import Block


def blocks_of(path: Path, made: Callable[[Any], list[Block]], command: str) -> list[Block]:
    """What `made` makes of the content of a file.

    Args:
        path: the file.
        made: content -> blocks.
        command: what writes the file, for messages.

    Raises:
        InputError: the file is damaged.
    """
    if not Path(path).is_file():
        return []
    try:
        return made(json.loads(Path(path).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, IndexError, ArithmeticError) as error:
        raise InputError(f"cannot read measurements from {path}: {error!r}; make it again: {command}") from error
