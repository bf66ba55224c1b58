"""`python -m tools.recount_audits --data DIR [--oof DIR]`: count the leak audits in results/oof again.

Records of earlier versions added the counts of all folds and seeds up, so that a corpus with two sentences had ten test
sentences in five folds. The numbers of distinct test clips, speakers and sentences are those of the predictions. What
was shared with the training data follows from the old counts where every fold shared all or nothing; else the splits
are made again from the corpora in DIR, and compared with the old counts. Run it in the project folder.
"""

import argparse
import dataclasses
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from overtone.corpora import read_corpus
from overtone.datatypes import LeakAudit, OofPredictions
from overtone.errors import InputError, OvertoneError
from overtone.evaluation import oof_files, protocols
from overtone.evaluation.oof_files import RunRecord
from overtone.recipe import FUSION, FUSION_VARIANTS, recipe_from_dict
from overtone.training.cross_validation import make_run_configs
from overtone.training.run_config import audit_parts, part_splits

PAIRS = (
    ("test_clips", "seen_clips"),
    ("test_speakers", "shared_speakers"),
    ("test_sentences", "shared_sentences"),
)


def recount(path: Path, data: Path) -> RunRecord:
    """The record in a file of results/oof with every clip, speaker and sentence counted once.

    Args:
        path: of the record; the predictions are next to it.
        data: folder of the corpora.

    Raises:
        InputError: a file is missing or damaged, or the splits that are made again do not have the old counts.
    """
    record = oof_files.read_record(path)
    tables = {
        part: oof_files.read(oof_files.csv_path(path.parent, record.protocol, record.recipe, part))
        for part in record.parts
    }
    if all(_shares_all_or_nothing(audit) for audit in record.parts.values()):
        parts = {part: _from_predictions(audit, tables[part]) for part, audit in record.parts.items()}
    else:
        parts = _from_splits(record, tables, data, path)
    return dataclasses.replace(record, parts=parts)


def _shares_all_or_nothing(audit: LeakAudit) -> bool:
    counts = vars(audit)
    return all(counts[shared] in (0, counts[total]) for total, shared in PAIRS)


def _from_predictions(audit: LeakAudit, table: OofPredictions) -> LeakAudit:
    """The audit of predictions whose folds all share everything or nothing with their training data."""
    counts = {
        total: len({pair for pair in zip(table.corpus.tolist(), column.tolist(), strict=True) if pair[1]})
        for (total, _), column in zip(PAIRS, (table.path, table.speaker, table.sentence), strict=True)
    }
    return LeakAudit(**counts, **{shared: counts[total] if vars(audit)[shared] else 0 for total, shared in PAIRS})


def _from_splits(record: RunRecord, tables: dict[str, OofPredictions], data: Path, path: Path) -> dict[str, LeakAudit]:
    """Part -> audit of the splits, made again."""
    # Predictions of the first versions name no corpus: they are of RAVDESS.
    corpora = sorted({corpus or "ravdess" for table in tables.values() for corpus in table.corpus.tolist()})
    utterances = [utterance for corpus in corpora for utterance in read_corpus(corpus, data / corpus).utterances]
    clips = protocols.clips_of(record.protocol, utterances)
    recipe = recipe_from_dict(record.settings, str(path))
    configs = make_run_configs(clips, recipe, record.protocol, record.seeds)
    runs = [part_splits(config, clips) for config in configs]
    found = audit_parts(runs, clips)
    of_part = {part: FUSION if part in FUSION_VARIANTS else part for part in record.parts}
    summed = _sum(audit_parts([run], clips) for run in runs)
    for part, audit in record.parts.items():
        if audit not in (summed[of_part[part]], found[of_part[part]]):
            raise InputError(f"{path}: {part} has other counts than the splits of {', '.join(corpora)} in {data}")
    return {part: found[of_part[part]] for part in record.parts}


def _sum(runs: Iterable[dict[str, LeakAudit]]) -> dict[str, LeakAudit]:
    """Part -> audit with the counts of all runs added up, as earlier versions did."""
    listed = list(runs)
    columns = {part: zip(*(vars(run[part]).values() for run in listed), strict=True) for part in listed[0]}
    return {part: LeakAudit(*map(sum, counts)) for part, counts in columns.items()}


def main(arguments: list[str] | None = None) -> int:
    """Rewrite the records that change and print their paths; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.recount_audits", description=(__doc__ or "").split("\n")[0])
    data = Path(os.environ.get("OVERTONE_DATA", "../shared/data"))
    parser.add_argument("--data", metavar="DIR", type=Path, default=data, help="folder of the corpora")
    parser.add_argument("--oof", metavar="DIR", type=Path, default=Path("results/oof"), help="the predictions")
    args = parser.parse_args(arguments)
    try:
        for path in sorted(args.oof.rglob("*.json")):
            found = recount(path, args.data)
            if found != oof_files.read_record(path):
                oof_files.write_record(found, path)
                print(path)
    except OvertoneError as error:
        print(f"recount_audits: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
