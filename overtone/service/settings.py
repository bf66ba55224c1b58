"""Settings of the service: its folder, model, workers and limits. `overtone serve` has an option for most of them."""

import os
from pathlib import Path
from typing import NamedTuple

from overtone._internal.cpu_count import cpu_count

MB = 1_000_000


def state_folder() -> Path:
    """Return the default folder of jobs and uploads: `$XDG_STATE_HOME/overtone` or `~/.local/state/overtone`.

    Source: XDG Base Directory Specification.
    """
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "overtone"


class Settings(NamedTuple):
    """Settings of one service.

    Attributes:
        folder: folder of the job store and of the uploads; no other service may use it.
        model: path of a model file, or name of a bundled model; "" for the default one.
        uncertain_below: confidence threshold, as in `overtone.inference.recogniser.load`.
        emotions, branches: classes and branches of predictions, likewise; None for all.
        workers: worker processes for clips.
        timeline_workers: worker processes for jobs, of lower CPU priority.
        stream_workers: worker processes for streams; the first stream starts them.
        max_queue: clips that may wait for a worker.
        max_uploads: request bodies that may be received at the same time.
        max_clip_bytes: size of the body of a request to recognise.
        max_clip_s: duration of a clip in seconds.
        clip_timeout_s: time that a worker may take for a clip.
        max_files: files in one request.
        max_reference_files: reference clips in one request.
        max_recording_bytes: size of the body of a request for a timeline.
        max_recording_s: duration of a recording or of a stream in seconds.
        recording_timeout_s: time that a worker may take for a recording.
        upload_timeout_s: time that a request body may take to arrive.
        max_jobs: queued jobs.
        max_jobs_per_key: queued jobs of one API key.
        max_streams: open streams.
        max_connections: open connections.
        header_timeout_s: time that a connection may take to send the headers of a request.
        stream_idle_timeout_s: time without a message from the client of a stream, or without it reading a response.
        keep_s: time that finished jobs and the responses to idempotency keys are stored.
        shutdown_grace_s: time that accepted work may take after the service was asked to stop.
    """

    folder: Path
    model: str = ""
    uncertain_below: float | None = None
    emotions: tuple[str, ...] | None = None
    branches: tuple[str, ...] | None = None
    workers: int = cpu_count()
    timeline_workers: int = 1
    stream_workers: int = 1
    max_queue: int = 32
    max_uploads: int = 64
    max_clip_bytes: int = 32 * MB
    max_clip_s: float = 120.0
    clip_timeout_s: float = 20.0
    max_files: int = 16
    max_reference_files: int = 50
    max_recording_bytes: int = 1000 * MB
    max_recording_s: float = 4 * 3600.0
    recording_timeout_s: float = 3600.0
    upload_timeout_s: float = 300.0
    max_jobs: int = 1000
    max_jobs_per_key: int = 500
    max_streams: int = 64
    max_connections: int = 512
    header_timeout_s: float = 10.0
    stream_idle_timeout_s: float = 30.0
    keep_s: float = 24 * 3600.0
    shutdown_grace_s: float = 30.0
