"""Options and output of the commands that train or read labelled clips: `train`, `evaluate`, `compare`, ..."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from overtone import corpora
from overtone.cli.argtypes import int_at_least, positive_int
from overtone.cli.errors import usage_errors
from overtone.cli.output import output_folder
from overtone.corpora.label_mapping import apply_label_map, merge_spellings, read_label_map, unused_labels
from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS, LABEL_MAPS, LabelMap, label_key, list_classes, order_classes, similar_emotion
from overtone.errors import CorpusError, InputError
from overtone.evaluation.report import ScoreRow
from overtone.formats.table import printable

DEFAULT_RECIPE = "overtone"
DEFAULT_RECIPE_HELP = (
    f"a bundled recipe by name, or a TOML file (default: {DEFAULT_RECIPE}; it reaches the "
    "published scores only with --init-from a run on other corpora; encoder-one-corpus is better, and needs a "
    "pretrained encoder)"
)
MAX_INVALID_SHARE = 0.05  # of the rows of a manifest; more of them are a mistake in the whole
DEFAULT_RUNS, DEFAULT_OOF = Path("runs"), Path("results/oof")


def data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --train-data, --corpus, --labels, --only-known-labels and --cache."""
    labelled_clips_arguments(parser, required=True)
    parser.add_argument(
        "--train-data", default=[], action="append", metavar="[CORPUS=]PATH",
        help="the folder of a further corpus, which is in every training set and never tested; give it once per corpus",
    )  # fmt: skip
    cache_argument(parser)


def labelled_clips_arguments(parser: argparse.ArgumentParser, *, required: bool, purpose: str = "") -> None:
    """Add --data, --corpus, --labels and --only-known-labels.

    Args:
        parser: the parser of the command.
        required: whether --data must be given.
        purpose: of the data, for the help.
    """
    parser.add_argument(
        "--data", required=required, default=None if required else [], action="append", metavar="[CORPUS=]PATH",
        help=f"the folder of a corpus, or a manifest{purpose}; give it once per corpus",
    )  # fmt: skip
    labels_arguments(parser)


def labels_arguments(parser: argparse.ArgumentParser, default_corpus: str = "ravdess") -> None:
    """Add --corpus, --labels and --only-known-labels.

    Args:
        parser: the parser of the command.
        default_corpus: of data without CORPUS=.
    """
    parser.add_argument(
        "--corpus", default=default_corpus, choices=sorted(corpora.CORPORA),
        help=f"the corpus of each PATH without CORPUS= (default: {default_corpus})",
    )  # fmt: skip
    parser.add_argument(
        "--labels", metavar="MAP|FILE",
        help=f"a label map that selects and merges classes, one of {', '.join(sorted(LABEL_MAPS))}, or a TOML file "
        "with lines such as: \"own label\" = \"class\" (default: keep all classes)",
    )  # fmt: skip
    parser.add_argument(
        "--only-known-labels", action="store_true",
        help=f"refuse a manifest with labels other than {', '.join(EMOTIONS)} (default: other labels are classes too)",
    )  # fmt: skip


def cache_argument(parser: argparse.ArgumentParser) -> None:
    """Add --cache."""
    parser.add_argument(
        "--cache", type=Path, metavar="DIR",
        help="the folder for cached features, and for audio that tables contain (default: $OVERTONE_CACHE, else the "
        "user's cache folder)",
    )  # fmt: skip


def recipe_argument(parser: argparse.ArgumentParser, default: str = DEFAULT_RECIPE, text: str = "") -> None:
    """Add --recipe."""
    parser.add_argument("--recipe", default=default, metavar="NAME|FILE", help=text or DEFAULT_RECIPE_HELP)


def init_from_argument(parser: argparse.ArgumentParser) -> None:
    """Add --init-from."""
    parser.add_argument(
        "--init-from", type=Path, metavar="RUN",
        help="the folder of a finished run on other corpora whose branch weights are the initial weights (default: "
        "random weights)",
    )  # fmt: skip


def tensorboard_argument(parser: argparse.ArgumentParser) -> None:
    """Add --tensorboard."""
    parser.add_argument(
        "--tensorboard", action="store_true",
        help="also write each epoch into the folder tensorboard of the run folder; tensorboard --logdir RUN shows it. "
        "Needs the extra tensorboard",
    )  # fmt: skip


def check_tensorboard(args: argparse.Namespace) -> None:
    """Raise MissingExtraError if --tensorboard is given and the package is not installed."""
    if args.tensorboard:
        from overtone.training.tensorboard_log import check_installed

        check_installed()


def seeds_argument(parser: argparse.ArgumentParser, default: Sequence[int]) -> None:
    """Add --seeds."""
    listed = " ".join(map(str, default))
    parser.add_argument(
        "--seeds", type=int_at_least(0), nargs="+", default=list(default), metavar="N",
        help=f"random seeds; every fold is trained once per seed (default: {listed})",
    )  # fmt: skip


def processes_argument(parser: argparse.ArgumentParser) -> None:
    """Add --processes."""
    parser.add_argument(
        "--processes", type=positive_int, default=1, metavar="N",
        help="the number of parallel training runs, each in a process with one thread (default: 1, "
        "without additional processes)",
    )  # fmt: skip


def evaluation_folders_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --runs and --oof."""
    parser.add_argument(
        "--runs", type=output_folder, default=DEFAULT_RUNS, metavar="DIR",
        help=f"the folder of all run folders (default: {DEFAULT_RUNS})",
    )  # fmt: skip
    parser.add_argument(
        "--oof", type=output_folder, default=DEFAULT_OOF, metavar="DIR",
        help=f"the folder for out-of-fold predictions (default: {DEFAULT_OOF})",
    )  # fmt: skip


def read_clips(args: argparse.Namespace, invalid: list[str] | None = None) -> tuple[Utterance, ...]:
    """Return the clips of all corpora, in the order of --data; print on stderr which clips were left out.

    Args:
        args: the parsed options.
        invalid: the list to which a few invalid rows of manifests are added; None if they are an error.

    Raises:
        UsageError: the label map cannot be used.
        CorpusError: a corpus cannot be read, or all clips have the same class.
    """
    with usage_errors():
        label_map = None if args.labels is None else read_label_map(args.labels)
    utterances: list[Utterance] = []
    sources = [(data, False) for data in args.data] + [(data, True) for data in getattr(args, "train_data", [])]
    for data, training_only in sources:
        corpus, location = _corpus_and_location(data, args.corpus)
        scan = corpora.read_corpus(
            corpus, location, only_known_labels=args.only_known_labels,
            max_invalid_share=0.0 if invalid is None else MAX_INVALID_SHARE, cache=getattr(args, "cache", None),
        )  # fmt: skip
        if invalid is not None:
            invalid += [f"{location}, {fault}" for fault in scan.invalid]
        left_out = ", ".join(f"{count} x {reason}" for reason, count in scan.ignored.items())
        summary = f"{corpus}: {len(scan.utterances)} clips" + (f"; left out: {left_out}" if left_out else "")
        print(printable(summary), file=sys.stderr)
        for hint in scan.hints:
            print(printable(f"hint: {hint}"), file=sys.stderr)
        utterances += [replace(utterance, training_only=training_only) for utterance in scan.utterances]
    clips = merge_spellings(utterances)
    _print_hints(clips, {} if label_map is None else label_map)
    if label_map is not None:
        clips, dropped = apply_label_map(clips, label_map)
        if dropped:
            counts = ", ".join(f"{count} x {emotion}" for emotion, count in dropped.items())
            print(printable(f"{args.labels}: {len(clips)} clips; dropped: {counts}"), file=sys.stderr)
    _check_several_classes(clips, args)
    return clips


@contextmanager
def naming_data(args: argparse.Namespace) -> Iterator[None]:
    """Prefix an error about the clips with the paths of --data, so that it names the manifest to correct."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{_locations(args)}: {error}") from error


def _corpus_and_location(data: str, default: str) -> tuple[str, str]:
    """Return the corpus and the path in a value of --data, `[CORPUS=]PATH`."""
    name, equals, path = data.partition("=")
    return (name, path) if equals and name in corpora.CORPORA else (default, data)


def _locations(args: argparse.Namespace) -> str:
    return ", ".join(
        _corpus_and_location(data, args.corpus)[1] for data in (*args.data, *getattr(args, "train_data", ()))
    )


def _print_hints(utterances: Sequence[Utterance], label_map: LabelMap) -> None:
    """Print the labels that may be typing errors: those close to a known emotion, and those of a file without clips."""
    mapped = set(map(label_key, label_map))
    for label in order_classes(utterance.emotion for utterance in utterances):
        similar = None if label in EMOTIONS or label_key(label) in mapped else similar_emotion(label)
        if similar:
            print(printable(f"hint: '{label}' is a class of its own; did you mean '{similar}'?"), file=sys.stderr)
    unused = () if label_map in LABEL_MAPS.values() else unused_labels(utterances, label_map)
    if unused:
        print(printable(f"hint: no clip has the label {list_classes(unused)}"), file=sys.stderr)


def _check_several_classes(utterances: Sequence[Utterance], args: argparse.Namespace) -> None:
    present = order_classes(utterance.emotion for utterance in utterances)
    if len(present) < 2:
        after = f" after {args.labels}" if args.labels else ""
        found = f"all {len(utterances)} clips are '{present[0]}'" if present else "no clip is left"
        raise CorpusError(f"{_locations(args)}: {found}{after}; add clips of at least one other class")


def print_scores(rows: Iterable[ScoreRow]) -> None:
    """Print a line per model: its scores, always with the leak audit."""
    for row in rows:
        scores = row.scores
        folds = ", ".join(f"{fold} {100 * value:.1f}" for fold, value in scores.folds.items())
        uar = f"UAR {scores.uar}" + (f" (mean of {folds})" if folds else "")
        print(f"{row.name}, {row.protocol}: {uar}, WA {scores.wa}, macro-F1 {scores.macro_f1}; {row.audit}")
