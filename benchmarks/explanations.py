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
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import model_tests
from benchmarks.harness import output_argument, round_floats
from benchmarks.model_tests import ModelTest, limited
from overtone._internal.atomic_write import write_text
from overtone.audio.decode import read_utterance
from overtone.cli.argtypes import positive_int
from overtone.cli.training_options import data_arguments, read_clips
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance, Waveform
from overtone.errors import OvertoneError
from overtone.explanation import Contribution, Explanation
from overtone.inference.explaining.band_changes import BAND_EDGES_HZ, BANDS
from overtone.inference.explaining.explainer import explain_clip
from overtone.inference.explaining.replacement import span_weights
from overtone.inference.explaining.speech_properties import PROPERTIES, Property
from overtone.inference.explaining.time_spans import cell_edges
from overtone.inference.recogniser import Recogniser, load

STEPS = 5  # of a curve, from the whole clip to an empty one
RANDOM_ORDERS = 1
BOOTSTRAPS = 2000
SEED = 0
RANDOM, ENERGY, EXPLANATION = "random", "energy", "explanation"
ALL = "all"
ORDERS = (EXPLANATION, RANDOM, ENERGY)
Mask = np.ndarray
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
        if options.runs:
            tests = [test for run in options.runs for test in model_tests.from_run(run, utterances)]
        else:
            tests = model_tests.from_file(options.tests, utterances)
        outcomes = {(each.recipe, each.corpus, each.clip): each for each in stored}
        chosen = PROPERTIES if options.properties else ()
        for outcome in measure([limited(test, options.clips) for test in tests], set(outcomes), chosen):
            outcomes[outcome.recipe, outcome.corpus, outcome.clip] = outcome
            content = round_floats(summarise([outcomes[key] for key in sorted(outcomes)]))
            write_text(options.output, json.dumps(content, indent=1) + "\n")
    except OvertoneError as error:
        print(f"explanations: {error}", file=sys.stderr)
        return 1
    for row in summarise([outcomes[key] for key in sorted(outcomes)])["rows"]:
        print(f"{row['recipe']}, {row['corpus']}, {row['kind']}, {row['direction']}: {row['areas']} {row['gain']}")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explanations", description=__doc__.partition("\n")[0])
    data_arguments(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--runs", type=Path, nargs="+", metavar="RUN", help="the folders of finished, exported runs")
    which.add_argument("--tests", type=Path, metavar="FILE.json", help="a list of models and their test clips")
    parser.add_argument(
        "--clips", type=positive_int, default=40, metavar="N",
        help="the number of clips per model and corpus, always the same ones (default: 40)",
    )  # fmt: skip
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
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        same = (content["steps"], content["random_orders"]) == (STEPS, RANDOM_ORDERS)
        return [Outcome(**values) for values in content["clips"]] if same else []
    except (ValueError, KeyError, TypeError) as error:
        raise OvertoneError(f"{path}: not the results of this benchmark ({error}); choose another --output") from error


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


def measure_areas(
    probability: Callable[[tuple[bool, ...]], float],
    contributions: np.ndarray,
    energies: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, dict[str, float]]:
    """Return direction -> order -> area under the curve.

    Args:
        probability: of the predicted class where the cells with True are deleted.
        contributions: of each cell.
        energies: of each cell.
        rng: for random orders, whose areas are averaged.
    """
    cells = len(contributions)
    scores = {
        EXPLANATION: [contributions],
        ENERGY: [energies],
        RANDOM: [rng.random(cells) for _ in range(RANDOM_ORDERS)],
    }
    areas: dict[str, dict[str, float]] = {"deletion": {}, "insertion": {}}
    for name in ORDERS:
        orders = [np.argsort(-each, kind="stable") for each in scores[name]]
        for direction in areas:
            curves = [
                [probability(_mask(order, step, cells, direction == "insertion")) for step in range(STEPS + 1)]
                for order in orders
            ]
            areas[direction][name] = float(np.mean([np.trapezoid(curve) / STEPS for curve in curves]))
    return areas


def _mask(order: np.ndarray, step: int, cells: int, inverted: bool) -> tuple[bool, ...]:
    """Return which cells are deleted at a step of a curve: the first of the order, or all but the first."""
    mask = np.zeros(cells, bool)
    mask[order[: round(step / STEPS * cells)]] = True
    return tuple((~mask if inverted else mask).tolist())


def delete_spans(samples: np.ndarray, mask: Mask) -> np.ndarray:
    """Return the clip with digital silence in the chosen spans."""
    return samples * (1 - span_weights(mask, cell_edges(len(samples))))


def delete_bands(samples: np.ndarray, mask: Mask) -> np.ndarray:
    """Return the clip without the chosen bands, by a filter over the whole clip with vertical edges."""
    spectrum = np.fft.rfft(samples)
    spectrum[mask[_band_of(len(samples))]] = 0
    return np.fft.irfft(spectrum, len(samples))


def span_energies(samples: np.ndarray) -> np.ndarray:
    """Return the mean power of each span."""
    edges = cell_edges(len(samples))
    return np.array([(samples[first:end] ** 2).mean() for first, end in itertools.pairwise(edges)])


def band_energies(samples: np.ndarray) -> np.ndarray:
    """Return the energy of each band."""
    return np.bincount(_band_of(len(samples)), np.abs(np.fft.rfft(samples)) ** 2, minlength=BANDS)


def _band_of(length: int) -> np.ndarray:
    frequencies_hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)
    return np.clip(np.searchsorted(BAND_EDGES_HZ, frequencies_hz, side="right") - 1, 0, BANDS - 1)


def _reliable_shares(explanation: Explanation) -> dict[str, float]:
    """Return the share of cells whose contribution is reliable, of spans and of bands."""
    kinds: dict[str, Sequence[Contribution]] = {"spans": explanation.spans, "bands": explanation.bands}
    return {kind: float(np.mean([cell.is_reliable for cell in cells])) for kind, cells in kinds.items()}


def _properties(explanation: Explanation) -> dict[str, dict[str, float]]:
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
                for direction in ("deletion", "insertion")
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
    sign = 1 if direction == "deletion" else -1
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
