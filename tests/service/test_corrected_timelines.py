"""Corrections of a timeline without a service: what bounds them."""

from dataclasses import replace

import pytest
from timelines import plain_timeline

from overtone.errors import InputError
from overtone.service import corrected_timelines
from overtone.service.corrected_timelines import correct


def test_the_words_of_a_segment_cannot_be_repeated_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = plain_timeline()
    first, happy, *others = plain.segments
    timeline = replace(plain, segments=(first, replace(happy, text="word " * 20), *others))
    row = {"start_s": 1.0, "end_s": 3.25, "model_segment": 1, "decided_by": "model"}
    monkeypatch.setattr(corrected_timelines, "MAX_TEXT_LENGTH", 300)
    found = correct(timeline, {"segments": [{**row, "text_from": [1] * 3}]})
    assert len(found.segments[1].text) == 3 * 100 + 2
    rows = [{**row, "end_s": 2.0, "text_from": [1] * 3}, {**row, "start_s": 2.0}]
    with pytest.raises(InputError, match=r"segment 2: .*300"):
        correct(timeline, {"segments": rows})
