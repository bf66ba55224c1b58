"""The baselines need the extra `baselines`, which does not install torch."""

import subprocess
import sys

PROGRAM = "import sys, benchmarks.baselines.__main__; sys.exit('torch' in sys.modules)"


def test_the_program_does_not_import_torch() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
