"""The document `docs/results-details.md`: all scores, ablations, paired tests, calibration, subgroups and targets."""

from overtone.evaluation.document import Block, Paragraph
from tools.report import (
    ablation_table,
    adaptation_table,
    batch_table,
    bench_table,
    calibration_table,
    paired_table,
    robustness_table,
    service_table,
    subgroup_table,
    timeline_table,
    unseen_corpus_table,
)
from tools.report.inputs import Inputs
from tools.report.results_page import page
from tools.report.score_tables import class_blocks, reading_notes, recall_blocks, score_blocks

INTRODUCTION = (
    "'make results' generates this page from the files in results/. The summary is results.md; overtone/recipes and "
    "experiments/recipes hold the recipes.",
)


def document(inputs: Inputs) -> list[Block]:
    """Return the blocks of the page; chapters without content are left out."""
    folder, results = inputs.folder, inputs.results
    scores = [Paragraph(reading_notes(results)), *score_blocks(results)] if results else []
    return page(
        "Results in detail",
        INTRODUCTION,
        ("All scores", scores),
        ("Unseen corpora, one by one", unseen_corpus_table.detail_blocks(inputs.main_results)),
        ("Ablations", ablation_table.blocks(results, inputs.ablations)),
        ("Paired tests", paired_table.blocks(inputs.main_results)),
        ("Calibration", calibration_table.blocks(inputs.main_results)),
        ("Recall by emotion", recall_blocks(results)),
        ("Precision, recall and F1 by emotion", class_blocks(inputs.main_results)),
        ("Scores by gender, intensity and sentence", subgroup_table.blocks(inputs.main_results)),
        ("Recording conditions", robustness_table.blocks(folder / "robustness.json")),
        ("Number of adaptation clips", adaptation_table.blocks(folder / "adaptation.json")),
        ("Batch processing", batch_table.blocks(folder / "batch.json")),
        ("Speed targets", bench_table.detail_blocks(folder / "bench.json")),
        ("Timeline targets", timeline_table.detail_blocks(folder / "timeline.json")),
        ("Service targets", service_table.detail_blocks(folder / "serve.json")),
    )
