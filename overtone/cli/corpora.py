"""`overtone corpora`: list the supported corpora, download one, verify one."""

import argparse
import textwrap
from pathlib import Path

from overtone.cli.progress import ProgressBar
from overtone.corpora import CORPORA
from overtone.corpora.download.verify import Verification, verify
from overtone.corpora.metadata import CorpusInfo
from overtone.formats.table import printable

MAX_LISTED = 10
WIDTH = 100
ACTIONS = (
    ("list", "List the supported corpora"),
    ("download", "Download a corpus into a folder, or resume an interrupted download"),
    ("verify", "Find missing, surplus, unreadable and duplicate clips in a corpus folder"),
)


def corpora_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions `list`, `download NAME DIR` and `verify NAME DIR`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", help="what to do (default: list)")
    for name, text in ACTIONS:
        action = actions.add_parser(name, help=text, description=f"{text}.")
        if name != "list":
            action.add_argument(
                "corpus",
                metavar="NAME",
                choices=sorted(CORPORA),
                help=f"the corpus, one of {', '.join(sorted(CORPORA))}",
            )
            action.add_argument(
                "folder", metavar="DIR", type=Path, help="the folder of the corpus; for manifest, the table"
            )


def corpora(args: argparse.Namespace) -> int:
    """Run the action; return 1 if a verified corpus is incomplete."""
    if args.action == "download":
        return _download(args.corpus, args.folder)
    if args.action == "verify":
        return _verify(args.corpus, args.folder)
    print("\n\n".join(corpus_to_text(corpus.INFO) for corpus in CORPORA.values()))
    return 0


def corpus_to_text(info: CorpusInfo) -> str:
    """Return the description of a corpus as readable text."""
    speakers = f"{info.speakers} speakers" if info.speakers else "any number of speakers"
    clips = f", {info.clips} clips" if info.clips else ""
    facts = (
        f"{info.language}; {speakers}{clips}; {', '.join(info.emotions)}",
        f"licence: {info.licence}",
        f"cite: {info.citation}" if info.citation else "",
        info.url,
        f"download: overtone corpora download {info.name} DIR" if info.archives else "",
    )
    lines = [line for fact in facts for line in textwrap.wrap(fact, WIDTH, break_on_hyphens=False)]
    body = "\n".join([*lines, info.tree.strip("\n")])
    return f"{info.name}: {info.title}\n{textwrap.indent(body, '    ')}"


def verification_to_text(result: Verification) -> str:
    """Return a verification as readable text: a line per kind of problem, and the first clips of each."""
    problems = {
        "missing": result.missing,
        "surplus": result.surplus,
        "unreadable": result.unreadable,
        "duplicate": tuple(" = ".join(group) for group in result.duplicates),
        "stereo": result.stereo,
    }
    lines = [f"{result.clips} clips found" + (f" of {result.expected}" if result.expected else "")]
    for kind, names in problems.items():
        lines.append(f"{kind:11}{len(names)}")
        lines += [f"    {printable(name)}" for name in names[:MAX_LISTED]]
        lines += [f"    and {len(names) - MAX_LISTED} more"] if len(names) > MAX_LISTED else []
    verdict = "complete" if result.complete else "incomplete: download it again, or copy the missing clips"
    return "\n".join([*lines, verdict])


def _download(name: str, folder: Path) -> int:
    from overtone.corpora.download.corpus import download_corpus  # urllib and ssl are slow to import

    with ProgressBar("bytes") as bar:
        was_incomplete = download_corpus(name, folder, bar)
    print(f"{name} is complete in {printable(str(folder))}" + ("" if was_incomplete else "; nothing was downloaded"))
    return 0


def _verify(name: str, folder: Path) -> int:
    from overtone.audio.decode import read  # soundfile and soxr are slow to import

    with ProgressBar("clips") as bar:
        result = verify(name, folder, read, bar)
    print(verification_to_text(result))
    return 0 if result.complete else 1
