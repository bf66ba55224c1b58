"""`overtone encoders`: list the pretrained encoders and where they were found, or download one."""

import argparse
import shlex
from pathlib import Path

from overtone.cli.progress import ProgressBar
from overtone.errors import ModelError
from overtone.formats.table import printable
from overtone.models.encoder_files import (
    ENCODERS,
    ENCODERS_VARIABLE,
    WEIGHTS_FILE,
    local_encoders,
    terms,
    weights_digest,
)

ACTIONS = (
    ("list", "List the encoders, where each was found, and its licence"),
    ("download", "Download an encoder and verify its weights, or resume an interrupted download"),
)


def encoders_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions `list` and `download NAME DIR`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", help="what to do (default: list)")
    for name, text in ACTIONS:
        action = actions.add_parser(name, help=text, description=f"{text}.")
        if name == "download":
            names = sorted(ENCODERS)
            action.add_argument("encoder", metavar="NAME", choices=names, help=f"the encoder: {', '.join(names)}")
            action.add_argument(
                "folder",
                metavar="DIR",
                type=Path,
                help=f"the folder that contains a folder per encoder, as ${ENCODERS_VARIABLE} names it",
            )


def encoders(args: argparse.Namespace) -> int:
    """Run the action; return 0."""
    if args.action == "download":
        return _download(args.encoder, args.folder)
    found = local_encoders()
    print("\n\n".join(encoder_to_text(name, found.get(name)) for name in sorted({*ENCODERS, *found})))
    return 0


def encoder_to_text(name: str, folder: Path | None) -> str:
    """Return the description of an encoder as readable text.

    Args:
        name: of the encoder.
        folder: where it was found; None if it was not.
    """
    licence, citation = terms(name)
    lines = [f"{name}: {ENCODERS[name].title}" if name in ENCODERS else printable(name)]
    lines += [f"licence: {licence}", *([f"cite: {citation}"] if citation else [])]
    if folder:
        lines += [f"found in {printable(str(folder))}", f"weights: {_verdict(name, folder)}"]
    else:
        lines += ["not found", f"download: overtone encoders download {name} DIR"]
    return "\n    ".join(lines)


def _verdict(name: str, folder: Path) -> str:
    """Return as text whether the weights in a folder are those that the bundled model was trained with."""
    try:
        digest = weights_digest(folder / WEIGHTS_FILE)
    except ModelError as error:
        return printable(str(error))
    if name not in ENCODERS:
        return f"SHA-256 {digest}"
    return (
        "verified"
        if digest == ENCODERS[name].weights_sha256
        else f"not those of the published encoder: SHA-256 {digest}"
    )


def _download(name: str, folder: Path) -> int:
    from overtone.models.encoder_download import download_encoder  # urllib and ssl are slow to import

    with ProgressBar("bytes") as bar:
        was_incomplete = download_encoder(name, folder, bar)
    path = printable(str(folder / name))
    print(f"{name} is complete in {path}" + ("" if was_incomplete else "; nothing was downloaded"))
    found = local_encoders().get(name)
    if not found or found.absolute() != (folder / name).absolute():
        print(f"to use it: export {ENCODERS_VARIABLE}={shlex.quote(printable(str(folder.absolute())))}")
    return 0
