"""Wall time and peak memory of a whole process.

python benchmarks/process.py COMMAND...      prints {"wall_s": ..., "peak_mb": ..., "status": ...}
"""

import json
import resource
import subprocess
import sys
import time

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def measure(command: list[str]) -> dict[str, float]:
    """Wall time in seconds, peak resident memory in MB and exit status of a command.

    Linux counts the memory of the parent at the moment of the fork towards the child. So the parent must be small: a
    fresh interpreter that runs this very file.

    Raises:
        subprocess.CalledProcessError: the measuring itself failed.
    """
    done = subprocess.run([sys.executable, "-S", __file__, *command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def run(command: list[str]) -> dict[str, float]:
    """As `measure`, from within the small process."""
    begin_s = time.perf_counter()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    wall_s = time.perf_counter() - begin_s
    peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * MAXRSS_BYTES
    return {"wall_s": wall_s, "peak_mb": peak_bytes / 1e6, "status": status}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:])))
