"""Leak audits of stored predictions are counted again, from the predictions or, where needed, from the splits."""

from pathlib import Path

import pytest
import small_corpus
from small_corpus import PHASED

from overtone.datatypes import LeakAudit
from overtone.evaluation import oof_files
from overtone.evaluation.oof_files import RunRecord
from overtone.evaluation.protocols import make_folds
from overtone.training.cross_validation import make_run_configs
from overtone.training.run_config import audit_parts, part_splits
from tools.recount_audits import _sum, main

RECIPE = small_corpus.recipe(PHASED)
EMOTIONS = ("neutral", "calm")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of corpora with RAVDESS file names, without audio."""
    small_corpus.write(tmp_path / "data" / "ravdess", with_audio=False)
    return tmp_path / "data"


def write(oof: Path, data: Path, protocol: str, seeds: tuple[int, ...], audits: dict[str, LeakAudit]) -> Path:
    """Write predictions for the test clips of a protocol, and their record; return its path."""
    clips = small_corpus.clips(data / "ravdess")
    for part in audits:
        rows = []
        for seed in seeds:
            folds = make_folds(protocol, clips, seed)
            per_part = len({fold.fold for fold in folds} & {*RECIPE.parts}) == len(RECIPE.parts)
            for fold in folds:
                if not per_part or fold.fold == part:
                    rows += [
                        (c.clip, c.corpus, c.speaker, c.sentence, fold.fold, seed, EMOTIONS[0], 0.5, 0.5)
                        for c in (clips[i] for i in fold.test)
                    ]
        oof_files.write(oof_files.from_rows(EMOTIONS, rows), oof_files.csv_path(oof, protocol, RECIPE.name, part))
    path = oof_files.record_path(oof, protocol, RECIPE.name)
    oof_files.write_record(RunRecord(protocol, RECIPE.name, RECIPE.as_dict(), audits, seeds, {}), path)
    return path


def audits_of(data: Path, protocol: str, seeds: tuple[int, ...]) -> tuple[dict[str, LeakAudit], dict[str, LeakAudit]]:
    """Return part -> audit, as earlier versions added them up, and as they are counted now."""
    clips = small_corpus.clips(data / "ravdess")
    runs = [part_splits(config, clips) for config in make_run_configs(clips, RECIPE, protocol, seeds)]
    return _sum(audit_parts([run], clips) for run in runs), audit_parts(runs, clips)


@pytest.mark.parametrize(("protocol", "seeds"), [("luna5", (0,)), ("random", (0, 1)), ("paper", (0, 4))])
def test_old_counts_become_what_an_evaluation_counts_now(
    protocol: str, seeds: tuple[int, ...], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summed, expected = audits_of(data, protocol, seeds)
    assert summed != expected
    path = write(tmp_path / "oof", data, protocol, seeds, summed)
    for shown in (str(path), ""):  # a second call changes nothing
        assert main(["--data", str(data), "--oof", str(tmp_path / "oof")]) == 0
        assert capsys.readouterr().out.strip() == shown
        assert oof_files.read_record(path).parts == expected
    assert expected["fusion"].test_sentences == 2


def test_other_clips_than_those_of_the_record_are_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summed, _ = audits_of(data, "paper", (0, 4))
    assert 0 < summed["fusion"].seen_clips < summed["fusion"].test_clips, "only the splits tell which clips were seen"
    path = write(tmp_path / "oof", data, "paper", (0, 4), summed)
    for clip in (data / "ravdess").glob("Actor_2?/*"):
        clip.unlink()
    before = path.read_bytes()
    assert main(["--data", str(data), "--oof", str(tmp_path / "oof")]) == 1
    assert "has other counts than the splits of ravdess" in capsys.readouterr().err
    assert path.read_bytes() == before
