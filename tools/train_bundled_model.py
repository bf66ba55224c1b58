"""Train the bundled models from the corpora, and write `overtone/bundled/NAME.onnx` with its card.

    python tools/train_bundled_model.py --data DIR            # or: make model
    python tools/train_bundled_model.py --data DIR --plan     # only say what is needed and how long it takes

DIR holds a folder per corpus; the pretrained encoder is found as `overtone.models.encoder_files.find_encoder` says.

- `overtone`: recipe `encoder` on all corpora, with calm as neutral: both RAVDESS and EmoDB have a class that no other
  corpus has (calm, bored), which a model could only tell by the corpus.
- `lite`: recipe `lite` on the same clips, without the encoder but taught by recipe `encoder`.

All trainings resume: run the command again after an interruption. The scores in the cards are those in results/oof;
`overtone experiment` measures them.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from overtone._internal.atomic_write import write_bytes
from overtone.cli.progress import ProgressBar
from overtone.cli.training_time import describe_estimate
from overtone.corpora import read_corpus
from overtone.corpora.label_mapping import apply_label_map
from overtone.datatypes import Utterance
from overtone.emotions import get_label_map
from overtone.errors import OptionError, OvertoneError, suggest
from overtone.recipe import Recipe, read_recipe
from overtone.training.export import export_run
from overtone.training.run_config import RunConfig
from overtone.training.run_folder import is_finished
from overtone.training.time_estimate import Job, estimate
from overtone.training.train import train

PROJECT = Path(__file__).resolve().parent.parent
BUNDLED = PROJECT / "overtone" / "bundled"
SEED = 0
ROBUSTNESS_FILE = "robustness.json"
PROTOCOL = "all"  # every clip is used; the scores of the recipe come from other protocols


@dataclass(frozen=True)
class Stage:
    """One training.

    Attributes:
        recipe: its settings.
        corpora: its training data.
        folder: its run folder.
        labels: name of a label map; "" for all classes.
    """

    recipe: Recipe
    corpora: tuple[str, ...]
    folder: Path
    labels: str = ""

    def read(self, data: Path) -> tuple[Utterance, ...]:
        """The clips of its corpora below a folder."""
        clips = [clip for corpus in self.corpora for clip in read_corpus(corpus, data / corpus).utterances]
        return apply_label_map(clips, get_label_map(self.labels))[0] if self.labels else tuple(clips)


def models(runs: Path) -> dict[str, tuple[Stage, ...]]:
    """Name of a bundled model -> its trainings, in order; each but the first is initialised from the one before."""
    corpora, labels = ("ravdess", "emodb", "emovo", "nemo", "ased", "emogator"), "7-classes-calm-as-neutral"
    return {
        "overtone": (Stage(read_recipe("encoder"), corpora, runs / "encoder", labels=labels),),
        "lite": (Stage(read_recipe("lite"), corpora, runs / "lite", labels=labels),),
    }


def describe(stage: Stage, clips: Sequence[Utterance], cache: Path | None) -> str:
    """What a stage trains on, what it stores, and an estimate of the time it takes on this machine."""
    start = f"{stage.folder.name}: {len(clips)} clips of {', '.join(stage.corpora)}"
    if is_finished(stage.folder):
        return f"{start}; finished already"
    config = RunConfig(stage.recipe, PROTOCOL, PROTOCOL, SEED)
    found = estimate([Job(clips, [config])], cache=cache)
    return (
        f"{start}; {describe_estimate(found)}; {stage.recipe.epochs} epochs, threads: {torch.get_num_threads()}; "
        f"{found.feature_bytes / 1e9:.1f} GB of features to cache"
    )


def train_and_export(
    name: str, stages: Sequence[Stage], data: Path, oof: Path, bundled: Path, cache: Path | None
) -> Path:
    """Run all stages of a model, and write the model of the last one with its card; return its path.

    Args:
        name: of the model.
        stages: its trainings.
        data: folder of the corpora.
        oof: folder of the out-of-fold predictions that the card quotes, below the results of benchmarks.
        bundled: folder of the model and its card.
        cache: cache folder for features; None for that of the user.

    Raises:
        OvertoneError: a corpus is missing or damaged, a training fails, or the export is not exact.
    """
    init_from: Path | None = None
    for stage in stages:
        clips = stage.read(data)
        config = RunConfig(stage.recipe, PROTOCOL, PROTOCOL, SEED, init_from)
        with ProgressBar("steps") as progress:
            train(clips, config, stage.folder, resume=True, cache=cache, progress=progress)
        init_from = stage.folder
    model = export_run(clips, stage.folder, model_id=name, scores=oof, robustness_file=oof.parent / ROBUSTNESS_FILE)
    write_bytes(bundled / f"{name}.onnx", model.read_bytes())
    write_bytes(bundled / f"{name}.md", model.with_suffix(".md").read_bytes())
    return bundled / f"{name}.onnx"


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what is needed, train, and write the bundled files; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="Folder of the corpora.")
    parser.add_argument("--runs", type=Path, default=Path("runs/bundled"), metavar="DIR", help="Run folders.")
    parser.add_argument("--oof", type=Path, default=PROJECT / "results" / "oof", metavar="DIR", help="Scores to quote.")
    parser.add_argument("--output", type=Path, default=BUNDLED, metavar="DIR", help="Folder of the model and its card.")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="Cache of features (default: the user's cache).")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="Only these models (default: all).")
    parser.add_argument("--plan", action="store_true", help="Only say what is needed and how long it takes.")
    args = parser.parse_args(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))  # small tensors: more threads are hardly faster
    try:
        known = models(args.runs)
        unknown = [name for name in args.models or () if name not in known]
        if unknown:
            raise OptionError(f"--models: no model '{unknown[0]}'{suggest(unknown[0], known)}")
        chosen = {name: known[name] for name in args.models or known}
        for stage in (stage for stages in chosen.values() for stage in stages):
            print(describe(stage, stage.read(args.data), args.cache), flush=True)
        if args.plan:
            return 0
        for name, stages in chosen.items():
            print(train_and_export(name, stages, args.data, args.oof, args.output, args.cache), flush=True)
    except OvertoneError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
