"""`results/` -> `docs/results.md`, its figures, and the tables of the README: nothing typed, nothing invented.

What is read: `oof/` (predictions and audits), `anchors.json` (figures of others, each with its source),
`ablations.json` (which recipe changes a little of which), `adaptation.json`, `bench.json`, `timeline.json`,
`batch.json` and `scale.json`. What is missing is left out. Built twice from the same files, all is the same.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from overtone._internal.atomic_write import write_bytes, write_text
from overtone.errors import InputError
from overtone.evaluation import figures, subgroups
from overtone.evaluation.document import Block, Heading, Paragraph, Picture, Strong, Table, to_markdown
from overtone.evaluation.protocols import PROTOCOLS
from overtone.evaluation.report import (
    UNKNOWN,
    ScoreRow,
    audit_cells,
    class_table,
    extremes_table,
    how_to_read,
    score_table,
    seeds_shown,
)
from overtone.recipe import PARTS
from tools.report import (
    ablation_table,
    adaptation_table,
    batch_table,
    bench_table,
    calibration_table,
    paired_table,
    paper_table,
    published_results,
    scale_table,
    service_table,
    timeline_table,
)
from tools.report.ablation_table import without_ablations
from tools.report.oof_results import ADAPTED, PAPER, EvaluationCondition, Result, grouped, read_results
from tools.report.published_results import PublishedResult, Section

INTRO = (
    "'make results' makes this page from the files in results/: out-of-fold predictions of every clip (results/oof), "
    "figures that others reported (results/anchors.json), a list of what is an ablation of what "
    "(results/ablations.json), what clips of a speaker are worth (results/adaptation.json) and the speed measurements "
    "(results/bench.json, results/timeline.json, results/batch.json).",
    "Protocols are kept apart, because figures of different protocols must not be compared. RAVDESS speech has 1440 "
    "clips of 24 actors, 8 emotions; chance is a UAR of 12.5 %. One pair of clips has the same samples under two "
    "names; where a protocol splits by clip, it may stand on both sides and is not counted as seen.",
    "Recipe 'paper' is the paper's three models rebuilt. Two recipes are that with a single change: in 'contours' the "
    "prosody branch hears contours of any length instead of one padded vector, in 'dense' the fusion takes the first "
    "dense layer of the CNN instead of its flattened last convolution. The others are ours; overtone/recipes says what "
    "each is.",
)
BEST_OF_OURS = "Of our recipes the best one of each protocol; docs/results.md has all of them."
HEARD_BEFORE = (
    "These models have heard the unlabelled clips of the test speaker before they answer. That is another task, to be "
    "compared with nothing but itself."
)
KINDS = ("recall", "confusion", *calibration_table.KINDS)  # of the pictures of a recipe


def build(root: Path) -> tuple[Path, ...]:
    """Writes `docs/results.md`, `docs/figures/*.png`, the tables of `README.md` and `docs/scale.md`; returns all paths.

    Args:
        root: the project folder, which holds `results/` and `README.md`.

    Raises:
        InputError: there is no `results/`, a file in it is damaged, or the README has no place for a table.
        OvertoneError: a file cannot be written.
    """
    root, kept = Path(root), Path(root) / "results"
    if not kept.is_dir():
        raise InputError(f"no folder {kept}: run this in the project folder")
    sections, ablations = published_results.read(kept / "anchors.json"), ablation_table.read(kept / "ablations.json")
    published = published_results.published(sections)
    results = read_results(kept / "oof", {part: row.shown for part, row in published.items()})
    compared = without_ablations(results, ablations)
    rebuilt, speed = _rebuilt(results, published), bench_table.readme_blocks(kept / "bench.json")
    tables = {"results": readme_blocks(compared), "rebuilt": rebuilt, "bench": speed}
    readme = _with_tables(root / "README.md", tables)
    document = page(
        ("Measured here", _score_blocks(results)),
        ("What each part is worth", ablation_table.blocks(results, ablations)),
        ("Paired tests", paired_table.blocks(compared)),
        ("How many clips of a speaker", adaptation_table.blocks(kept / "adaptation.json")),
        ("Calibration", calibration_table.blocks(compared)),
        ("By gender, intensity and sentence", subgroups.blocks(compared)),
        ("The paper, rebuilt", rebuilt),
        *((section.title, section_blocks(section, results)) for section in _all_sections(sections, results)),
        ("Speed and size", bench_table.blocks(kept / "bench.json")),
        ("Long recordings and live sound", timeline_table.blocks(kept / "timeline.json")),
        ("Many files", batch_table.blocks(kept / "batch.json")),
        ("The service", service_table.blocks(kept / "serve.json")),
    )
    pictures = [block for block in document if isinstance(block, Picture)]
    written = [_write_picture(root / "docs" / "figures", picture) for picture in pictures]
    _remove_others(root / "docs" / "figures", written)
    write_text(root / "docs" / "results.md", to_markdown(document))
    write_text(root / "README.md", readme)
    pages = [root / "docs" / "results.md", root / "README.md"]
    if (many := root / "docs" / "scale.md").is_file():
        write_text(many, _with_tables(many, {"scale": scale_table.blocks(kept / "scale.json")}))
        pages.append(many)
    return (*pages, *written)


def page(*chapters: tuple[str, Sequence[Block]]) -> list[Block]:
    """`docs/results.md` as a document, of titles and what stands below them; where that is nothing, it is left out."""
    document: list[Block] = [Heading("Results", level=1), *map(Paragraph, INTRO)]
    for title, blocks in chapters:
        document += [Heading(title), *blocks] if blocks else []
    return document


def section_blocks(section: Section, results: Sequence[Result]) -> list[Block]:
    """One setting: everybody's figures in one table, then the confusions and classes of our models."""
    ours = [one for one in results if one.setting == section.setting]
    if not section.rows and not ours:
        return []
    document: list[Block] = [Paragraph(section.text), published_results.ladder(section, ours)]
    for recipe in dict.fromkeys(one.recipe for one in ours if not one.baseline):
        parts = [one for one in ours if one.recipe == recipe]
        document += _pictures(parts)
        for one in parts:
            if one.whole:
                document += [Heading(f"{one.row.name}: per class", level=3), class_table(one.row.scores)]
    return document


def readme_blocks(results: Sequence[Result]) -> list[Block]:
    """The tables of the README: where one of our models was measured, the best of them and those of others.

    The branches stand beside; all recipes are on the page.
    """
    ours = [one for one in results if one.whole and one.ours]
    best = {one.setting: one for one in sorted(ours, key=lambda one: one.row.scores.uar.value)}
    settings = {one.setting for one in results if one.whole and not one.baseline}
    shown = [one for one in results if one.whole and one.setting in settings]
    shown = [one for one in shown if not one.ours or best[one.setting] is one]
    document: list[Block] = [Paragraph(BEST_OF_OURS)] if len(best) < len(ours) else []
    for title, group in grouped(shown).items():
        words = f"{title}. {HEARD_BEFORE}" if group[0].setting.adapted else f"{title}."
        document += [*([Paragraph(words)] if title else []), _readme_table(group, results)]
    return [*document, *_baselines(shown)]


def _rebuilt(results: Sequence[Result], published: Mapping[str, PublishedResult]) -> list[Block]:
    ours = {(one.recipe, one.part): one.row.scores.wa for one in results if one.setting == PAPER}
    return paper_table.blocks(ours, published)


def _score_blocks(results: Sequence[Result]) -> list[Block]:
    if not results:
        return []
    document: list[Block] = [Paragraph(how_to_read([one.row for one in results])), *_baselines(results)]
    for title, group in grouped(results).items():
        whole = [one for one in group if one.whole]
        strong = [one.row for one in whole if not one.baseline]
        document += [Heading(title, level=3)] if title else []
        document += [Paragraph(HEARD_BEFORE)] if group[0].setting.adapted else []
        document += [score_table([one.row for one in group], strong), extremes_table([one.row for one in whole])]
    return document


def _baselines(results: Sequence[Result]) -> list[Block]:
    names = sorted({one.recipe for one in results if one.baseline})
    words = "baselines, measured here as well: functionals of openSMILE and a support vector machine"
    return [Paragraph(f"{' and '.join(names)}: {words} (benchmarks/README.md).")] if names else []


def _all_sections(sections: Sequence[Section], results: Sequence[Result]) -> list[Section]:
    """A section per setting; what nobody else has measured is titled by its protocol."""
    found = {section.setting: section for section in sections}
    for one in results:
        if one.setting not in found:
            found[one.setting] = _untold(
                one.setting, found.get(EvaluationCondition(one.setting.data, one.setting.protocol))
            )
    return sorted(found.values(), key=lambda section: section.setting.rank)


def _untold(setting: EvaluationCondition, unadapted: Section | None) -> Section:
    title = unadapted.title if unadapted else setting.tested
    if setting.adapted:
        return Section(setting, f"{title}, speaker-adapted", HEARD_BEFORE, ())
    return Section(setting, title, (PROTOCOLS[setting.protocol].__doc__ or "").partition("\n")[0], ())


def _readme_table(group: Sequence[Result], results: Sequence[Result]) -> Table:
    lines: list[tuple[str, ...]] = []
    for one in group:
        beside = {o.part: o.row for o in results if (o.setting, o.recipe) == (one.setting, one.recipe)}
        lines.append((one.row.protocol, one.recipe, *_readme_cells(one, beside)))
    header: tuple[str, ...] = ("Protocol", "Recipe", "UAR", "WA", "UAR, mel alone", "UAR, prosody alone", "Seeds")
    header += ("Test clips trained on", "Speakers trained on", "Published")
    kept = [i for i in range(len(header)) if i < 2 or any(line[i] != UNKNOWN for line in lines)]
    shown = tuple(tuple(line[i] for i in kept) for line in lines)
    return Table(tuple(header[i] for i in kept), shown, numbers=frozenset(header[2:-1]))


def _readme_cells(one: Result, beside: Mapping[str, ScoreRow]) -> tuple[str, ...]:
    row, mark = one.row, str if one.baseline else Strong
    alone = [f"{100 * beside[part].scores.uar.value:.1f}" if part in beside else UNKNOWN for part in ("mel", "prosody")]
    clips, speakers, _ = audit_cells(row.audit)
    figures = (mark(row.scores.uar), str(row.scores.wa), *alone, seeds_shown(row.scores))
    return (*figures, clips, speakers, row.published or UNKNOWN)


def _pictures(parts: Sequence[Result]) -> list[Block]:
    """Recalls of all parts of a recipe in one setting, confusions of the whole."""
    name, title = parts[0].file_name, f"{parts[0].recipe} recipe, {parts[0].setting.tested}"
    scores = {one.part: one.row.scores for one in parts}
    ordered = {part: scores[part] for part in (*PARTS, ADAPTED) if part in scores}
    pictures: list[Block] = []
    if ordered:
        bars = figures.recalls(ordered, f"{title}: recall")
        pictures.append(Picture(f"{name}-recall.png", f"{title}: recall per emotion", bars))
    for one in parts:
        if one.whole:
            drawn = figures.confusion(one.row.scores, f"{title}, {one.part}")
            pictures.append(Picture(f"{name}-confusion.png", f"{title}, {one.part}: confusion matrix", drawn))
    return pictures


def _with_tables(readme: Path, tables: dict[str, list[Block]]) -> str:
    """The text of a page with each table between `<!-- name:start -->` and `<!-- name:end -->`."""
    try:
        text = readme.read_text("utf-8")
    except OSError as error:
        raise InputError(f"cannot read {readme}: run this in the project folder") from error
    for name, blocks in tables.items():
        start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
        before, opened, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            raise InputError(f"{readme}: the table of {name} needs the lines {start} and {end}")
        table = f"\n{to_markdown(blocks)}\n" if blocks else ""
        text = f"{before}{start}\n{table}{end}{after}"
    return text


def _write_picture(folder: Path, picture: Picture) -> Path:
    write_bytes(folder / picture.name, picture.png)
    return folder / picture.name


def _remove_others(folder: Path, written: list[Path]) -> None:
    """Takes away the pictures of results that are no more."""
    for kind in KINDS:
        for path in folder.glob(f"*-*-{kind}.png"):
            if path not in written:
                path.unlink()
