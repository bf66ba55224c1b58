"""Wall time, CPU time and peak memory of a whole process.

python benchmarks/process.py COMMAND...      prints {"wall_s": ..., "cpu_s": ..., "peak_mb": ..., "status": ...}
"""

import json
import resource
import subprocess
import sys
import time
from typing import Any

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def measure(command: list[str], **options: Any) -> dict[str, float]:
    """Return wall and CPU time in seconds, peak resident memory in MB and exit status of a command.

    Linux counts the memory of the parent at the time of the fork towards the child. The parent must therefore be small:
    a fresh interpreter that runs this file.

    Args:
        command: the command to run.
        options: options of `subprocess.run`, such as `cwd` and `env`.

    Raises:
        subprocess.CalledProcessError: the measurement itself failed.
    """
    measuring = [sys.executable, "-S", __file__, *command]
    done = subprocess.run(measuring, capture_output=True, text=True, check=True, **options)
    return json.loads(done.stdout)


def run(command: list[str]) -> dict[str, float]:
    """Return the values of `measure`; called in the small process."""
    begin_s = time.perf_counter()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    wall_s = time.perf_counter() - begin_s
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s, peak_bytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_BYTES
    return {"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_bytes / 1e6, "status": status}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:])))
