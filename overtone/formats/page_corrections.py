"""What the page of a timeline needs so that a person can correct the segments, and save the corrected timeline."""

import base64
import hashlib
import io
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from overtone.formats import timeline_json
from overtone.formats.annotation_tiers import make_tiers
from overtone.formats.palette import emotion_colours, text_colour
from overtone.timeline import Timeline

SPARE_COLOURS = 12  # for labels that are no classes of the model; further ones get the same colours again
COMPRESSION_LEVEL = 6


def correction_data(timeline: Timeline) -> dict[str, Any]:
    """Return a part of the data of the page, as JSON values.

    `values` are the labels as files have them, `indices` the place of each visible segment among all segments.
    """
    own = tuple(f"\0{number}" for number in range(SPARE_COLOURS))  # no label is called so
    colours = emotion_colours((*timeline.labels, *own))
    places = {id(segment): place for place, segment in enumerate(timeline.segments)}
    visible = sorted((part for tier in make_tiers(timeline) for part in tier.segments), key=lambda part: part.start_s)
    return {
        "values": timeline.labels,
        "spare_colours": [{"colour": colours[name], "ink": text_colour(colours[name])} for name in own],
        "indices": [places[id(segment)] for segment in visible],
    }


def timeline_script(timeline: Timeline) -> str:
    """Return the element with the JSON of the timeline, compressed by zlib, as base64, and its fingerprint.

    Of the source, the JSON contains the file name only.
    """
    stream = io.StringIO(newline="")
    timeline_json.write(replace(timeline, source=Path(timeline.source).name), stream)
    content = stream.getvalue().encode("utf-8")  # the JSON is ASCII
    fingerprint = hashlib.sha256(content).hexdigest()[:32]
    encoded = base64.b64encode(zlib.compress(content, COMPRESSION_LEVEL)).decode("ascii")
    return f'<script type="text/plain" id="timeline" data-fingerprint="{fingerprint}">{encoded}</script>\n'
