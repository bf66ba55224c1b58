"""kill -9 while jobs wait: after the restart, is each finished, and once?"""

import time
from pathlib import Path
from typing import Any

from benchmarks.serving.service import service

WAIT_S = 1800.0


def killed(folder: Path, recording: bytes, jobs: int, kills: int) -> dict[str, Any]:
    """Counts of jobs.

    Args:
        folder: of the service.
        recording: the content of a file.
        jobs: that are queued.
        kills: how often the service is killed on the way.
    """
    first: dict[str, Any] = {}
    changed = 0
    ids: list[str] = []
    for life in range(kills + 1):
        with service(folder, "--max-jobs", str(jobs), "--max-jobs-per-key", str(jobs)) as running:
            if not ids:
                ids = [running.ask("POST", f"/v1/timeline?name={n}", recording)[2]["id"] for n in range(jobs)]
            goal = jobs if life == kills else jobs * (life + 1) // (kills + 2)
            until_s = time.monotonic() + WAIT_S
            while True:
                now = {one: running.ask("GET", f"/v1/jobs/{one}")[2] for one in ids}
                ended = {one: job for one, job in now.items() if job.get("state") in ("done", "failed")}
                if len(ended) >= goal or time.monotonic() > until_s:
                    break
                time.sleep(0.05)
            changed += sum(ended.get(one) != job for one, job in first.items())
            first = {**ended, **first}
            if life < kills:
                running.kill()
            else:
                timelines = {str(running.ask("GET", f"/v1/jobs/{one}/timeline")[2]["segments"]) for one in ids}
    return {
        "jobs": jobs,
        "kills": kills,
        "done": sum(job["state"] == "done" for job in first.values()),
        "failed": sum(job["state"] == "failed" for job in first.values()),
        "finished_again": changed,
        "different_timelines": len(timelines),
        "uploads_left": len(list((folder / "spool").iterdir())),
    }
