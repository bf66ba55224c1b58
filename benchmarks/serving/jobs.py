"""Kill the service while jobs are queued, restart it, and check that every job finishes exactly once."""

import time
from pathlib import Path
from typing import Any

from benchmarks.serving.service import Service, service

TIMEOUT_S = 1800.0
POLL_S = 0.05
ENDED = ("done", "failed")

Jobs = dict[str, Any]  # identifier -> the job as the service describes it


def run_jobs_with_kills(folder: Path, recording: bytes, count: int, kills: int) -> dict[str, Any]:
    """Return the number of jobs by outcome.

    Args:
        folder: state folder of the service.
        recording: content of an audio file.
        count: number of jobs that are queued.
        kills: number of times that the service is killed, at equal intervals of progress.
    """
    first_results: Jobs = {}
    finished_twice = 0
    ids: list[str] = []
    for start in range(kills + 1):
        is_last = start == kills
        with service(folder, "--max-jobs", str(count), "--max-jobs-per-key", str(count)) as running:
            if not ids:
                ids = [running.request("POST", f"/v1/timeline?name={n}", recording)[2]["id"] for n in range(count)]
            ended = _wait_for_jobs(running, ids, count if is_last else count * (start + 1) // (kills + 2))
            finished_twice += sum(ended.get(id_) != job for id_, job in first_results.items())
            first_results = {**ended, **first_results}
            if is_last:
                timelines = {str(running.request("GET", f"/v1/jobs/{id_}/timeline")[2]["segments"]) for id_ in ids}
            else:
                running.kill()
    states = [job["state"] for job in first_results.values()]
    return {
        "jobs": count,
        "kills": kills,
        "done": states.count("done"),
        "failed": states.count("failed"),
        "finished_twice": finished_twice,
        "different_timelines": len(timelines),
        "uploads_left": len(list((folder / "spool").iterdir())),
    }


def _wait_for_jobs(running: Service, ids: list[str], goal: int) -> Jobs:
    """Return the jobs that have ended, once `goal` of them have, or after the timeout."""
    end_s = time.monotonic() + TIMEOUT_S
    while True:
        jobs = {id_: running.request("GET", f"/v1/jobs/{id_}")[2] for id_ in ids}
        ended = {id_: job for id_, job in jobs.items() if job.get("state") in ENDED}
        if len(ended) >= goal or time.monotonic() > end_s:
            return ended
        time.sleep(POLL_S)
