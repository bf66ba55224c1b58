"""Measure by deletion and insertion tests whether explanations find what a prediction is based on.

    python -m benchmarks.explanations --data ravdess=DIR --data emodb=DIR --tests TESTS.json --clips 40

Of each test clip, the cells (spans of about 0.2 s, or frequency bands) are deleted one after the other, and the
probability of the predicted class is followed: in the order of the explanation, the largest contribution first; in
random order; and in the order of energy. The area under the curve of an explanation must be smaller. Inserted into an
empty clip in the same order, it must be larger.

Deleted cells are replaced in another way than the explanation replaced them, so that the test is not circular: spans by
digital silence, bands by a filter over the whole clip. TESTS.json lists models and their test clips as
`benchmarks.robustness` describes it; --runs names finished runs instead. Writes `results/explanations.json` after every
clip; clips that it already has are not measured again.
"""

import argparse
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import model_tests
from benchmarks.deletion_curves import (
    DELETION,
    ENERGY,
    EXPLANATION,
    INSERTION,
    ORDERS,
    RANDOM,
    RANDOM_ORDERS,
    STEPS,
    band_energies,
    delete_bands,
    delete_spans,
    measure_areas,
    span_energies,
)
from benchmarks.harness import make_parser, output_argument, read_stored, write_results
from benchmarks.model_tests import ModelTest
from overtone.audio.decode import read_utterance
from overtone.cli.training_options import read_clips
from overtone.datatypes import Utterance, Waveform
from overtone.errors import OvertoneError
from overtone.explanation import Contribution, Explanation
from overtone.inference.explaining.explainer import explain_clip
from overtone.inference.explaining.speech_properties import PROPERTIES, Property
from overtone.inference.recogniser import Recogniser, load

BOOTSTRAPS = 2000
SEED = 0
ALL = "all"
Areas = dict[str, dict[str, dict[str, float]]]  # kind of cell -> direction -> order -> area under the curve


@dataclass(frozen=True)
class Outcome:
    """What was measured for one clip: areas, shares of reliable cells, and the contribution of each property."""

    recipe: str
    protocol: str
    corpus: str
    speaker: str
    clip: str
    areas: Areas
    reliable: dict[str, float]
    properties: dict[str, dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the results, print a summary and return the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        stored = stored_outcomes(options.output)
        utterances = read_clips(options)
        tests = model_tests.from_options(options, utterances)
        outcomes = {(each.recipe, each.corpus, each.clip): each for each in stored}
        chosen = PROPERTIES if options.properties else ()
        for outcome in measure(tests, set(outcomes), chosen):
            outcomes[outcome.recipe, outcome.corpus, outcome.clip] = outcome
            write_results(options.output, summarise([outcomes[key] for key in sorted(outcomes)]), indent=1)
    except OvertoneError as error:
        print(f"explanations: {error}", file=sys.stderr)
        return 1
    for row in summarise([outcomes[key] for key in sorted(outcomes)])["rows"]:
        print(f"{row['recipe']}, {row['corpus']}, {row['kind']}, {row['direction']}: {row['areas']} {row['gain']}")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("explanations", __doc__)
    model_tests.model_arguments(parser, clips=40)
    parser.add_argument(
        "--properties", action="store_true", help="also measure how often the contribution of each property is reliable"
    )
    output_argument(parser, "explanations.json")
    return parser


def stored_outcomes(path: Path) -> list[Outcome]:
    """Return the outcomes of an earlier file of results; none where there is no file, or one of another test.

    Raises:
        OvertoneError: the file does not hold results; it is not overwritten.
    """

    def parse(content: Any) -> list[Outcome]:
        same = (content["steps"], content["random_orders"]) == (STEPS, RANDOM_ORDERS)
        return [Outcome(**values) for values in content["clips"]] if same else []

    return read_stored(path, parse)


def measure(
    tests: Sequence[ModelTest], known: set[tuple[str, str, str]], properties: Sequence[Property] = PROPERTIES
) -> Iterator[Outcome]:
    """Yield the outcome of each test clip with speech.

    Args:
        tests: models and their clips.
        known: recipe, corpus and id of clips that are left out.
        properties: of the speech, that are changed.

    Raises:
        OvertoneError: a model or a clip cannot be read.
    """
    for test in tests:
        recogniser = load(test.model)
        clips = [clip for clip in test.clips if (test.recipe, clip.corpus, clip.clip) not in known]
        for number, clip in enumerate(clips, 1):
            print(f"{test.recipe}, {clip.corpus}: {number} of {len(clips)} clips", file=sys.stderr, flush=True)
            outcome = measure_clip(recogniser, clip, test, properties)
            if outcome is not None:
                yield outcome


def measure_clip(
    recogniser: Recogniser, clip: Utterance, test: ModelTest, properties: Sequence[Property] = PROPERTIES
) -> Outcome | None:
    """Return what is measured for a clip; None if it has no speech."""
    waveform = read_utterance(clip)
    prediction = recogniser.recognise(waveform)
    explanation = explain_clip(recogniser.model, waveform, prediction, seed=SEED, properties=properties)
    if not explanation.spans:
        return None
    index = recogniser.emotions.index(explanation.emotion)

    def probability(samples: np.ndarray) -> float:
        outputs = recogniser.model.run(Waveform(samples.astype(np.float32), clip.clip))
        return float(recogniser.model.probabilities(outputs)[0][index])

    rng = np.random.default_rng(SEED)
    areas: Areas = {}
    for kind, cells, energies, delete in (
        ("spans", explanation.spans, span_energies(waveform.samples), delete_spans),
        ("bands", explanation.bands, band_energies(waveform.samples), delete_bands),
    ):
        change = functools.cache(lambda key, delete=delete: probability(delete(waveform.samples, np.array(key))))
        areas[kind] = measure_areas(change, np.array([cell.value for cell in cells]), energies, rng)
    return Outcome(
        recipe=test.recipe,
        protocol=test.protocol,
        corpus=clip.corpus,
        speaker=clip.speaker,
        clip=clip.clip,
        areas=areas,
        reliable=_reliable_shares(explanation),
        properties=_properties(explanation),
    )


def _reliable_shares(explanation: Explanation) -> dict[str, float]:
    """Return the share of cells whose contribution is reliable, of spans and of bands."""
    kinds: dict[str, Sequence[Contribution]] = {"spans": explanation.spans, "bands": explanation.bands}
    return {kind: float(np.mean([cell.is_reliable for cell in cells])) for kind, cells in kinds.items()}


def _properties(explanation: Explanation) -> dict[str, dict[str, Any]]:
    return {
        row.name: {
            "change": row.probability - explanation.probability,
            "low": row.low,
            "high": row.high,
            "artefact": row.artefact,
            "verdict": row.verdict(explanation.probability),
        }
        for row in explanation.properties
    }


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the content of the results: a row per recipe, corpus (and all), kind of cell and direction."""
    rows, properties = [], []
    for recipe in dict.fromkeys(outcome.recipe for outcome in outcomes):
        of_recipe = [outcome for outcome in outcomes if outcome.recipe == recipe]
        for corpus in (*dict.fromkeys(outcome.corpus for outcome in of_recipe), ALL):
            chosen = [outcome for outcome in of_recipe if corpus in (outcome.corpus, ALL)]
            protocols = sorted({outcome.protocol for outcome in chosen})
            head = {"recipe": recipe, "protocols": protocols, "corpus": corpus, "clips": len(chosen)}
            head["speakers"] = len({(outcome.corpus, outcome.speaker) for outcome in chosen})
            rows += [
                {**head, "kind": kind, "direction": direction, **_compare(chosen, kind, direction)}
                for kind in ("spans", "bands")
                for direction in (DELETION, INSERTION)
            ]
            properties += [
                {"recipe": recipe, "corpus": corpus, "property": name, **values}
                for name, values in _property_shares(chosen).items()
            ]
    clips = [asdict(outcome) for outcome in outcomes]
    return {"steps": STEPS, "random_orders": RANDOM_ORDERS, "rows": rows, "properties": properties, "clips": clips}


def _compare(outcomes: Sequence[Outcome], kind: str, direction: str) -> dict[str, Any]:
    """Return the mean areas, and how much better explanations are than the other orders, with 95 % intervals."""
    areas = {name: np.array([outcome.areas[kind][direction][name] for outcome in outcomes]) for name in ORDERS}
    sign = 1 if direction == DELETION else -1
    gains = {name: sign * (areas[name] - areas[EXPLANATION]) for name in (RANDOM, ENERGY)}
    return {
        "areas": {name: float(values.mean()) for name, values in areas.items()},
        "gain": {name: paired_interval(values) for name, values in gains.items()},
        "better_share": {name: float((values > 0).mean()) for name, values in gains.items()},
        "reliable_share": float(np.mean([outcome.reliable[kind] for outcome in outcomes])),
    }


def paired_interval(differences: np.ndarray) -> dict[str, float]:
    """Return the mean of paired differences, and its 95 % interval by a bootstrap over clips."""
    rng = np.random.default_rng(SEED)
    drawn = differences[rng.integers(0, len(differences), (BOOTSTRAPS, len(differences)))].mean(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": float(differences.mean()), "low": float(low), "high": float(high)}


def _property_shares(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Return property -> in how many clips it was measured, the share of each verdict, and the mean absolute change."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for outcome in outcomes:
        for name, values in outcome.properties.items():
            found.setdefault(name, []).append(values)
    return {
        name: {
            "measured": len(rows),
            "mean_change": float(np.mean([abs(row["change"]) for row in rows])),
            "verdicts": {
                verdict: sum(row["verdict"] == verdict for row in rows) / len(rows)
                for verdict in ("for", "against", "little", "unclear")
            },
        }
        for name, rows in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
