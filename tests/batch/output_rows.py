"""The rows of the CSV files that a batch writes."""

import csv
import io
from pathlib import Path


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
