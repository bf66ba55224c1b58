"""Predictions of trained models for their test clips under recording conditions such as noise, rooms and telephones.

    python -m benchmarks.robustness --data CORPUS=DIR --runs RUN [RUN ...]       # folders of finished runs
    python -m benchmarks.robustness --data CORPUS=DIR --model FILE [--speakers S ...]
    python -m benchmarks.robustness --data CORPUS=DIR --tests FILE.json

The run.json of a run folder names its test clips; its model.onnx is exported where it is missing. A JSON file is a list
of objects with `model` or `run`, and where needed `corpus`, `clips`, `speakers` and `protocol`. Clips that a model was
trained on say nothing: with --model and --tests, it is up to you to name others. Writes `results/robustness.json`.
"""

import argparse
import functools
import multiprocessing
import sys
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import model_tests
from benchmarks.harness import make_parser, output_argument, read_stored, write_results
from benchmarks.model_tests import ModelTest
from benchmarks.recording_conditions import CLEAN, CONDITIONS, apply_condition
from overtone.audio.decode import read_utterance
from overtone.cli.argtypes import positive_int
from overtone.cli.training_options import read_clips
from overtone.datatypes import Prediction, Utterance, Waveform
from overtone.emotions import order_classes
from overtone.errors import OptionError, OvertoneError
from overtone.inference.recogniser import Recogniser, load

BABBLE_POOL = 40  # clips per corpus from which voices in the background are drawn
FOLDED = ("calm", "bored")  # count as neutral where the corpus lacks them


class Task(NamedTuple):
    """One clip to be recognised under all conditions: for a worker process."""

    model: Path
    clip: Utterance
    classes: tuple[str, ...]
    pool: tuple[Utterance, ...]


class Outcome(NamedTuple):
    """The prediction for one clip under one condition; the emotion is "" where the audio was refused."""

    emotion: str
    sure: bool


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, print a summary and return the exit status."""
    options = build_parser().parse_args(arguments)
    descriptions = {condition.name: condition.description for condition in CONDITIONS}
    try:
        stored = stored_rows(options.output, descriptions)
        utterances = read_clips(options)
        rows = measure(model_tests.from_options(options, utterances), utterances, options.processes)
        measured = {(row["protocol"], row["recipe"]) for row in rows}
        kept = [row for row in stored if (row["protocol"], row["recipe"]) not in measured]
        content = {"conditions": descriptions, "rows": [*kept, *rows]}
        write_results(options.output, content, indent=1, rounded=False)
    except OvertoneError as error:
        print(f"robustness: {error}", file=sys.stderr)
        return 1
    for row in rows:
        print(
            f"{row['recipe']}, {row['protocol']}, {row['corpus']}, {row['condition']}: UAR {100 * row['uar']:.1f}, "
            f"changed {100 * row['changed']:.0f} %, sure and wrong {100 * row['sure_wrong']:.0f} %"
        )
    return 0


def stored_rows(path: Path, descriptions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows of an earlier file of results, which a new one keeps for other recipes; none of other conditions.

    Args:
        path: of the results; it may be missing.
        descriptions: of the present conditions.

    Raises:
        OvertoneError: the file does not hold results; it is not overwritten.
    """

    def parse(content: Any) -> list[dict[str, Any]]:
        rows = [row for row in content["rows"] if row["protocol"] and row["recipe"]]
        return rows if content["conditions"] == descriptions else []

    return read_stored(path, parse)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("robustness", __doc__)
    model_tests.model_arguments(parser)
    parser.add_argument(
        "--processes", type=positive_int, default=1, metavar="N", help="parallel processes (default: 1)"
    )
    output_argument(parser, "robustness.json")
    return parser


def measure(tests: Sequence[ModelTest], utterances: Sequence[Utterance], processes: int = 1) -> list[dict[str, Any]]:
    """Return a row per protocol, recipe, corpus and condition; folds and seeds of one protocol are counted together.

    Args:
        tests: models and their clips.
        utterances: all clips, from which voices in the background are drawn.
        processes: number of worker processes; 1 for none.

    Raises:
        OvertoneError: a model or an audio file cannot be read.
    """
    groups: dict[tuple[str, str, str], list[ModelTest]] = defaultdict(list)
    for test in tests:
        groups[test.protocol, test.recipe, test.clips[0].corpus].append(test)
    rows = []
    for (protocol, recipe, corpus), members in groups.items():
        tasks, truth = _tasks(members, [clip for clip in utterances if clip.corpus == corpus])
        outcomes = _run(tasks, processes)
        for condition in CONDITIONS:
            scores = _score(truth, [each[CLEAN] for each in outcomes], [each[condition.name] for each in outcomes])
            rows.append(
                {"protocol": protocol, "recipe": recipe, "corpus": corpus, "condition": condition.name, **scores}
            )
    return rows


def restricted(prediction: Prediction, classes: Sequence[str]) -> Prediction:
    """Return the prediction among some classes; calm and bored count as neutral where they are not among them.

    Args:
        prediction: of any model.
        classes: at least one that the model has.
    """
    probabilities = np.zeros(len(classes))
    for emotion, probability in zip(prediction.emotions, prediction.probabilities, strict=True):
        target = "neutral" if emotion in FOLDED and emotion not in classes else emotion
        if target in classes:
            probabilities[list(classes).index(target)] += probability
    probabilities = (probabilities + 1e-12) / (probabilities + 1e-12).sum()
    return replace(prediction, emotions=tuple(classes), probabilities=probabilities, branches={})


def recognise_under_conditions(task: Task) -> dict[str, Outcome]:
    """Return condition -> prediction for one clip.

    Raises:
        OvertoneError: the model or the clip cannot be read.
    """
    recogniser, clip = _recogniser(task.model), task.clip
    samples = _samples(clip)
    others = [_samples(other) for other in task.pool if not _same_speaker(clip, other)]
    outcomes = {}
    for condition in CONDITIONS:
        changed = apply_condition(condition, samples, clip.clip, others)
        try:
            prediction = restricted(recogniser.recognise(Waveform(changed, clip.clip)), task.classes)
            outcomes[condition.name] = Outcome(prediction.emotion, not prediction.uncertain)
        except OvertoneError:
            outcomes[condition.name] = Outcome("", False)  # such as silence: no prediction is not a certain one
    return outcomes


def _score(truth: Sequence[str], clean: Sequence[Outcome], changed: Sequence[Outcome]) -> dict[str, float]:
    labels = np.array(truth)
    found = np.array([outcome.emotion for outcome in changed])
    sure = np.array([outcome.sure for outcome in changed])
    right = found == labels
    return {
        "n": len(labels),
        "uar": float(np.mean([right[labels == emotion].mean() for emotion in np.unique(labels)])),
        "changed": float(np.mean(found != np.array([outcome.emotion for outcome in clean]))),
        "sure": float(sure.mean()),
        "sure_wrong": float((sure & ~right).mean()),
    }


def _tasks(tests: Sequence[ModelTest], corpus: Sequence[Utterance]) -> tuple[list[Task], list[str]]:
    """Return a task per clip, and the true emotions; clips of a class that their model lacks are left out."""
    rng = np.random.default_rng(zlib.crc32(corpus[0].corpus.encode()))
    pool = tuple(corpus[k] for k in sorted(rng.permutation(len(corpus))[:BABBLE_POOL]))
    present = {clip.emotion for clip in corpus}
    tasks = []
    for test in tests:
        known = _recogniser(test.model).emotions
        classes = tuple(emotion for emotion in order_classes(known) if emotion in present)
        tasks += [Task(test.model, clip, classes, pool) for clip in test.clips if clip.emotion in classes]
    if not tasks:
        raise OptionError(f"{tests[0].model}: has none of the emotions of {corpus[0].corpus}: see --labels")
    return tasks, [task.clip.emotion for task in tasks]


def _run(tasks: Sequence[Task], processes: int) -> list[dict[str, Outcome]]:
    if processes == 1:
        return [recognise_under_conditions(task) for task in tasks]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(recognise_under_conditions, tasks, chunksize=max(1, len(tasks) // (8 * processes))))


@functools.lru_cache(maxsize=4)
def _recogniser(model: Path) -> Recogniser:
    return load(model)


@functools.lru_cache(maxsize=2 * BABBLE_POOL)
def _samples(clip: Utterance) -> np.ndarray:
    return read_utterance(clip).samples


def _same_speaker(clip: Utterance, other: Utterance) -> bool:
    return clip.clip == other.clip or (clip.speaker != "" and clip.speaker == other.speaker)


if __name__ == "__main__":
    sys.exit(main())
