"""`results/explanations.json` -> how much better explanations are than random order and the order of energy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import blocks_from_file

COMMAND = "python -m benchmarks.explanations"
ORDERS = ("explanation", "random", "energy")
HEADER = ("Parts", "Test", "Corpus", "Clips", "Explanation", "Random", "Energy", "Gain over random", "Gain over energy")


def blocks(path: Path) -> list[Block]:
    """Return the tables of each recipe; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, COMMAND)


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    result: list[Block] = []
    for recipe in dict.fromkeys(row["recipe"] for row in content["rows"]):
        rows = [row for row in content["rows"] if row["recipe"] == recipe]
        (total,) = {(row["clips"], row["speakers"]) for row in rows if row["corpus"] == "all"}
        protocols = ", ".join(rows[0]["protocols"])
        result.append(
            Paragraph(
                f"Recipe {recipe}, protocol {protocols}: {total[0]} clips of {total[1]} speakers. Mean area under the "
                f"curve of the probability, in per cent, over {content['steps']} steps; a gain is the mean difference "
                "per clip in the right direction, with its 95 % interval by bootstrap over clips."
            )
        )
        ordered = sorted(rows, key=lambda row: (row["kind"] == "bands", row["direction"], row["corpus"] == "all"))
        result.append(Table(HEADER, tuple(map(_line, ordered)), frozenset(HEADER[3:])))
        result += _reliability(rows)
    return [*result, *_properties(content["properties"])]


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    areas = [f"{100 * row['areas'][name]:.1f}" for name in ORDERS]
    gains = [_gain(row["gain"][name]) for name in ORDERS[1:]]
    return (row["kind"], row["direction"], row["corpus"], str(row["clips"]), *areas, *gains)


def _gain(gain: Mapping[str, float]) -> str:
    return f"{100 * gain['value']:.1f} [{100 * gain['low']:.1f}, {100 * gain['high']:.1f}]"


def _reliability(rows: list[Mapping[str, Any]]) -> list[Block]:
    shares = {row["kind"]: row["reliable_share"] for row in rows if row["corpus"] == "all"}
    texts = [f"{100 * share:.0f} % of the {kind}" for kind, share in shares.items()]
    return [Paragraph(f"The two ways of replacing a part agree on the sign for {' and '.join(texts)}.")]


def _properties(rows: list[Mapping[str, Any]]) -> list[Block]:
    chosen = [row for row in rows if row["corpus"] == "all"]
    if not chosen:
        return []
    header = ("Property", "Clips", "Mean change", "For", "Against", "Little", "Not clear")
    lines = tuple(
        (
            row["property"],
            str(row["measured"]),
            f"{100 * row['mean_change']:.1f}",
            *(f"{100 * row['verdicts'][name]:.0f} %" for name in ("for", "against", "little", "unclear")),
        )
        for row in chosen
    )
    text = "The properties: mean absolute change of the probability in points, and the share of the clips by verdict."
    return [Paragraph(text), Table(header, lines, frozenset(header[1:]))]
