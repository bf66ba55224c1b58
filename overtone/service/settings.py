"""What the service may take on, and how long it may take; every limit that `overtone serve` has."""

import os
from pathlib import Path
from typing import NamedTuple

from overtone._internal.cpu_count import cpu_count

MB = 1_000_000


def state_folder() -> Path:
    """Where jobs are kept if nobody says otherwise.

    Source: XDG Base Directory Specification.
    """
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "overtone"


class Settings(NamedTuple):
    """How the service is set up.

    Attributes:
        folder: of the store and of uploads that wait for their turn; this service's alone.
        model: path of a model file; "" for the one that comes with the package.
        uncertain_below: as in `overtone.inference.recogniser.load`.
        workers: processes that recognise.
        timeline_workers: processes that work on jobs, behind the others.
        stream_workers: processes that hear streams; started with the first one.
        waiting: clips that may wait for a worker.
        uploads: requests whose body may be on its way at the same time.
        clip_bytes: of the body of a request to recognise.
        clip_s: of sound in a clip.
        clip_time_s: that a worker may take for a clip.
        files: in a request.
        recording_bytes: of the body of a request for a timeline.
        recording_s: of sound in a recording, and in a stream.
        recording_time_s: that a worker may take for a recording.
        upload_time_s: that a body may take to arrive.
        jobs: that may wait.
        jobs_of_one: that may wait of one API key.
        streams: at the same time.
        connections: at the same time.
        head_s: that a connection may take to say what it wants.
        stream_idle_s: that a stream may be silent on the wire, and a client may read nothing of its answer.
        keep_s: how long a finished job and the first answer to an idempotency key are kept.
        grace_s: how long work that was taken may go on once the service is told to end.
    """

    folder: Path
    model: str = ""
    uncertain_below: float | None = None
    workers: int = cpu_count()
    timeline_workers: int = 1
    stream_workers: int = 1
    waiting: int = 32
    uploads: int = 64
    clip_bytes: int = 32 * MB
    clip_s: float = 120.0
    clip_time_s: float = 20.0
    files: int = 16
    recording_bytes: int = 1000 * MB
    recording_s: float = 4 * 3600.0
    recording_time_s: float = 3600.0
    upload_time_s: float = 300.0
    jobs: int = 1000
    jobs_of_one: int = 500
    streams: int = 64
    connections: int = 512
    head_s: float = 10.0
    stream_idle_s: float = 30.0
    keep_s: float = 24 * 3600.0
    grace_s: float = 30.0
