"""Explanations in words, and in every format."""

import io
import json
import re
from dataclasses import replace

import html5lib
import numpy as np
import pytest

from overtone.datatypes import Prediction
from overtone.errors import InputError
from overtone.explanation import (
    AGAINST,
    FOR,
    LITTLE,
    UNCLEAR,
    BandContribution,
    Explanation,
    PropertyContribution,
    SpanContribution,
)
from overtone.formats import EXPLANATION_FORMATS
from overtone.formats.explanation_json import to_object
from overtone.formats.explanation_words import NO_SPEECH, describe, format_frequencies

EMOTIONS = ("neutral", "happy", "sad")
BASE = 0.62


def odds(value: float, probability: float = BASE) -> float:
    """Return the probability when the log-odds are lower by this value."""
    logit = np.log(probability / (1 - probability)) - value
    return float(1 / (1 + np.exp(-logit)))


def part(value: float, spread: float = 0.05) -> dict[str, float]:
    return {"value": value, "low": value - spread, "high": value + spread, "probability": odds(value)}


def explanation(**changes) -> Explanation:
    prediction = Prediction(
        EMOTIONS, np.array([0.3, BASE, 0.08]), duration_s=1.2, source="clip.wav", model="tiny-1", speech_s=1.0
    )
    values = [0.0, 0.1, 0.9, 0.8, -0.4, 0.0]
    spans = [SpanContribution(**part(value), start_s=0.2 * k, end_s=0.2 * (k + 1)) for k, value in enumerate(values)]
    edges = (60, 400, 920, 2320, 8000)
    bands = [
        BandContribution(**part(value), low_hz=low, high_hz=high)
        for value, low, high in zip((0.7, 0.0, 0.0, 0.1), edges, edges[1:], strict=False)
    ]
    properties = [
        PropertyContribution(**part(1.3), name="pitch", artefact=0.2),
        PropertyContribution(**part(-0.5), name="loudness"),
        PropertyContribution(**part(0.05), name="tempo"),
        PropertyContribution(**part(0.6, spread=0.9), name="voice quality"),
    ]
    made = Explanation(
        "happy", BASE, prediction, 0.0, 1.2, tuple(spans), tuple(bands), tuple(properties), np.zeros((6, 4)), 40
    )
    return replace(made, **changes)


def written(format_name: str, *explanations: Explanation) -> str:
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, "utf-8", newline="")
    EXPLANATION_FORMATS[format_name].write(iter(explanations), stream)
    stream.flush()
    return content.getvalue().decode("latin-1" if format_name == "png" else "utf-8")


def test_verdicts() -> None:
    rows = explanation().properties
    assert [row.verdict(BASE) for row in rows] == [FOR, AGAINST, LITTLE, UNCLEAR]
    artificial = replace(rows[0], artefact=2.0)
    assert (artificial.is_reliable, artificial.verdict(BASE)) == (False, UNCLEAR)


def test_words_name_times_frequencies_and_changes() -> None:
    text = " ".join(describe(explanation()))
    assert "0.4 to 0.8 s" in text
    assert "0.8 to 1.0 s" in text
    assert "below 400 Hz" in text
    percents = re.findall(r"from (\d+) to (\d+) %", text)
    assert percents == [("62", f"{100 * odds(1.3):.0f}"), ("62", f"{100 * odds(-0.5):.0f}")]
    sentences = describe(explanation())
    (pitch,) = [sentence for sentence in sentences if "pitch" in sentence]
    (loudness,) = [sentence for sentence in sentences if "loudness" in sentence]
    assert ("lowers" in pitch, "raises" in loudness) == (True, True)
    assert [("tempo" in line.lower(), "voice quality" in line.lower()) for line in sentences[-2:]] == [
        (True, False),
        (False, True),
    ]


def test_words_say_what_is_not_certain_or_not_measured() -> None:
    calm = explanation()
    weak = tuple(replace(span, **part(0.01)) for span in calm.spans)
    assert describe(replace(calm, spans=weak))[0] != describe(calm)[0]
    assert "0.4" not in describe(replace(calm, spans=weak))[0]
    uncertain = replace(calm, prediction=replace(calm.prediction, uncertain_below=0.9))
    assert len(describe(uncertain)) == len(describe(calm)) + 1
    other = replace(calm, emotion="sad", probability=0.08)
    assert "happy" in describe(other)[0]
    assert "tempo" in describe(replace(calm, properties=calm.properties[:2]))[-1]
    assert describe(replace(calm, spans=(), bands=(), properties=())) == [NO_SPEECH]


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "text"),
    [(60, 200, "below 200 Hz"), (400, 920, "400 to 920 Hz"), (6400, 8000, "above 6400 Hz")],
)
def test_ranges_of_frequencies(low_hz: float, high_hz: float, text: str) -> None:
    assert format_frequencies(low_hz, high_hz) == text


def test_text_has_a_bar_on_the_right_side() -> None:
    lines = written("text", explanation(), replace(explanation(), spans=(), bands=(), properties=())).splitlines()
    (strongest,) = [line for line in lines if line.startswith("  0.4 to 0.6 s")]
    (against,) = [line for line in lines if line.startswith("  0.8 to 1.0 s")]
    assert re.search(r"│█{14} \+0\.90$", strongest)
    assert re.search(r" █{6}│ +-0\.40$", against)
    assert next(line for line in lines if line.startswith("  voice quality")).endswith("?")
    assert sum(line.startswith("clip.wav: ") for line in lines) == 2


def test_json_can_be_read_back() -> None:
    made = explanation()
    (values,) = json.loads(written("json", made))
    assert values == to_object(made)
    again = Explanation.from_values(values, made.prediction)
    assert to_object(again) == values
    assert [row.name for row in again.properties] == [row.name for row in made.properties]
    empty = replace(made, spans=(), bands=(), properties=(), levels_db=np.zeros((0, 0)))
    assert Explanation.from_values(to_object(empty), made.prediction).spans == ()


def test_the_page_has_no_script_and_names_do_not_run() -> None:
    bad = "<script>alert(1)</script>.wav"
    prediction = Prediction(("<b>x", "happy"), np.array([0.2, 0.8]), source=bad, speech_s=1.0)
    page = written("html", replace(explanation(), prediction=prediction), replace(explanation(), emotion="sad"))
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(page)
    assert not tree.findall(".//script")
    assert len(tree.findall(".//table")) == 6
    assert "default-src 'none'" in page
    assert bad in "".join(tree.find(".//h2").itertext())


def test_pictures() -> None:
    pytest.importorskip("matplotlib")
    assert written("png", explanation()).startswith("\x89PNG")
    svg = written("svg", replace(explanation(), prediction=replace(explanation().prediction, source="$a$ <b>.wav")))
    for text in ("0.4 to 0.8 s", "voice quality", "$a$ &lt;b&gt;.wav"):
        assert text in svg
    with pytest.raises(InputError, match=r"clip\.wav"):
        written("png", replace(explanation(), spans=(), bands=(), properties=()))
