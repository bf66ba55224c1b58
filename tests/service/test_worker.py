"""The error output of a worker that crashes."""

import subprocess
import sys

CRASHES = """
import sys
from overtone.service import worker
sys.excepthook = worker._log_without_values
def recognise():
    raise OSError(36, "File name too long", "name of a client")
recognise()
"""


def test_a_crash_is_logged_without_data_of_the_client() -> None:
    process = subprocess.run([sys.executable, "-c", CRASHES], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "in recognise" in process.stderr
    assert process.stderr.endswith("OSError\n")
    assert "name of a client" not in process.stderr
