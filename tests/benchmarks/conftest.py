"""Make `benchmarks` importable: it is not part of the package, but located in the project folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
