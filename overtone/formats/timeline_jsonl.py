"""A timeline as JSON Lines: one object per segment, with the keys of a segment in `overtone.formats.timeline_json`.

{"path": "talk.wav", "model": "overtone-1", "start_s": 0.0, "end_s": 1.2, "speaker": "", "text": "",
 "speech": false, "decided_by": "model"}
{"path": "talk.wav", "model": "overtone-1", "start_s": 1.2, "end_s": 3.9, "speaker": "", "text": "",
 "speech": true, "decided_by": "model", "emotion": "happy", "confidence": 0.81, "uncertain": false, ...}
"""

import json
from typing import TextIO

from overtone.formats.timeline_json import segment_to_object
from overtone.timeline import Timeline


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write one object per segment, each on its own line."""
    recording = {"path": timeline.source, "model": timeline.model}
    for segment in timeline.segments:
        stream.write(json.dumps({**recording, **segment_to_object(segment)}, allow_nan=False) + "\n")
