"""The JSON of a timeline is read back as the same timeline; any other content is an error that names its place."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from timelines import corrected_timeline, every_timeline, plain_timeline

from overtone.agreement import Agreement
from overtone.errors import InputError
from overtone.formats import timeline_csv, timeline_json
from overtone.formats.timeline_reader import parse_timeline, read_timeline
from overtone.timeline import CORRECTED, Timeline


def written(timeline: Timeline, module: Any = timeline_json) -> str:
    stream = io.StringIO(newline="")
    module.write(timeline, stream)
    return stream.getvalue()


@every_timeline
def test_the_same_timeline_is_read_back(timeline: Timeline) -> None:
    again = parse_timeline(written(timeline))
    found, expected = (json.loads(written(each)) for each in (again, timeline))
    for key in expected.keys() - {"tracks", "speakers", "summary", "channels"}:
        assert found[key] == expected[key], key
    summaries = zip([*found["speakers"], found["summary"]], [*expected["speakers"], expected["summary"]], strict=True)
    for one, other in summaries:  # means of probabilities that the JSON rounds
        assert one.pop("probabilities") == pytest.approx(other.pop("probabilities"), abs=2e-6, nan_ok=True)
        assert one == other
    assert written(again, timeline_csv) == written(timeline, timeline_csv)
    pairs = [(again.tracks, timeline.tracks)]
    pairs += [(one.tracks, two.tracks) for one, two in zip(again.channels, timeline.channels, strict=True)]
    for one, other in pairs:
        for name in ("probabilities", "pitch_hz", "loudness_db", "arousal", "valence"):
            values = getattr(other, name)[: len(one)]  # without a step that a rounded duration does not reach
            np.testing.assert_allclose(getattr(one, name), values, atol=0.06 if "_" in name else 2e-3, err_msg=name)


def test_estimates_do_not_survive_corrections() -> None:
    corrected, original = (json.loads(written(each)) for each in (corrected_timeline(), plain_timeline()))
    for document in (corrected, original):
        del document["no_estimates"]  # as the page writes corrections
    assert parse_timeline(json.dumps(corrected)).no_estimates == CORRECTED
    assert parse_timeline(json.dumps(original)).no_estimates == "they were not stored with the timeline"
    again = parse_timeline(json.dumps({**corrected, "no_estimates": ""}))
    assert (again.no_estimates, again.share_estimates) == (CORRECTED, ())


def test_the_agreement_is_read_back() -> None:
    for agreement in (Agreement(4, 3, 0.5), Agreement(2, 2, float("nan"))):
        again = parse_timeline(written(replace(corrected_timeline(), agreement=agreement)))
        assert str(again.agreement) == str(agreement)


def broken(**changes: Any) -> str:
    document = json.loads(written(plain_timeline()))
    segment = changes.pop("segment", {})
    document["segments"][1].update(segment)
    return json.dumps({**document, **changes})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "the key 'emotions'"),
        ('{"emotions": [NaN]}', "not JSON"),
        (broken(segments=None), "segments of the document"),
        (broken(emotions=["a", "a"]), "emotions of the document"),
        (broken(duration_s="6"), "duration_s of the document"),
        (broken(duration_s=10**400), "duration_s of the document"),
        (broken(duration_s=60), "segments covering"),
        (broken(adaptation="x"), "adaptation among"),
        (broken(segment={"end_s": 0.5}), "item 2 of segments"),
        (broken(segment={"end_s": True}), "end_s of item 2 of segments"),
        (broken(segment={"decided_by": "a cat"}), "item 2 of segments"),
        (broken(segment={"decided_by": "person", "emotion": ""}), "emotion of item 2 of segments"),
        (broken(segment={"decided_by": "person", "emotion": "a\x07"}), "emotion of item 2 of segments"),
        (broken(segment={"decided_by": "person", "emotion": 3}), "emotion of item 2 of segments"),
        (broken(segment={"probabilities": {"happy": 1}}), "probabilities of item 2 of segments"),
        (broken(segment={"probabilities": dict.fromkeys(("neutral", "happy", "sad", "angry"), 2)}), "from 0 to 1"),
        (broken(segment={"reference_clips": -1}), "reference_clips of item 2"),
        (broken(tracks={"step_s": 0.1}), "tracks of the document"),
    ],
)
def test_other_content_is_an_error_that_names_its_place(text: str, place: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_timeline(path)
    assert str(raised.value).startswith(f"{path}: ") and place in str(raised.value) and len(str(raised.value)) < 500


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.json: cannot be read: No such file"):
        read_timeline(tmp_path / "gone.json")
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match=r"latin\.json: not UTF-8"):
        read_timeline(tmp_path / "latin.json")
