"""A timeline as one HTML page that plays the audio: it loads nothing from elsewhere, and no other script can run.

The page contains the timeline as JSON, the audio as Ogg Vorbis, the styles (`page.css`, and `look.css`, which the web
page of the service shares) and the scripts (`SCRIPTS`): they draw, play, and let a person correct the segments. With
more than two hours of audio the page would be too heavy to open; such a page plays the audio file in its own folder, as
does a page written without audio. Names are escaped here, in the HTML and in the JSON; the scripts set text only.
"""

import base64
import hashlib
import html
import json
import os
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.formats.annotation_tiers import (
    ADAPTATION_LABELS,
    branch_labels,
    format_clock,
    is_hatched,
    label_with_confidence,
    lane_emotions,
    make_tiers,
    words,
)
from overtone.formats.ogg import encode_ogg
from overtone.formats.page_corrections import correction_data, timeline_script
from overtone.formats.page_legend import make_legend
from overtone.formats.page_speakers import (
    branches_disagree,
    disagreements_text,
    speaker_section,
    speakers_data,
    spoken_text,
)
from overtone.formats.palette import emotion_colours, text_colour
from overtone.formats.peaks import StepPeaks
from overtone.formats.table import printable
from overtone.timeline import NOT_ADAPTED, ChannelTracks, Segment, Timeline

SCRIPTS = (  # in the order in which they need each other
    *("page_axes.js", "page_waveform.js", "page_drawing.js", "page_player.js", "page_list.js", "page_keys.js"),
    *("page_editing.js", "page_saving.js", "page_speakers.js", "page_corrections.js"),
)
STYLES = ("look.css", "page.css", "page_corrections.css")
MAX_EMBEDDED_S = 2 * 3600  # about 35 MB of page


def write(timeline: Timeline, stream: TextIO, audio: Iterable[np.ndarray] | None = None) -> None:
    """Write the page.

    Args:
        timeline: to show.
        stream: the output.
        audio: consecutive float32 blocks `(samples,)` to embed, mono, 16 kHz; None to play the file in the folder of
            the page that has the name of the source. Audio longer than `MAX_EMBEDDED_S` is never embedded.
    """
    embedded, peaks = None if timeline.duration_s > MAX_EMBEDDED_S else audio, None
    if embedded is not None:
        peaks = StepPeaks(round(timeline.tracks.step_s * SAMPLE_RATE_HZ))
        encoded = base64.b64encode(encode_ogg(peaks.measure(embedded))).decode("ascii")
    name = Path(timeline.source).name
    title = html.escape(printable(name)) or "recording"
    audio_file = printable(name) if embedded is None else ""
    data = json.dumps(_page_data(timeline, audio_file, peaks), allow_nan=False, separators=(",", ":"))
    data = data.replace("<", r"\u003c")  # "</script" ends a script element of any type
    style, script = "".join(map(_resource, STYLES)), page_script()
    stream.write(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_content_security_policy(script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}: emotions over time</title>\n<link rel="icon" href="data:,">\n'
        f"<style>\n{style}{_emotion_styles(timeline)}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{title}</h1>\n<p class="about">{_summary(timeline)}</p>\n{CONTROLS}{HELP}{make_legend(timeline)}'
        f"{speaker_section(timeline)}{_segment_list(timeline)}</main>\n"
        f'<audio preload="auto"{_src_attribute(name) if embedded is None else ""}></audio>\n'
        f'<script type="application/json" id="data">{data}</script>\n'
        f"{timeline_script(timeline)}"
    )
    if embedded is not None:
        stream.write(f'<script type="text/plain" id="audio-data">{encoded}</script>\n')
    stream.write(f"<script>{script}</script>\n</body>\n</html>\n")


CONTROLS = """<div id="bar">
<button id="play" type="button" aria-label="Play">▶</button>
<span id="clock">0:00</span>
<span id="now"></span>
<span id="zoom"><button id="zoom-out" type="button" aria-label="Zoom out">−</button>
<button id="zoom-in" type="button" aria-label="Zoom in">+</button></span>
</div>
<p id="message" role="alert"></p>
<canvas id="overview" aria-hidden="true" hidden></canvas>
<div id="stage" role="slider" tabindex="0" aria-label="Position in the recording" aria-valuemin="0" aria-valuenow="0">
<canvas aria-hidden="true"></canvas><div id="cursor"></div><div id="tip" hidden></div>
</div>
<noscript><p>Scripts are disabled: tracks and playback need them. The segments are listed below.</p></noscript>
"""
HELP = """<p class="help">Click or drag to play from a position; hover to see the probabilities. <kbd>space</kbd> plays
and pauses, <kbd>←</kbd> <kbd>→</kbd> seek by one second, <kbd>+</kbd> <kbd>−</kbd> zoom. Hatched segments are
uncertain.</p>
"""


def page_script() -> str:
    """Return the JavaScript of the page, which is the same in every page."""
    return "\n".join(map(_resource, SCRIPTS))


def script_digest(script: str) -> str:
    """Return the source expression that allows a script in a Content-Security-Policy: `'sha256-...'`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"


def _resource(name: str) -> str:
    return files("overtone.formats").joinpath(name).read_text("utf-8")


def _content_security_policy(script: str) -> str:
    """Allow this script by its hash, styles of the page itself, and audio that is embedded or in the same folder."""
    return (
        f"default-src 'none'; script-src {script_digest(script)}; style-src 'unsafe-inline'; "
        "img-src data:; media-src 'self' blob: file:"
    )


def _src_attribute(name: str) -> str:
    return f' src="./{quote(os.fsencode(name))}"' if name else ""


def _page_data(timeline: Timeline, audio_file: str, peaks: StepPeaks | None) -> dict[str, Any]:
    """Return the data that the scripts draw."""
    colours = emotion_colours(timeline.labels)
    loudest_db = max(channel.tracks.loudness_db.max(initial=-np.inf) for channel in timeline.tracks_by_speaker)
    tracks = [_tracks_data(channel, timeline, loudest_db) for channel in timeline.tracks_by_speaker]
    if peaks is not None and len(tracks) == 1:
        tracks[0]["envelope"] = np.round(peaks.relative(len(timeline.tracks)), 3).tolist()
    return {
        "audio_file": audio_file,
        "peak": None if peaks is None else peaks.highest,
        "duration_s": timeline.duration_s,
        "step_s": timeline.tracks.step_s,
        "emotions": [{"name": printable(name), **_style(colours[name])} for name in timeline.labels],
        **correction_data(timeline),
        **speakers_data(timeline, [segment for _, segment in _visible_rows(timeline)]),
        "tiers": [tier.name for tier in make_tiers(timeline)],
        "segments": [_segment_data(segment, row, timeline) for row, segment in _visible_rows(timeline)],
        "tracks": tracks,
    }


def _tracks_data(channel: ChannelTracks, timeline: Timeline, loudest_db: float) -> dict[str, Any]:
    """Return the tracks of a speaker: probabilities, arousal and valence in whole per cent, null if missing.

    The probabilities of an emotion without a lane are null. The envelope is that of the loudness, 1 at `loudest_db`.
    """
    tracks, lanes = channel.tracks, lane_emotions(timeline)
    percents = np.round(100 * tracks.probabilities).T
    return {
        "speaker": printable(channel.speaker),
        "percents": [
            _to_integers(percent) if name in lanes else None
            for name, percent in zip(timeline.emotions, percents, strict=True)
        ],
        "envelope": np.round(10 ** ((tracks.loudness_db - loudest_db) / 20), 3).tolist(),
        "pitch_hz": _to_integers(np.where(tracks.pitch_hz > 0, np.round(tracks.pitch_hz), np.nan)),
        "loudness_db": _to_integers(np.round(tracks.loudness_db)),
        "arousal": _to_integers(np.round(100 * tracks.arousal)),
        "valence": _to_integers(np.round(100 * tracks.valence)),
    }


def _segment_data(segment: Segment, row: int, timeline: Timeline) -> dict[str, Any]:
    return {
        "start": segment.start_s,
        "end": segment.end_s,
        "tier": row,
        "tracks": _tracks_index(segment, timeline),
        "speaker": printable(segment.speaker),
        "label": label_with_confidence(segment),
        "emotion": _emotion_index(segment, timeline),
        "uncertain": is_hatched(segment),
        "text": words(segment),
        "branches": branch_labels(segment),
        "branches_disagree": branches_disagree(segment),
        "decided_by": segment.decided_by,
        "model_emotion": printable(segment.model_emotion),
    }


def _style(colour: str) -> dict[str, str]:
    return {"colour": colour, "ink": text_colour(colour)}


def _visible_rows(timeline: Timeline) -> list[tuple[int, Segment]]:
    """Return the visible segments, each with the number of its tier, in order of their start."""
    rows = [(row, segment) for row, tier in enumerate(make_tiers(timeline)) for segment in tier.segments]
    return sorted(rows, key=lambda item: item[1].start_s)


def _tracks_index(segment: Segment, timeline: Timeline) -> int:
    """Return the number of the tracks that a segment belongs to: those of its channel, else those of the recording."""
    return [channel.speaker for channel in timeline.channels].index(segment.speaker) if timeline.channels else 0


def _emotion_index(segment: Segment, timeline: Timeline) -> int | None:
    return timeline.labels.index(segment.emotion) if segment.emotion else None


def _to_integers(track: np.ndarray) -> list[int | None]:
    return [None if np.isnan(value) else int(value) for value in track.tolist()]


def _emotion_styles(timeline: Timeline) -> str:
    """Return a CSS class per emotion: `e0`, `e1`, ..."""
    colours = emotion_colours(timeline.labels).values()
    return "".join(
        f".e{index} {{ background-color: {colour}; --hatch: {text_colour(colour)}; }}\n"
        for index, colour in enumerate(colours)
    )


def _summary(timeline: Timeline) -> str:
    model = html.escape(printable(timeline.model))
    text = f"{format_clock(timeline.duration_s)} · {spoken_text(timeline)} · model {model}"
    text += f" · {ADAPTATION_LABELS[timeline.adaptation]}" if timeline.adaptation != NOT_ADAPTED else ""
    return text + disagreements_text(timeline)


def _segment_list(timeline: Timeline) -> str:
    """Return a button per segment: the whole timeline as text, for screen readers and without scripts."""
    items = "".join(_segment_item(segment, _emotion_index(segment, timeline)) for _, segment in _visible_rows(timeline))
    return f'<h2>Segments</h2>\n<ol id="segments">\n{items or "<li>No speech.</li>"}</ol>\n'


def _segment_item(segment: Segment, emotion: int | None) -> str:
    swatch = "swatch" + ("" if emotion is None else f" e{emotion}") + (" uncertain" if is_hatched(segment) else "")
    speaker = f'<span class="speaker">{html.escape(printable(segment.speaker))}</span>' if segment.speaker else ""
    text = f'<span class="text" dir="auto">{html.escape(words(segment))}</span>' if segment.text else ""
    branches = html.escape(branch_labels(segment))
    branches = f'<span class="branches">{branches}</span>' if branches else ""
    time = f"{format_clock(segment.start_s, 1)} – {format_clock(segment.end_s, 1)}"
    return (
        f'<li><button type="button"><span class="time">{time}</span>'
        f'<span class="label"><span class="{swatch}"></span> {html.escape(label_with_confidence(segment))}</span>'
        f"{speaker}{branches}{text}</button></li>\n"
    )
