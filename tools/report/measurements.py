"""Read the JSON file of a benchmark and turn it into document blocks; helpers shared by the benchmark tables."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from overtone.errors import InputError
from overtone.evaluation.document import Block, Strong, Table
from overtone.evaluation.report import UNKNOWN


class Target(NamedTuple):
    """A performance target and the measurement that decides it.

    Attributes:
        description: the target in words, with its limit.
        measured: the measured value with its unit; "" where there is none.
        met: whether the value meets the target.
    """

    description: str
    measured: str
    met: bool


def blocks_from_file(path: Path, make_blocks: Callable[[Any], list[Block]], command: str) -> list[Block]:
    """Return the blocks that `make_blocks` builds from the content of a file; an empty list where there is no file.

    Args:
        path: JSON file of a benchmark.
        make_blocks: content -> blocks.
        command: the command that writes the file, for messages.

    Raises:
        InputError: the file is damaged.
    """
    if not Path(path).is_file():
        return []
    try:
        return make_blocks(json.loads(Path(path).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, IndexError, ArithmeticError) as error:
        raise InputError(f"cannot read measurements from {path}: {error!r}; create it again with: {command}") from error


def at_least(description: str, limit: float, measured: float | None, unit: str) -> Target:
    """Return a target that is met by `limit` or more."""
    if measured is None:
        return Target(description, "", False)
    return Target(description, f"{measured:.3g} {unit}", measured >= limit)


def below(description: str, limit: float, measured: float | None, unit: str) -> Target:
    """Return a target that is met by less than `limit`."""
    if measured is None:
        return Target(description, "", False)
    return Target(description, f"{measured:.3g} {unit}", measured < limit)


def target_table(targets: Sequence[Target]) -> Table:
    """Return a table with one row per target: met, missed or not measured."""
    rows = tuple(
        (target.description, target.measured or UNKNOWN, _verdict(target) if target.measured else UNKNOWN)
        for target in targets
    )
    return Table(("Target", "Measured", "Verdict"), rows, frozenset({"Measured"}))


def machine_name(machine: Mapping[str, Any]) -> str:
    """Return processor, system and Python version of a benchmark run."""
    return f"{machine['processor']} ({machine['system']}, Python {machine['versions']['python']})"


def _verdict(target: Target) -> str:
    return Strong("met") if target.met else "missed"
