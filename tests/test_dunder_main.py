"""`python -m overtone` runs the same command line as `overtone`."""

import subprocess
import sys

import overtone


def test_it_runs_the_command_line() -> None:
    run = subprocess.run([sys.executable, "-m", "overtone", "--version"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"overtone {overtone.__version__}\n", "")
    assert subprocess.run([sys.executable, "-m", "overtone", "sing"], capture_output=True, check=False).returncode == 2
