"""Write the results pages, their figures and the generated tables of other pages from the files in `results/`.

Missing files in `results/` leave out their tables. The output depends on nothing else: two runs write the same bytes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from overtone._internal.atomic_write import write_bytes
from overtone.errors import InputError
from overtone.evaluation.document import Block, Paragraph, Picture, to_markdown
from tools.report import (
    bench_table,
    details_page,
    explanations_table,
    finetune_table,
    interviews_table,
    results_page,
    scale_table,
    unseen_corpus_table,
)
from tools.report.inputs import Inputs, read_inputs
from tools.report.score_figures import KINDS
from tools.report.score_tables import BASELINE_NOTE, baseline_names, readme_table

README_NOTE = (
    "The best recipe of each protocol: UAR in per cent with the 95 % interval over speakers; overlap is the share of "
    "test clips and speakers in the training data. Compare along a row only; docs/results.md explains the columns. In "
    "rows with /adapted, the models use unlabelled clips of the test speaker."
)


def build(root: Path) -> tuple[Path, ...]:
    """Write all files and return their paths; figures of results that no longer exist are deleted.

    Args:
        root: the project folder, which holds `results/` and `README.md`.

    Raises:
        InputError: there is no `results/`, a file in it is damaged, or a page lacks the markers of a table.
        OvertoneError: a file cannot be written.
    """
    files = render(root)
    for path, content in files.items():
        write_bytes(path, content)
    _delete_old_figures(Path(root) / "docs" / "figures", files)
    return tuple(files)


def render(root: Path) -> dict[Path, bytes]:
    """Return the path and the content of every file that `build` writes.

    Args:
        root: the project folder.

    Raises:
        InputError: as `build`.
    """
    root = Path(root)
    inputs = read_inputs(root / "results")
    docs, readme = root / "docs", root / "README.md"
    results, details = results_page.document(inputs), details_page.document(inputs)
    files = {
        docs / "results.md": to_markdown(results).encode(),
        docs / "results-details.md": to_markdown(details).encode(),
        readme: replace_tables(readme, _readme_tables(inputs)),
    }
    generated = {
        "scale": ("scale", scale_table.blocks),
        "finetune": ("finetune", finetune_table.blocks),
        "explain": ("explanations", explanations_table.blocks),
        "research": ("interviews", interviews_table.blocks),
    }
    for name, (table, blocks) in generated.items():
        page = docs / f"{name}.md"
        if page.is_file():
            files[page] = replace_tables(page, {table: blocks(inputs.folder / f"{table}.json")})
    pictures = [block for block in (*results, *details) if isinstance(block, Picture)]
    return files | {docs / "figures" / picture.name: picture.png for picture in pictures}


def replace_tables(page: Path, tables: Mapping[str, Sequence[Block]]) -> bytes:
    """Return the content of a page with each table between `<!-- name:start -->` and `<!-- name:end -->` replaced.

    Raises:
        InputError: the page cannot be read or lacks the markers.
    """
    try:
        text = page.read_text("utf-8")
    except OSError as error:
        raise InputError(f"cannot read {page}: run this in the project folder") from error
    for name, blocks in tables.items():
        start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
        before, found_start, rest = text.partition(start)
        _, found_end, after = rest.partition(end)
        if not found_start or not found_end:
            raise InputError(f"{page}: the table '{name}' needs the lines {start} and {end}")
        table = f"\n{to_markdown(blocks)}\n" if blocks else ""
        text = f"{before}{start}\n{table}{end}{after}"
    return text.encode()


def _readme_tables(inputs: Inputs) -> dict[str, Sequence[Block]]:
    results, summary = unseen_corpus_table.readme_blocks(inputs.main_results), readme_table(inputs.main_results)
    if summary:
        baselines = baseline_names(inputs.main_results)
        note = f" {' and '.join(baselines)} are baselines: {BASELINE_NOTE}." if baselines else ""
        results += [Paragraph(README_NOTE + note), *summary]
    return {
        "unseen-corpora": unseen_corpus_table.summary_blocks(inputs.main_results),
        "results": results,
        "bench": bench_table.readme_blocks(inputs.folder / "bench.json"),
    }


def _delete_old_figures(folder: Path, written: Mapping[Path, bytes]) -> None:
    for kind in KINDS:
        for path in folder.glob(f"*-*-{kind}.png"):
            if path not in written:
                path.unlink()
