"""The rows of the job store: a job, and the stored response to a request."""

from typing import NamedTuple

from overtone.channels import MIX

UNFINISHED = ("queued", "running")
ENDED = ("done", "failed", "cancelled")
STATES = (*UNFINISHED, *ENDED)


class TimelineJob(NamedTuple):
    """A request for the timeline of a recording.

    Attributes:
        id: id given to the client; also the file name of the upload.
        owner: name of the API key; "" without keys.
        name: the client's name of the recording.
        turns_suffix: suffix of the uploaded file of speaker turns; "" without one.
        state: one of `STATES`.
        created_s: time of the request, in seconds since 1970.
        finished_s: time at which it was done, failed or cancelled; None before.
        duration_s: duration of the recording; None until it is done.
        attempts: how often it was started.
        error: why it failed.
        adapt: whether the recording is adapted to itself; SQLite stores it as 0 or 1.
        channel, channel_names: its channels, as in `overtone.each_channel.ChannelChoice`; the names as a JSON list.
    """

    id: str
    owner: str
    name: str
    turns_suffix: str
    state: str
    created_s: float
    finished_s: float | None
    duration_s: float | None
    attempts: int
    error: str
    adapt: bool = True
    channel: str = MIX
    channel_names: str = "[]"


JOB_COLUMNS = ", ".join(TimelineJob._fields)


class StoredResponse(NamedTuple):
    """The response to the first request with an idempotency key.

    Attributes:
        request_digest: digest of that request.
        media_type: of the content; "" if the content is a job id.
        content: the body, or the id of the job that the request created.
    """

    request_digest: str
    media_type: str
    content: bytes
