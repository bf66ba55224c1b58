"""The segments of a timeline as a person corrected them: what `Client.corrections` returns.

`docs/serve.md` describes them.
"""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict


class CorrectedSegment(TypedDict):
    """A segment of a corrected timeline.

    Attributes:
        start_s: its start, in seconds from the start of the recording.
        end_s: its end, after the start and not after the end of the recording.
        model_segment: place, from 0, of the segment of the model that it comes from, which has its prediction.
        decided_by: who decided the emotion.
        emotion: what the person named; None if the prediction is wrong and the emotion unknown. Required if a person
            decided.
        text_from: places of the segments of the model whose words it has; by default those of `model_segment`.
    """

    start_s: float
    end_s: float
    model_segment: int
    decided_by: Literal["model", "person"]
    emotion: NotRequired[str | None]
    text_from: NotRequired[list[int]]


@dataclass(frozen=True)
class Corrections:
    """The corrections of a job.

    Attributes:
        segments: all segments of the corrected timeline, as the service has them; empty if nothing is corrected.
        etag: the entity tag of these corrections, for `Client.set_corrections`.
    """

    segments: list[CorrectedSegment]
    etag: str
