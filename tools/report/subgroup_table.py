"""Tables of the scores by subgroup (gender, intensity, sentence) for the results page."""

from collections.abc import Sequence

from overtone.evaluation.document import Block, Heading, Paragraph
from overtone.evaluation.subgroups import EXPLANATION, MAIN_PROTOCOLS, score_subgroups, table
from tools.report.oof_results import Result


def blocks(results: Sequence[Result]) -> list[Block]:
    """Return a table per complete model of this project under one of `MAIN_PROTOCOLS`, and an explanation."""
    document: list[Block] = []
    for result in results:
        if result.is_own and result.is_full_model and result.condition.qualified_protocol in MAIN_PROTOCOLS:
            title = Heading(f"{result.row.name}, {result.row.protocol}", level=3)
            document += [title, table(score_subgroups(result.predictions))]
    return [*document, Paragraph(EXPLANATION)] if document else []
