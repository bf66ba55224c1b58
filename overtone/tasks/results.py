"""`results/` -> `docs/results.md`, its figures, and the tables of the README: nothing typed, nothing invented.

What is read: `oof/*.csv` (predictions), the `oof/*.json` beside them (audits), `anchors.json` (figures of others, each
with its source) and `bench.json`. What is missing is left out. Built twice from the same files, all is the same.
"""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from overtone.errors import InputError
from overtone.metrics import SEED, Comparison, paired_test, score
from overtone.outputs import figures, predictions
from overtone.outputs.document import Block, Heading, Paragraph, Picture, Strong, Table, to_markdown
from overtone.outputs.report import (
    UNKNOWN,
    Row,
    audit_cells,
    class_table,
    extremes_table,
    how_to_read,
    score_table,
    seeds_shown,
)
from overtone.outputs.whole import write_bytes, write_text
from overtone.recipe import PARTS
from overtone.splits import PROTOCOLS
from overtone.tasks import anchors, bench_table, rebuilt_table
from overtone.values import Predictions, Scores

SHOWN_FIRST = ("luna5", "emobox6", "loso", "sentence", "cross", "random", "paper")
PARTS_SHOWN = ("fusion", "mel", "prosody")
CLEAR = 0.05  # p below which a difference is called one
INTRO = (
    "'make results' makes this page from the files in results/: out-of-fold predictions of every clip (results/oof), "
    "figures that others reported (results/anchors.json) and the speed measurements (results/bench.json).",
    "Protocols are kept apart, because figures of different protocols must not be compared. RAVDESS speech has 1440 "
    "clips of 24 actors, 8 emotions; chance is a UAR of 12.5 %. One pair of clips has the same samples under two "
    "names; where a protocol splits by clip, it may stand on both sides and is not counted as seen.",
    "Recipe 'paper' is the paper's three models rebuilt. Two recipes are that with a single change: in 'contours' the "
    "prosody branch hears contours of any length instead of one padded vector, in 'dense' the fusion takes the first "
    "dense layer of the CNN instead of its flattened last convolution. 'overtone' is ours.",
)


@dataclass(frozen=True)
class Result:
    """One CSV of out-of-fold predictions and what follows from it."""

    protocol: str
    recipe: str
    part: str
    predictions: Predictions
    row: Row


def build(root: Path) -> tuple[Path, ...]:
    """Writes `docs/results.md`, `docs/figures/*.png` and the tables of `README.md`; returns all paths written.

    Args:
        root: the project folder, which holds `results/` and `README.md`.

    Raises:
        InputError: there is no `results/`, a file in it is damaged, or the README has no place for a table.
        OvertoneError: a file cannot be written.
    """
    root = Path(root)
    if not (root / "results").is_dir():
        raise InputError(f"no folder {root / 'results'}: run this in the project folder")
    sections = anchors.read(root / "results" / "anchors.json")
    results = read_results(root / "results" / "oof", sections)
    bench = bench_table.blocks(root / "results" / "bench.json")
    rebuilt = _rebuilt(results, sections)
    tables = {"results": readme_blocks(results), "rebuilt": rebuilt, "bench": bench}
    readme = _with_tables(root / "README.md", tables)
    document = page(results, sections, bench)
    pictures = [block for block in document if isinstance(block, Picture)]
    written = [_write_picture(root / "docs" / "figures", picture) for picture in pictures]
    _remove_others(root / "docs" / "figures", written)
    write_text(root / "docs" / "results.md", to_markdown(document))
    write_text(root / "README.md", readme)
    return (root / "docs" / "results.md", root / "README.md", *written)


def read_results(folder: Path, sections: tuple[anchors.Section, ...] = ()) -> list[Result]:
    """All results below `results/oof`: speaker-independent protocols first, fusion before its branches.

    Raises:
        InputError: a file whose name or content is not as `outputs.predictions` has it.
    """
    names = {path: _name_parts(path) for path in sorted(Path(folder).glob("*.csv"))}
    published = {row.part: row.shown for section in sections if section.protocol == "paper" for row in section.rows}
    results = []
    for path, (protocol, recipe, part) in sorted(names.items(), key=lambda item: _order(*item[1])):
        held = predictions.read(path)
        beside = predictions.audits_path(folder, protocol, recipe)
        audits = predictions.read_audits(beside).parts if beside.is_file() else {}
        said = published.get(part, "") if (protocol, recipe) == ("paper", "paper") else ""
        scores = score(held, np.random.default_rng(SEED))
        row = Row(f"{recipe} recipe, {part}", protocol, scores, audits.get(part), said)
        results.append(Result(protocol, recipe, part, held, row))
    return results


def page(results: list[Result], sections: tuple[anchors.Section, ...], bench: list[Block]) -> list[Block]:
    """`docs/results.md` as a document."""
    rows = [result.row for result in results]
    document: list[Block] = [Heading("Results", level=1), *map(Paragraph, INTRO)]
    if rows:
        document += [Heading("Our models"), score_table(rows, _fusions(results)), Paragraph(how_to_read(rows))]
        document += [Heading("Best and worst class", level=3), extremes_table(rows)]
        document += paired_blocks(results)
        rebuilt = _rebuilt(results, sections)
        document += [Heading("The paper, rebuilt"), *rebuilt] if rebuilt else []
    titled = {section.protocol for section in sections}
    for protocol in dict.fromkeys(result.protocol for result in results if result.protocol not in titled):
        sections += (anchors.Section(protocol, protocol, (PROTOCOLS[protocol].__doc__ or "").partition("\n")[0], ()),)
    for section in sections:
        ours = [result for result in results if result.protocol == section.protocol]
        document += section_blocks(section, ours)
    return document + ([Heading("Speed and size"), *bench] if bench else [])


def _rebuilt(results: list[Result], sections: tuple[anchors.Section, ...]) -> list[Block]:
    published = {row.part: row for section in sections if section.protocol == "paper" for row in section.rows}
    ours = {(one.recipe, one.part): one.row.scores.wa for one in results if one.protocol == "paper"}
    return rebuilt_table.blocks(ours, published)


def section_blocks(section: anchors.Section, ours: list[Result]) -> list[Block]:
    """One protocol: everybody's figures in one table, then our confusions and classes."""
    if not section.rows and not ours:
        return []
    lines = [anchors.of_result(one.row, _file(one)) for one in ours]
    document: list[Block] = [Heading(section.title), Paragraph(section.text), anchors.table([*section.rows, *lines])]
    for recipe in dict.fromkeys(one.recipe for one in ours):
        parts = {one.part: one.row.scores for one in ours if one.recipe == recipe}
        document += _pictures(section.protocol, recipe, parts)
        if "fusion" in parts:
            document += [Heading(f"{recipe} recipe, fusion: per class", level=3), class_table(parts["fusion"])]
    return document


def paired_blocks(results: list[Result]) -> list[Block]:
    """Fusion against its branches and recipe against recipe, wherever both were tested on the same clips."""
    lines, apart = [], []
    for one, other in _pairs(results):
        try:
            found = paired_test(one.predictions, other.predictions, np.random.default_rng(SEED))
        except InputError:
            apart.append(f"{one.protocol}: {one.row.name} and {other.row.name}")
            continue
        lines.append((one.protocol, f"{one.row.name} − {other.row.name}", *_comparison_cells(found)))
    if not lines and not apart:
        return []
    header = ("Protocol", "Comparison", "UAR difference", "p", "Pairs", "Verdict")
    document: list[Block] = [Heading("Paired tests")]
    if lines:
        document += [Table(header, tuple(lines), numbers=frozenset({"UAR difference", "p"})), Paragraph(_how_tested())]
    if apart:
        document.append(
            Paragraph(f"Not to be paired, because they were tested on different clips: {'; '.join(apart)}.")
        )
    return document


def readme_blocks(results: list[Result]) -> list[Block]:
    """The table of the README: a line per protocol and recipe, the fusion first and its branches beside it."""
    rows: dict[tuple[str, str], dict[str, Row]] = {}
    for one in results:
        rows.setdefault((one.protocol, one.recipe), {})[one.part] = one.row
    lines: list[tuple[str, ...]] = [(*key, *_readme_cells(parts)) for key, parts in rows.items() if "fusion" in parts]
    header: tuple[str, ...] = ("Protocol", "Recipe", "UAR", "WA", "UAR, mel alone", "UAR, prosody alone", "Seeds")
    header += ("Test clips trained on", "Speakers trained on", "Published")
    numbers = frozenset(header[2:-1])
    if not any(parts["fusion"].published for parts in rows.values() if "fusion" in parts):
        header, lines = header[:-1], [line[:-1] for line in lines]
    return [Table(header, tuple(lines), numbers)] if lines else []


def _readme_cells(parts: dict[str, Row]) -> tuple[str, ...]:
    fusion = parts["fusion"]
    alone = [f"{100 * parts[part].scores.uar.value:.1f}" if part in parts else UNKNOWN for part in ("mel", "prosody")]
    clips, speakers, _ = audit_cells(fusion.audit)
    figures = (Strong(fusion.scores.uar), str(fusion.scores.wa), *alone, seeds_shown(fusion.scores))
    return (*figures, clips, speakers, fusion.published or UNKNOWN)


def _name_parts(path: Path) -> tuple[str, str, str]:
    protocol, _, rest = path.stem.partition("-")
    recipe, _, part = rest.rpartition("-")
    if protocol not in PROTOCOLS or part not in PARTS or not recipe:
        raise InputError(f"{path}: the name should be <protocol>-<recipe>-<part>.csv")
    return protocol, recipe, part


def _order(protocol: str, recipe: str, part: str) -> tuple[int, str, int]:
    shown = [*SHOWN_FIRST, *PROTOCOLS]
    return shown.index(protocol), recipe, PARTS_SHOWN.index(part)


def _fusions(results: list[Result]) -> list[Row]:
    return [result.row for result in results if result.part == "fusion"]


def _file(result: Result) -> str:
    return f"results/oof/{result.protocol}-{result.recipe}-{result.part}.csv"


def _pictures(protocol: str, recipe: str, parts: dict[str, Scores]) -> list[Block]:
    title = f"{recipe} recipe, {protocol}"
    ordered = {part: parts[part] for part in PARTS if part in parts}
    bars = figures.recalls(ordered, f"{title}: recall")
    pictures: list[Block] = [Picture(f"{protocol}-{recipe}-recall.png", f"{title}: recall per emotion", bars)]
    if "fusion" in parts:
        drawn = figures.confusion(parts["fusion"], f"{title}, fusion")
        pictures.append(Picture(f"{protocol}-{recipe}-confusion.png", f"{title}, fusion: confusion matrix", drawn))
    return pictures


def _pairs(results: list[Result]) -> list[tuple[Result, Result]]:
    """Fusion with each branch of its own, and the fusions of two recipes, within a protocol."""
    pairs = []
    for one, other in combinations(results, 2):
        if one.protocol == other.protocol and one.part == "fusion":
            branch = one.recipe == other.recipe and other.part != "fusion"
            rival = one.recipe != other.recipe and other.part == "fusion"
            pairs += [(one, other)] if branch or rival else []
    return pairs


def _comparison_cells(found: Comparison) -> tuple[str, str, str, str]:
    low, high = 100 * found.difference.low, 100 * found.difference.high
    difference = f"{100 * found.difference.value:+.1f} [{low:+.1f}, {high:+.1f}]"
    p = "< 0.001" if found.p < 0.001 else f"{found.p:.3f}"
    verdict = ("better" if found.difference.value > 0 else "worse") if found.p < CLEAR else "not told apart"
    return difference, p, f"{found.units} {found.over}", verdict


def _how_tested() -> str:
    return (
        "Differences in points of UAR, first minus second, with the 95 % interval by bootstrap over speakers; p by "
        "sign-flip permutation over speakers, two-sided, not corrected for the number of tests. 'Not told apart' means "
        f"a p of {CLEAR} or more: these clips cannot say which is better."
    )


def _with_tables(readme: Path, tables: dict[str, list[Block]]) -> str:
    """The README's text with each table between `<!-- name:start -->` and `<!-- name:end -->`."""
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
    for kind in ("recall", "confusion"):
        for path in folder.glob(f"*-*-{kind}.png"):
            if path not in written:
                path.unlink()
