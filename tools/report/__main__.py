"""`python -m tools.report [ROOT]`: write the results pages, their figures and the generated tables.

`make results` runs it in the project folder.
"""

import argparse
import sys
from pathlib import Path

from overtone.errors import OvertoneError
from tools.report.build import build


def main(arguments: list[str] | None = None) -> int:
    """Write all files and print their paths; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.report", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", nargs="?", metavar="ROOT", type=Path, default=Path(), help="the project folder")
    try:
        paths = build(parser.parse_args(arguments).root)
    except OvertoneError as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    print(*paths, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
