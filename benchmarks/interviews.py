"""How far the summaries of interviews are from the truth, in corpora that the model was not trained on.

    python -m benchmarks.interviews --models DIR [--data DIR] [--corpora NAME ...] [--interviews N] [--output FILE]

DIR holds a run folder `without-CORPUS` for each corpus: a model of recipe `encoder`, trained on the other corpora. Each
interview joins clips of three speakers of this corpus, who speak in turn; each speaker has another random mixture of
emotions. The recording is recognised as a whole, with its speaker turns, as `overtone timeline --turns` does; the
estimates use the error rates on the other corpora. Where a speaker has too few clips of an emotion, they are repeated.

Writes one JSON file atomically after each interview; interviews that it contains already are not repeated.
`benchmarks/README.md` explains the entries.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import overtone
from benchmarks.harness import (
    PROJECT,
    default_data,
    describe_machine,
    make_parser,
    output_argument,
    read_stored,
    write_results,
)
from overtone.audio.decode import read_utterance
from overtone.corpora import read_corpus
from overtone.corpora.label_mapping import apply_label_map
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance
from overtone.emotions import get_label_map
from overtone.errors import OvertoneError
from overtone.shares import PRIORS
from overtone.timeline import Segment
from tools.add_error_rates import add_error_rates

CORPORA = ("ravdess", "emodb", "emovo", "nemo", "ased")
LABELS, RECIPE = "7-classes-calm-as-neutral", "encoder"
SPEAKERS = 3
PAUSE_S = (0.2, 0.8)
NOISE_LEVEL = 1e-4  # of full scale, in the pauses


@dataclass(frozen=True)
class Interview:
    """A recording whose emotions are known.

    Attributes:
        samples: float32 `(samples,)`, mono, 16 kHz.
        turns: the speaker turns.
        truth: speaker -> emotion -> its share of the duration of the speaker's turns.
    """

    samples: np.ndarray
    turns: tuple[Segment, ...]
    truth: dict[str, dict[str, float]]


class Speaker:
    """A speaker whose emotions are mixed at random.

    Args:
        clips: all clips of the speaker.
        rng: source of randomness.
    """

    def __init__(self, clips: Sequence[Utterance], rng: np.random.Generator) -> None:
        self._rng = rng
        self._clips = {name: [clip for clip in clips if clip.emotion == name] for name in {c.emotion for c in clips}}
        self._emotions = sorted(self._clips)
        self._mixture = rng.dirichlet(np.full(len(self._emotions), rng.choice(PRIORS)))
        self._unused: dict[str, list[Utterance]] = {name: [] for name in self._emotions}

    def next_clip(self) -> Utterance:
        """Return a clip of a random emotion that has been used as rarely as any other of this emotion."""
        emotion = str(self._rng.choice(self._emotions, p=self._mixture))
        if not self._unused[emotion]:
            order = self._rng.permutation(len(self._clips[emotion]))
            self._unused[emotion] = [self._clips[emotion][index] for index in order]
        return self._unused[emotion].pop()


def join(clips: Sequence[Utterance], duration_s: float, rng: np.random.Generator) -> Interview:
    """Return an interview of random speakers of a corpus, of about this duration."""
    names = sorted({clip.speaker for clip in clips})
    chosen = [names[index] for index in rng.choice(len(names), SPEAKERS, replace=False)]
    speakers = {name: Speaker([clip for clip in clips if clip.speaker == name], rng) for name in chosen}
    parts: list[np.ndarray] = []
    turns: list[Segment] = []
    spoken_s: dict[str, dict[str, float]] = {name: {} for name in chosen}
    position = number = 0
    while position < duration_s * SAMPLE_RATE_HZ:
        name = chosen[number % SPEAKERS]
        clip = speakers[name].next_clip()
        pause = rng.normal(0, NOISE_LEVEL, round(rng.uniform(*PAUSE_S) * SAMPLE_RATE_HZ)).astype(np.float32)
        samples = read_utterance(clip).samples
        start, end = position + len(pause), position + len(pause) + len(samples)
        turns.append(Segment(start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ, speaker=name))
        length_s = len(samples) / SAMPLE_RATE_HZ
        spoken_s[name][clip.emotion] = spoken_s[name].get(clip.emotion, 0.0) + length_s
        parts += [pause, samples]
        position, number = end, number + 1
    truth = {
        name: {emotion: time_s / sum(times.values()) for emotion, time_s in times.items()}
        for name, times in spoken_s.items()
    }
    return Interview(np.concatenate(parts), tuple(turns), truth)


def measure(recogniser: overtone.Recogniser, interview: Interview) -> Iterator[dict[str, Any]]:
    """Yield a row per speaker and emotion: truth, sure share, estimate and interval."""
    timeline = recogniser.timeline(interview.samples, SAMPLE_RATE_HZ, turns=interview.turns)
    if timeline.no_estimates:
        raise SystemExit(f"interviews: no estimates: {timeline.no_estimates}")
    for summary in timeline.speakers:
        predicted_s = dict.fromkeys(timeline.emotions, 0.0)
        for part in timeline.spoken(summary.speaker):
            predicted_s[part.emotion] += part.duration_s
        for emotion, estimate in summary.estimates.items():
            yield {
                "speaker": summary.speaker,
                "emotion": emotion,
                "speech_s": round(summary.speech_s, 1),
                "truth": round(interview.truth[summary.speaker].get(emotion, 0.0), 4),
                "share": round(summary.shares[emotion], 4),
                "uncertain_share": round(summary.uncertain_share, 4),
                "predicted": round(predicted_s[emotion] / summary.speech_s, 4),
                "estimate": round(estimate.value, 4),
                "low": estimate.low,
                "high": estimate.high,
            }


def measure_corpus(corpus: str, options: argparse.Namespace) -> None:
    """Measure the interviews of a corpus that are not in the output yet, and add each to it.

    Raises:
        OvertoneError: the corpus or its model cannot be read.
    """
    known = {(row["corpus"], row["interview"]) for row in stored_rows(options.output)}
    missing = [number for number in range(options.interviews) if (corpus, number) not in known]
    if not missing:
        return
    clips = apply_label_map(read_corpus(corpus, options.data / corpus).utterances, get_label_map(LABELS))[0]
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model.onnx")
        original = options.models / f"without-{corpus}" / "model.onnx"
        add_error_rates(original, model, options.oof, RECIPE, corpus)
        recogniser = overtone.load(model)
        for number in missing:
            seed = [options.seed, CORPORA.index(corpus), number]
            interview = join(clips, 60 * options.minutes, np.random.default_rng(seed))
            rows = [{"corpus": corpus, "interview": number, **row} for row in measure(recogniser, interview)]
            conditions = {"minutes": options.minutes, "speakers": SPEAKERS, "seed": options.seed, "recipe": RECIPE}
            found = {"machine": describe_machine(), **conditions, "rows": [*stored_rows(options.output), *rows]}
            write_results(options.output, found)
            print(f"{corpus}: interview {number + 1} of {options.interviews}", flush=True)


def stored_rows(output: Path) -> list[dict[str, Any]]:
    """Return the rows in a results file; none if there is no such file."""
    return read_stored(output, lambda content: content["rows"])


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("interviews", __doc__)
    parser.add_argument("--models", type=Path, required=True, metavar="DIR", help="folder of the runs without-CORPUS")
    parser.add_argument("--data", type=Path, default=default_data().parent, metavar="DIR", help="folder of the corpora")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=CORPORA, metavar="NAME")
    parser.add_argument("--interviews", type=int, default=3, metavar="N", help="per corpus (default: 3)")
    parser.add_argument("--minutes", type=float, default=12.0, metavar="N", help="of an interview (default: 12)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random mixtures (default: 0)")
    parser.add_argument(
        "--oof", type=Path, default=PROJECT / "results" / "oof", metavar="DIR",
        help="folder of the out-of-fold predictions, for the error rates (default: results/oof)",
    )  # fmt: skip
    output_argument(parser, "interviews.json")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    for corpus in options.corpora:
        try:
            measure_corpus(corpus, options)
        except OvertoneError as error:
            print(f"interviews: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
