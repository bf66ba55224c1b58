"""The splits of a dataset: the names that they usually have, and a column for them."""

from collections.abc import Iterator
from dataclasses import replace

from overtone._internal.column_names import column_key
from overtone.corpora.tables.rows import Row, Table

SPLIT = "split"
SPLITS = ("train", "training", "test", "testing", "eval", "evaluation", "validation", "valid", "val", "dev")


def with_split(table: Table, split: str) -> Table:
    """Return a table with the column `split`, unless it has one, or is not the table of a split.

    Args:
        table: the table.
        split: name of the split; "" if it is not the table of one.
    """
    if not split or SPLIT in map(column_key, table.columns):
        return table

    def rows() -> Iterator[Row]:
        for row in table.rows:
            yield row._replace(cells=(*row.cells, split))

    return replace(table, columns=(*table.columns, SPLIT), rows=rows())
