"""The document `docs/results.md`: the shipped recipe, the paper, baselines, published results, speed and service."""

from collections.abc import Sequence

from overtone.evaluation.document import Block, Heading, Paragraph, Table
from overtone.evaluation.protocols import PROTOCOLS
from tools.report import (
    bench_table,
    paper_table,
    published_results,
    reference_sets_table,
    robustness_table,
    service_table,
    timeline_table,
    unseen_corpus_table,
)
from tools.report.inputs import Inputs
from tools.report.oof_results import (
    BUNDLED_RECIPES,
    DUPLICATED_CONDITION,
    PAPER_CONDITION,
    PAPER_RECIPE,
    EvaluationCondition,
    Result,
)
from tools.report.published_results import Section
from tools.report.score_figures import draw_figures
from tools.report.score_tables import (
    ADAPTED_NOTE,
    BASELINE_NOTE,
    baseline_names,
    best_result,
    reading_notes,
    score_blocks,
    score_table,
    summary_blocks,
)

INTRODUCTION = (
    "'make results' generates this page and its details, results-details.md, from the files in results/: out-of-fold "
    "predictions of every test clip (results/oof), published scores (results/published_results.json) and benchmarks "
    "(the other JSON files).",
    "Do not compare scores of different protocols. RAVDESS speech has 1440 clips of 24 actors and 8 emotions; chance "
    "is a UAR of 12.5 %. One pair of its clips has identical samples under two names; where a protocol splits by clip, "
    "the pair can be in both training and test data and is not counted as overlap.",
)
PAPER_NOTE = (
    "Recipe 'paper' rebuilds the paper's three models. The fused model, under speaker-independent folds, a random "
    "split by clip, and the paper's own splits, which leak:"
)
SUMMARY_NOTE = "Each row holds the best recipe of a protocol, ablations excluded. Compare along a row only."
Chapter = tuple[str, Sequence[Block]]


def document(inputs: Inputs) -> list[Block]:
    """Return the blocks of the page; chapters without content are left out."""
    folder = inputs.folder
    return page(
        "Results",
        INTRODUCTION,
        ("Unseen corpora", unseen_corpus_table.blocks(inputs.main_results)),
        ("Summary", _summary(inputs)),
        ("Protocols", _protocol_blocks(inputs)),
        *(
            (f"The model {model}, trained on one corpus", _bundled_blocks(inputs.results, recipe))
            for model, (_, recipe) in BUNDLED_RECIPES.items()
        ),
        ("The paper, rebuilt", _paper_blocks(inputs)),
        ("Baselines: openSMILE + SVM", _baseline_blocks(inputs.results)),
        ("Published results", _published_blocks(inputs)),
        ("Reference clips of unseen corpora", reference_sets_table.blocks(folder / "reference-sets.json")),
        ("Recording conditions", robustness_table.summary_blocks(folder / "robustness.json")),
        ("Speed and size", bench_table.blocks(folder / "bench.json")),
        ("Long recordings and live audio", timeline_table.blocks(folder / "timeline.json")),
        ("Service", service_table.blocks(folder / "serve.json")),
    )


def page(title: str, introduction: Sequence[str], *chapters: Chapter) -> list[Block]:
    """Return a document of chapters; those without content are left out."""
    blocks: list[Block] = [Heading(title, level=1), *map(Paragraph, introduction)]
    for heading, content in chapters:
        blocks += [Heading(heading), *content] if content else []
    return blocks


def _summary(inputs: Inputs) -> list[Block]:
    summary = summary_blocks(inputs.main_results)
    return [Paragraph(reading_notes(inputs.results)), Paragraph(SUMMARY_NOTE), *summary] if summary else []


def _protocol_blocks(inputs: Inputs) -> list[Block]:
    sections = {section.condition: section for section in inputs.sections}
    conditions = {result.condition for result in inputs.results if not result.condition.adapted}
    described = [
        sections.get(condition) or _default_section(condition)
        for condition in sorted(conditions, key=lambda condition: condition.sort_key)
    ]
    rows = tuple((section.condition.qualified_protocol, section.title, section.text) for section in described)
    return [Table(("Protocol", "Title", "Description"), rows)] if rows else []


def _default_section(condition: EvaluationCondition) -> Section:
    return Section(condition, condition.qualified_protocol, PROTOCOLS[condition.protocol].description, ())


def _bundled_blocks(results: Sequence[Result], recipe: str) -> list[Block]:
    """Return the scores of a recipe on unseen speakers of RAVDESS, and its figures; an empty list without results."""
    found = [result for result in results if result.recipe == recipe and not result.condition.data]
    return [*score_blocks(found), *draw_figures(results, recipe)] if found else []


def _paper_blocks(inputs: Inputs) -> list[Block]:
    rows = {
        (result.condition, result.recipe, result.part): result.row
        for result in inputs.results
        if result.condition in (PAPER_CONDITION, DUPLICATED_CONDITION)
    }
    changes = {row.recipe: row.change for row in inputs.ablations if row.reference == PAPER_RECIPE}
    blocks = paper_table.blocks(rows, published_results.paper_results(inputs.sections), changes)
    rebuilt = [result for result in inputs.results if result.recipe == PAPER_RECIPE and result.is_full_model]
    if rebuilt:
        blocks += [Paragraph(PAPER_NOTE), *score_blocks(rebuilt), *draw_figures(rebuilt, PAPER_RECIPE)]
    return blocks


def _baseline_blocks(results: Sequence[Result]) -> list[Block]:
    baselines = [result for result in results if result.baseline]
    if not baselines:
        return []
    note = f"{' and '.join(baseline_names(baselines))}: {BASELINE_NOTE}."
    blocks: list[Block] = [Paragraph(note)]
    for adapted in (False, True):
        if rows := [result for result in baselines if result.condition.adapted == adapted]:
            blocks += [*([Paragraph(ADAPTED_NOTE)] if adapted else []), score_table(rows)]
    return blocks


def _published_blocks(inputs: Inputs) -> list[Block]:
    blocks: list[Block] = []
    for section in sorted(inputs.sections, key=lambda section: section.condition.sort_key):
        if section.rows:
            table = published_results.comparison_table(section, _comparable_results(section, inputs.main_results))
            blocks += [Heading(section.title, level=3), Paragraph(section.text), table]
    return blocks


def _comparable_results(section: Section, results: Sequence[Result]) -> list[Result]:
    """Return baselines, the paper's and the best own recipe; under the paper's split all parts of its recipe."""
    group = [result for result in results if result.condition == section.condition]
    if section.condition == PAPER_CONDITION:
        return [result for result in group if result.recipe == PAPER_RECIPE]
    full_models = [result for result in group if result.is_full_model]
    best = best_result(full_models)
    return [result for result in full_models if result is best or not result.is_own]
