"""What a worker says when it comes to grief."""

import subprocess
import sys

FALLS = """
import sys
from overtone.service import worker
sys.excepthook = worker._tell_no_names
def hear():
    raise OSError(36, "File name too long", "name of a client")
hear()
"""


def test_where_it_came_to_grief_is_told_but_no_names() -> None:
    done = subprocess.run([sys.executable, "-c", FALLS], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "in hear" in done.stderr
    assert done.stderr.endswith("OSError\n")
    assert "name of a client" not in done.stderr
