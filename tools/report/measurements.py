"""A JSON file that a benchmark wrote -> blocks of a page; nothing where there is no file."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from overtone.errors import InputError
from overtone.evaluation.document import Block, Strong, Table
from overtone.evaluation.report import UNKNOWN


class Target(NamedTuple):
    """What was aimed at, and what came of it.

    Attributes:
        wanted: in words, with the figure.
        measured: the figure, with its unit; "" where there is none.
        met: whether it is good enough.
    """

    wanted: str
    measured: str
    met: bool


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


def at_least(wanted: str, factor: float, measured: float | None, unit: str) -> Target:
    """A target that is met from `factor` on."""
    if measured is None:
        return Target(wanted, "", False)
    return Target(wanted, f"{measured:.3g} {unit}", measured >= factor)


def below(wanted: str, limit: float, measured: float | None, unit: str) -> Target:
    """A target that is met below `limit`."""
    if measured is None:
        return Target(wanted, "", False)
    return Target(wanted, f"{measured:.3g} {unit}", measured < limit)


def target_table(targets: Sequence[Target]) -> Table:
    """A row per target: met, missed or not measured."""
    rows = tuple(
        (one.wanted, one.measured or UNKNOWN, (Strong("met") if one.met else "missed") if one.measured else UNKNOWN)
        for one in targets
    )
    return Table(("Target", "Measured", "Verdict"), rows, frozenset({"Measured"}))
