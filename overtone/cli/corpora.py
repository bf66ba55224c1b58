"""`overtone corpora`: which corpora are known; download one, verify one."""

import argparse
import textwrap
from pathlib import Path

from overtone.cli.progress import ProgressBar
from overtone.corpora import CORPORA
from overtone.corpora.download.verify import Verification, verify
from overtone.corpora.metadata import CorpusInfo
from overtone.formats.table import printable

SHOWN = 10
WIDTH = 100


def corpora_arguments(parser: argparse.ArgumentParser) -> None:
    """[download NAME DIR | verify NAME DIR]."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", help="without one, the corpora are listed")
    for name, text in (
        ("list", "list the corpora"),
        ("download", "fetch a corpus into a folder; goes on where an earlier call was broken off"),
        ("verify", "find missing, surplus, unreadable and duplicate clips"),
    ):
        action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name != "list":
            action.add_argument("corpus", metavar="NAME", choices=sorted(CORPORA), help=", ".join(sorted(CORPORA)))
            action.add_argument("folder", metavar="DIR", type=Path, help="its folder; for manifest the CSV file")


def corpora(args: argparse.Namespace) -> int:
    """Runs the action; 1 where a corpus is not whole."""
    if args.action == "download":
        return _download(args.corpus, args.folder)
    if args.action == "verify":
        return _verify(args.corpus, args.folder)
    print("\n\n".join(as_text(corpus.ABOUT) for corpus in CORPORA.values()))
    return 0


def as_text(about: CorpusInfo) -> str:
    """What is known of a corpus, for people."""
    speakers = f"{about.speakers} speakers" if about.speakers else "any number of speakers"
    clips = f", {about.clips} clips" if about.clips else ""
    facts = (
        f"{about.language}; {speakers}{clips}; {', '.join(about.emotions)}",
        f"licence: {about.licence}",
        f"cite: {about.citation}" if about.citation else "",
        about.url,
        f"fetch: overtone corpora download {about.name} DIR" if about.archives else "",
    )
    wrapped = [line for fact in facts for line in textwrap.wrap(fact, WIDTH, break_on_hyphens=False)]
    body = "\n".join([*wrapped, about.tree.strip("\n")])
    return f"{about.name}: {about.title}\n{textwrap.indent(body, '    ')}"


def verification_text(found: Verification) -> str:
    """What a verification found, for people: a line per kind, and the first clips of it."""
    kinds = {
        "missing": found.missing,
        "surplus": found.surplus,
        "unreadable": found.unreadable,
        "duplicate": tuple(" = ".join(group) for group in found.duplicates),
        "stereo": found.stereo,
    }
    lines = [f"{found.clips} clips found" + (f" of {found.expected}" if found.expected else "")]
    for kind, names in kinds.items():
        lines.append(f"{kind:11}{len(names)}")
        lines += [f"    {printable(name)}" for name in names[:SHOWN]]
        lines += [f"    and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return "\n".join([*lines, "whole" if found.whole else "not whole: download it again, or copy the missing clips"])


def _download(name: str, folder: Path) -> int:
    from overtone.corpora.download.http import download  # urllib and ssl are slow to load, and only this needs them

    with ProgressBar("bytes") as bar:
        was_work = download(name, folder, bar)
    print(f"{name} is whole in {printable(str(folder))}" + ("" if was_work else "; it was already"))
    return 0


def _verify(name: str, folder: Path) -> int:
    with ProgressBar("clips") as bar:
        found = verify(name, folder, bar)
    print(verification_text(found))
    return 0 if found.whole else 1
