"""Write the error rates on unseen corpora into the card of model files, from which a timeline estimates shares.

    python tools/add_error_rates.py                                        # of the bundled models, and their cards
    python tools/add_error_rates.py model.onnx --recipe encoder --without emodb --output other.onnx

The rates come from the out-of-fold predictions of the recipe (`overtone.evaluation.error_rates`). The graph and its
weights stay as they are; the file gets a new checksum. `tools/train_bundled_model.py` writes the rates by itself.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import onnx

from overtone._internal.atomic_write import write_bytes, write_text
from overtone.errors import InputError, OvertoneError
from overtone.evaluation.error_rates import card_section
from overtone.inference.checksum import CHECKSUM_KEY, append_checksum, check_intact, require_checksum
from overtone.inference.model_card import CARD_KEY, read_card
from overtone.training.card_markdown import card_to_markdown

PROJECT = Path(__file__).resolve().parent.parent
BUNDLED = {"overtone": "encoder", "lite": "lite"}
EXACTNESS = "onnxruntime and torch differ"  # the line that the export appends to a card as text


def add_error_rates(model: Path, output: Path, oof: Path, recipe: str, without: str = "") -> None:
    """Write a model file with the error rates of its recipe, and its card as text if there is one next to it.

    Args:
        model: the model file.
        output: the file to write; may be the same.
        oof: folder of the out-of-fold predictions.
        recipe: name of the recipe in their file names.
        without: corpus that is left out, since the model is tested on it; "" for none.

    Raises:
        InputError: there are no predictions of the recipe, or they have other classes than the model.
        ModelError: the model is damaged.
    """
    content = model.read_bytes()
    check_intact(content, str(model))
    require_checksum(content, str(model))
    graph = onnx.load_from_string(content)
    entries = {entry.key: entry.value for entry in graph.metadata_props if entry.key != CHECKSUM_KEY}
    card = read_card(entries, str(model))
    section = card_section(oof, recipe, without)
    if not section:
        raise InputError(f"{oof}: no predictions of recipe '{recipe}' on unseen corpora, or of too few")
    entries[CARD_KEY] = json.dumps(read_card({CARD_KEY: json.dumps(card | {"error_rates": section})}, str(model)))
    onnx.helper.set_model_props(graph, entries)
    write_bytes(output, append_checksum(graph.SerializeToString()))
    _rewrite_text(model.with_suffix(".md"), output.with_suffix(".md"), json.loads(entries[CARD_KEY]))


def _rewrite_text(old: Path, new: Path, card: dict[str, object]) -> None:
    """Write the card as text, with the line that the export appended to the old one."""
    if old.is_file():
        exactness = [line for line in old.read_text(encoding="utf-8").splitlines() if line.startswith(EXACTNESS)]
        write_text(new, "\n\n".join([card_to_markdown(card).rstrip(), *exactness]) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the bundled models, or the given one; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", help="A model file (default: the bundled models).")
    parser.add_argument("--recipe", metavar="NAME", help="Its recipe.")
    parser.add_argument("--without", default="", metavar="CORPUS", help="A corpus whose predictions are left out.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="Where it is written (default: in place).")
    parser.add_argument("--oof", type=Path, default=PROJECT / "results" / "oof", metavar="DIR")
    args = parser.parse_args(arguments)
    if args.model and not args.recipe:
        parser.error("name the --recipe of the model")
    bundled = PROJECT / "overtone" / "bundled"
    jobs = (
        [(args.model, args.recipe)] if args.model else [(bundled / f"{name}.onnx", BUNDLED[name]) for name in BUNDLED]
    )
    try:
        for model, recipe in jobs:
            add_error_rates(model, args.output or model, args.oof, recipe, args.without)
    except OvertoneError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
