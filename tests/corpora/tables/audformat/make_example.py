"""Write the audformat databases of these tests, and what the package audformat reads from them, to this folder.

pip install 'audformat>=1.4'
python tests/corpora/tables/audformat/make_example.py
"""

import json
from pathlib import Path

import audformat
import pandas as pd

FOLDER = Path(__file__).parent
FILES = [f"wav/{name}.wav" for name in ("1", "2", "3", "4")]


def database() -> audformat.Database:
    """A database with every kind of table and scheme that Overtone reads."""
    db = audformat.Database("example", usage=audformat.define.Usage.UNRESTRICTED, languages=["deu"])
    db.schemes["emotion"] = audformat.Scheme(labels=["anger", "frustrated", "neutral"])
    db.schemes["code"] = audformat.Scheme("int", labels={0: "anger", 1: "joy"})
    db.schemes["gender"] = audformat.Scheme(labels=["female", "male", "other"])
    db["people"] = audformat.MiscTable(pd.Index(["1", "ann"], dtype="string", name="speaker"))
    add(db, "people", "gender", "gender", ["other", "female"])
    add(db, "people", "mother tongue", None, ["deu", "eng"])
    db.schemes["speaker"] = audformat.Scheme("str", labels="people")
    db["files"] = audformat.Table(audformat.filewise_index(FILES))
    add(db, "files", "who", "speaker", ["ann", "1", "ann", None])
    db["emotion.all"] = audformat.Table(audformat.filewise_index(FILES))
    add(db, "emotion.all", "emotion", "emotion", ["anger", "frustrated", None, "neutral"])
    add(db, "emotion.all", "emotion.confidence", None, [1.0, 0.5, None, 0.25])
    ends = ["1.5s", pd.NaT, "700ms"]
    db["parts"] = audformat.Table(
        audformat.segmented_index([FILES[0], FILES[0], FILES[1]], ["0s", "1.5s", "0.1s"], ends)
    )
    add(db, "parts", "gold", "emotion", ["anger", "neutral", "frustrated"])
    add(db, "parts", "rater1", "code", [0, 1, None])
    return db


def add(db: audformat.Database, table: str, column: str, scheme: str | None, values: list[object]) -> None:
    """Add a column to a table."""
    db[table][column] = audformat.Column(scheme_id=scheme)
    db[table][column].set(values)


def expected(db: audformat.Database, table: str, column: str) -> list[dict[str, object]]:
    """What audformat reads: a row per label with file, times, label, speaker and gender."""
    who = db["files"]["who"].get()
    labels = db[table][column].get().dropna()
    names = getattr(db.schemes[db[table][column].scheme_id], "labels", None)
    rows = []
    for (file, start, end), label in audformat.utils.to_segmented_index(labels).items():
        speaker = who.get(file)
        rows.append(
            {
                "file": file,
                "start_s": start.total_seconds(),
                "end_s": None if pd.isna(end) else end.total_seconds(),
                "emotion": names[label] if isinstance(names, dict) else label,
                "speaker": "" if pd.isna(speaker) else str(speaker),
                "gender": "" if pd.isna(speaker) else str(db["people"].df["gender"][speaker]),
            }
        )
    return rows


def main() -> None:
    """Write both databases and the expected rows."""
    db = database()
    for storage_format in ("csv", "parquet"):
        db.save(str(FOLDER / storage_format), storage_format=storage_format)
    columns = [("emotion.all", "emotion"), ("parts", "gold"), ("parts", "rater1")]
    rows = {f"{table}.{column}": expected(db, table, column) for table, column in columns}
    (FOLDER / "expected.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
