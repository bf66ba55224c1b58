"""Models and the clips that each may be tested on: those of a finished run, of a list, or all of a corpus."""

import argparse
import json
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from overtone.cli.argtypes import positive_int
from overtone.cli.training_options import data_arguments
from overtone.datatypes import Utterance
from overtone.errors import InputError, OptionError
from overtone.inference.recogniser import load
from overtone.recipe import FUSION
from overtone.training.export import export_run
from overtone.training.run_folder import read_run

GIVEN_MODEL = "given model"  # in place of a protocol, where there is no run
ROW_KEYS = {"model", "run", "corpus", "clips", "speakers", "protocol"}


@dataclass(frozen=True)
class ModelTest:
    """A model and the clips that it is tested on.

    Attributes:
        model: the model file.
        protocol: protocol of its training run, or `GIVEN_MODEL`.
        recipe: name of its recipe.
        clips: test clips, of one corpus.
    """

    model: Path
    protocol: str
    recipe: str
    clips: tuple[Utterance, ...]


def model_arguments(parser: argparse.ArgumentParser, clips: int | None = None) -> None:
    """Add --data, --runs, --model, --tests, --speakers and --clips, with a default for the latter."""
    data_arguments(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--runs", type=Path, nargs="+", metavar="RUN", help="the folders of finished, exported runs")
    which.add_argument("--model", type=Path, metavar="FILE", help="a model file, tested on all clips of --data")
    which.add_argument("--tests", type=Path, metavar="FILE.json", help="a list of models and their test clips")
    parser.add_argument("--speakers", nargs="+", metavar="S", help="with --model: the only speakers to test on")
    parser.add_argument(
        "--clips", type=positive_int, default=clips, metavar="N",
        help=f"the number of clips per model and corpus, always the same ones (default: {clips or 'all'})",
    )  # fmt: skip


def from_options(options: argparse.Namespace, utterances: Sequence[Utterance]) -> list[ModelTest]:
    """Return the tests that the options of `model_arguments` name.

    Args:
        options: the parsed options.
        utterances: all clips.

    Raises:
        OvertoneError: a run, a model or a list cannot be read, or there is no clip for a test.
    """
    if options.runs:
        tests = [test for run in options.runs for test in from_run(run, utterances)]
    elif options.model:
        tests = from_model(options.model, utterances, speakers=options.speakers)
    else:
        tests = from_file(options.tests, utterances)
    return [limited(test, options.clips) for test in tests]


def from_run(folder: Path, utterances: Sequence[Utterance]) -> list[ModelTest]:
    """Return the test of a finished run for each corpus of its test set.

    A run that was not exported is exported first.

    Args:
        folder: the run folder.
        utterances: all clips.

    Raises:
        OvertoneError: the run is not finished, or has test clips that are not among `utterances`.
    """
    run, model = read_run(folder), folder / "model.onnx"
    if not model.is_file():
        export_run(utterances, folder, model_id=f"{folder.parent.name}-{folder.name}")
    named = set(run["split"][FUSION]["test"])
    corpora = {row["corpus"] for row in run["training_data"]} & {*_corpora(utterances)}
    if run["fold"] in corpora:  # where a corpus is left out, the fold has its name; clip ids are unique per corpus
        corpora = {run["fold"]}
    clips = [clip for clip in utterances if clip.clip in named and clip.corpus in corpora]
    if {clip.clip for clip in clips} != named:
        missing = len(named - {clip.clip for clip in clips})
        raise InputError(f"{folder}: --data lacks {missing} of {len(named)} test clips of this run")
    return _by_corpus(model, run["protocol"], run["recipe"]["name"], clips)


def from_model(
    model: Path,
    utterances: Sequence[Utterance],
    *,
    clips: Collection[str] | None = None,
    speakers: Collection[str] | None = None,
    protocol: str = GIVEN_MODEL,
) -> list[ModelTest]:
    """Return the test of a model file for each corpus; nothing checks that it was not trained on these clips.

    Args:
        model: the model file.
        utterances: all clips.
        clips: ids of the test clips; None for all.
        speakers: their speakers; None for all.
        protocol: under which the model was trained.

    Raises:
        OvertoneError: the model cannot be read, or there is no such clip.
    """
    tested = [
        clip
        for clip in utterances
        if (clips is None or clip.clip in clips) and (speakers is None or clip.speaker in speakers)
    ]
    if not tested:
        raise OptionError(f"{model}: --data has none of its test clips")
    recipe = load(model).card["recipe"].get("name", model.stem)
    return _by_corpus(model, protocol, recipe, tested)


def from_file(path: Path, utterances: Sequence[Utterance]) -> list[ModelTest]:
    """Return the tests that a JSON file lists, as `benchmarks.robustness` describes it.

    Args:
        path: the file; paths in it are relative to the current folder.
        utterances: all clips.

    Raises:
        OvertoneError: the file or a model cannot be read, or there is no clip for a test.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))
        if not isinstance(rows, list) or not all(
            ("model" in row) != ("run" in row) and not row.keys() - ROW_KEYS for row in rows
        ):
            raise ValueError(f"each row needs 'model' or 'run', and may have {', '.join(sorted(ROW_KEYS))}")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: expected a JSON list of models and their test clips: {error}") from error
    tests = []
    for row in rows:
        corpus = [clip for clip in utterances if clip.corpus == row.get("corpus", clip.corpus)]
        if "run" in row:
            tests += from_run(Path(row["run"]), corpus)
        else:
            choice = {key: row[key] for key in ("clips", "speakers", "protocol") if key in row}
            tests += from_model(Path(row["model"]), corpus, **choice)
    return tests


def limited(test: ModelTest, count: int | None) -> ModelTest:
    """Return a test with at most `count` clips: those with the lowest hash, whatever the other clips are."""
    ordered = sorted(test.clips, key=lambda clip: zlib.crc32(f"{clip.corpus}/{clip.clip}".encode()))
    return replace(test, clips=tuple(ordered[:count]))


def _corpora(utterances: Iterable[Utterance]) -> list[str]:
    return sorted({utterance.corpus for utterance in utterances})


def _by_corpus(model: Path, protocol: str, recipe: str, clips: Sequence[Utterance]) -> list[ModelTest]:
    return [
        ModelTest(model, protocol, recipe, tuple(clip for clip in clips if clip.corpus == corpus))
        for corpus in _corpora(clips)
    ]
