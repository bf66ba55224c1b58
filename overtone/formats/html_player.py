"""A timeline as one HTML page that plays the sound: nothing is loaded from elsewhere, and no script but ours runs.

The page holds the timeline as JSON, the sound as Ogg Vorbis, the looks (`page.css`, and `look.css`, which the page of
the service shares) and the scripts that draw and play (`page_drawing.js`, `page_player.js`). The sound of a recording
of more than two hours would make it too heavy to open; such a page plays the file beside it, as does one written
without sound. Names are escaped here, in the HTML and in the JSON; the scripts only ever set text.
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

from overtone.formats.annotation_tiers import branch_labels, format_clock, label_with_confidence, tiers
from overtone.formats.ogg import encode_ogg
from overtone.formats.palette import colour_of, ink_on
from overtone.formats.table import printable
from overtone.timeline import Segment, SpeakerSummary, Timeline

SUFFIX = ".html"
LONGEST_INSIDE_S = 2 * 3600  # about 35 MB of page


def write(timeline: Timeline, stream: TextIO, sound: Iterable[np.ndarray] | None = None) -> None:
    """Writes the page.

    Args:
        timeline: to show.
        stream: where to.
        sound: its consecutive float32 blocks `(samples,)`, mono at 16 kHz, to be put inside; None to play the file that
            lies beside the page under the name of the source. A recording of more than two hours is always played so.
    """
    inside = sound is not None and timeline.duration_s <= LONGEST_INSIDE_S
    name = Path(timeline.source).name
    title = html.escape(printable(name)) or "recording"
    data = json.dumps(_data(timeline, "" if inside else printable(name)), allow_nan=False, separators=(",", ":"))
    data = data.replace("<", r"\u003c")  # a script ends at the first "</script", whatever language it is in
    style, script = _part("look.css") + _part("page.css"), scripts()
    stream.write(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}: emotions over time</title>\n<link rel="icon" href="data:,">\n'
        f"<style>\n{style}{_emotion_style(timeline)}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{title}</h1>\n<p class="about">{_about(timeline)}</p>\n{CONTROLS}'
        f"{_speakers(timeline)}{_segments(timeline)}</main>\n"
        f'<audio preload="auto"{"" if inside else _beside(name)}></audio>\n'
        f'<script type="application/json" id="data">{data}</script>\n'
    )
    if sound is not None and inside:
        stream.write(
            f'<script type="text/plain" id="sound">{base64.b64encode(encode_ogg(sound)).decode("ascii")}</script>\n'
        )
    stream.write(f"<script>{script}</script>\n</body>\n</html>\n")


CONTROLS = """<div id="bar">
<button id="play" type="button" aria-label="Play">▶</button>
<span id="clock">0:00</span>
<span id="now"></span>
<span id="zoom"><button id="wider" type="button" aria-label="Show more of the recording">−</button>
<button id="closer" type="button" aria-label="Show it closer">+</button></span>
</div>
<p id="message" role="alert"></p>
<canvas id="overview" aria-hidden="true" hidden></canvas>
<div id="stage" role="slider" tabindex="0" aria-label="Position in the recording" aria-valuemin="0" aria-valuenow="0">
<canvas aria-hidden="true"></canvas><div id="cursor"></div><div id="tip" hidden></div>
</div>
<noscript><p>Scripts are switched off: curves and sound need them. The segments are listed below.</p></noscript>
<p class="help">Click or drag to listen from there; point to see the probabilities. <kbd>space</kbd> plays and pauses,
<kbd>←</kbd> <kbd>→</kbd> wind by a second, <kbd>+</kbd> <kbd>−</kbd> show it closer and from further away. Hatched is
what is uncertain; where ≠ stands, the branches of the model, one on the mel picture and one on prosody, hear different
emotions.</p>
"""


def scripts() -> str:
    """What draws and plays, as it stands in every page."""
    return _part("page_drawing.js") + "\n" + _part("page_player.js")


def script_digest(script: str) -> str:
    """What a Content-Security-Policy calls a script that it allows: `'sha256-...'`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"


def _part(name: str) -> str:
    return files("overtone.formats").joinpath(name).read_text("utf-8")


def _policy(script: str) -> str:
    """Only our script by its hash, only styles of the page itself, only sound that lies inside or beside."""
    return (
        f"default-src 'none'; script-src {script_digest(script)}; style-src 'unsafe-inline'; "
        "img-src data:; media-src 'self' blob: file:"
    )


def _beside(name: str) -> str:
    return f' src="./{quote(os.fsencode(name))}"' if name else ""


def _data(timeline: Timeline, beside: str) -> dict[str, Any]:
    """What the script draws: shares in whole per cent, null for what is not known."""
    curves = timeline.tracks
    percents = np.round(100 * curves.probabilities).T
    envelope = 10 ** (curves.loudness_db / 20)
    return {
        "beside": beside,
        "duration_s": timeline.duration_s,
        "step_s": curves.step_s,
        "emotions": [
            {
                "name": printable(name),
                "colour": colour_of(name),
                "ink": ink_on(colour_of(name)),
                "percent": _known(track),
            }
            for name, track in zip(timeline.emotions, percents, strict=True)
        ],
        "tiers": [tier.name for tier in tiers(timeline)],
        "segments": [
            {
                "start": part.start_s,
                "end": part.end_s,
                "tier": row,
                "speaker": printable(part.speaker),
                "words": label_with_confidence(part),
                "emotion": _place(part, timeline),
                "uncertain": _uncertain(part),
                "branches": branch_labels(part),
                "apart": _apart(part),
            }
            for row, part in _placed(timeline)
        ],
        "envelope": np.round(envelope / max(envelope.max(initial=0), 1e-9), 3).tolist(),
        "pitch_hz": _known(np.where(curves.pitch_hz > 0, np.round(curves.pitch_hz), np.nan)),
        "loudness_db": _known(np.round(curves.loudness_db)),
    }


def _placed(timeline: Timeline) -> list[tuple[int, Segment]]:
    """Every segment to show with the number of its tier, in order of their beginning."""
    placed = [(row, part) for row, tier in enumerate(tiers(timeline)) for part in tier.segments]
    return sorted(placed, key=lambda one: one[1].start_s)


def _place(segment: Segment, timeline: Timeline) -> int | None:
    return timeline.emotions.index(segment.prediction.emotion) if segment.prediction else None


def _uncertain(segment: Segment) -> bool:
    return segment.prediction is not None and segment.prediction.uncertain


def _apart(segment: Segment) -> bool:
    return segment.prediction is not None and not segment.prediction.branches_agree


def _known(track: np.ndarray) -> list[int | None]:
    return [None if np.isnan(value) else int(value) for value in track.tolist()]


def _emotion_style(timeline: Timeline) -> str:
    """A class per emotion: `e0`, `e1`, ..."""
    return "".join(
        f".e{place} {{ background-color: {colour_of(name)}; --hatch: {ink_on(colour_of(name))}; }}\n"
        for place, name in enumerate(timeline.emotions)
    )


def _about(timeline: Timeline) -> str:
    speech_s = sum(one.speech_s for one in timeline.speakers)
    model = html.escape(printable(timeline.model))
    told = f"{format_clock(timeline.duration_s)} · speech {format_clock(speech_s)} · heard by {model}"
    apart, heard = sum(map(_apart, timeline.segments)), sum(part.is_speech for part in timeline.segments)
    return f"{told} · its branches disagree on {apart} of {heard} segments" if apart else told


def _speakers(timeline: Timeline) -> str:
    """Who speaks how long, and with which emotions; nothing where nobody does."""
    rows = [_speaker(one, timeline.emotions) for one in timeline.speakers if one.speech_s]
    head = "<tr><th>speaker</th><th>speech</th><th>emotions, by share of that time</th></tr>"
    table = f"<table>\n<thead>{head}</thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>\n"
    return f"<h2>Speakers</h2>\n{table}" if rows else ""


def _speaker(summary: SpeakerSummary, emotions: tuple[str, ...]) -> str:
    shares = sorted(((share, name) for name, share in summary.shares.items() if share), reverse=True)
    listed = " ".join(
        f'<span class="share"><span class="swatch e{emotions.index(name)}"></span> '
        f"{html.escape(printable(name))} {100 * share:.0f} %</span>"
        for share, name in shares
    )
    name = html.escape(printable(summary.speaker)) or "(not known)"
    return f"<tr><td>{name}</td><td>{format_clock(summary.speech_s)}</td><td>{listed}</td></tr>\n"


def _segments(timeline: Timeline) -> str:
    """A button per segment: the whole timeline as text, for those who do not see the picture or have no scripts."""
    items = "".join(_item(part, _place(part, timeline)) for _, part in _placed(timeline))
    return f'<h2>Segments</h2>\n<ol id="segments">\n{items or "<li>Nothing is said.</li>"}</ol>\n'


def _item(segment: Segment, place: int | None) -> str:
    look = "swatch" + ("" if place is None else f" e{place}") + (" uncertain" if _uncertain(segment) else "")
    who = f'<span class="who">{html.escape(printable(segment.speaker))}</span>' if segment.speaker else ""
    said = html.escape(branch_labels(segment))
    branches = f'<span class="branches">{said}</span>' if said else ""
    return (
        f'<li><button type="button"><span class="time">{format_clock(segment.start_s, 1)} – {format_clock(segment.end_s, 1)}</span>'
        f'<span class="word"><span class="{look}"></span> {html.escape(label_with_confidence(segment))}</span>{who}{branches}'
        "</button></li>\n"
    )
