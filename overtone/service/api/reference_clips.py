"""The files `reference` of a request to recognise -> the statistics that its other files are adapted to."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from overtone.inference.speaker_statistics import RunningStatistics
from overtone.service.api.errors import ApiError
from overtone.service.api.multipart import Upload
from overtone.service.api.state import MAX_CLIP_WAIT_S, AppState, run_for_each, run_task
from overtone.service.ipc import Message

FIELD = "reference"


async def measure_reference_clips(
    state: AppState, uploads: Sequence[Upload], channel: str
) -> tuple[Message, list[dict[str, Any]]]:
    """Return the statistics of reference clips.

    Args:
        state: the state of the app.
        uploads: the reference clips.
        channel: of the clips.

    Returns:
        Parameters of the task "recognise", none without clips; and an object for each clip that cannot be recognised.

    Raises:
        ApiError: the model cannot adapt, no clip can be recognised, or the service is overloaded.
    """
    if not uploads:
        return {}, []
    if not state.backend.card.get("can_adapt"):
        reason = "the model has no speaker adapter, or not all of its branches are in use"
        raise ApiError("invalid_parameter", f"{FIELD}: {reason}; send the files without it")

    async def measure(upload: Upload) -> bytes:
        settings = state.backend.settings
        task = {"task": "speaker_features", "name": upload.name, "max_duration_s": settings.max_clip_s}
        task |= {"channel": channel}
        _, features = await run_task(
            state.backend.pool, task, upload.content, timeout_s=settings.clip_timeout_s, max_wait_s=MAX_CLIP_WAIT_S
        )
        return features

    running, failures = RunningStatistics(), []
    for index, result in enumerate(await run_for_each(state, uploads, measure)):
        if isinstance(result, ApiError):
            failures.append(failure(FIELD, index, uploads[index].name, result))
        else:
            running.add(np.frombuffer(result, np.float32))
    if not running.clips:
        raise ApiError(
            "invalid_audio", f"{FIELD}: none of the {len(uploads)} files can be recognised", failures=failures
        )
    statistics = running.statistics()
    return {"moments": statistics.moments.tolist(), "reference_clips": statistics.clips}, failures


def failure(field: str, index: int, path: str, error: ApiError) -> dict[str, Any]:
    """Return the object of a file that failed.

    Args:
        field: name of the form field.
        index: position of the file among those of the field, from 0.
        path: name of the file.
        error: why it failed.
    """
    return {"field": field, "index": index, "path": path, "code": error.code, "message": error.message}
