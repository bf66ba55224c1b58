"""POST /v1/explain: the explanation of the library, limits, and errors that name the field or the file."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import Served
from synthetic_audio import RATE_HZ, silence, speech_like, voice

import overtone
from overtone.errors import InputError, ServiceError
from overtone.formats.explanation_json import to_object
from overtone.service.api.errors import ApiError
from overtone.service.api.state import AppState

CLIP = encoded(speech_like(np.random.default_rng(5), 1.0), RATE_HZ, "FLAC")
REFERENCE = [encoded(voice(120 + 40 * k, 1.0, level=0.1 + 0.2 * k), RATE_HZ, "FLAC") for k in range(3)]
PATH = "/v1/explain"


def named(explanation: overtone.Explanation, name: str) -> dict:
    return to_object(replace(explanation, prediction=replace(explanation.prediction, source=name)))


def test_the_explanation_equals_that_of_the_library(served: Served, tiny: Path) -> None:
    expected = named(overtone.load(tiny).explain(CLIP, emotion="sad", end_s=0.8), "clip.flac")
    reply = served.post_form(PATH, "clip.flac", CLIP, emotion="sad", end_s="0.8")
    assert reply.status == 200
    assert reply.json == {"explanation": expected, "failures": []}
    raw = served.raw(f"{PATH}?name=clip.flac&emotion=sad&end_s=0.8", CLIP)
    assert raw.json == reply.json


def test_an_excerpt_has_the_times_of_its_recording(served: Served, tiny: Path) -> None:
    recording = np.concatenate([voice(150, 1.0, level=0.1), speech_like(np.random.default_rng(5), 1.0)])
    whole, part = (encoded(samples, RATE_HZ, "FLAC") for samples in (recording, recording[RATE_HZ // 2 :]))
    expected = named(overtone.load(tiny).explain(whole, start_s=1.0, end_s=1.8), "clip.flac")
    reply = served.post_form(PATH, "clip.flac", part, start_s="0.5", end_s="1.3", offset_s="0.5")
    assert reply.json == {"explanation": expected, "failures": []}
    assert [expected["start_s"], expected["spans"][0]["start_s"]] == [1.0, 1.0]
    with pytest.raises(overtone.OptionError, match="offset_s"):
        overtone.load(tiny).explain(part, offset_s=-1.0)


def test_the_client_returns_it_adapted_to_reference_clips(adapting: Served, adapts: Path) -> None:
    client = overtone.Client(f"http://127.0.0.1:{adapting.port}/", retry_timeout_s=0)
    errors: list[overtone.OvertoneError] = []
    found = client.explain(CLIP, reference=[*REFERENCE[:2], encoded(silence(1.0), RATE_HZ)], on_error=errors.append)
    expected = overtone.load(adapts).adapt(REFERENCE[:2]).explain(CLIP)
    assert to_object(found) == named(expected, "audio in memory")
    assert found.prediction.reference_clips == 2
    assert len(errors) == 1
    with pytest.raises(InputError, match="audio in memory"):
        client.explain(b"not audio")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?emotion=hapy", "invalid_parameter"),
        ("?start_s=-1", "invalid_parameter"),
        ("?end_s=nan", "invalid_parameter"),
        ("?start_s=2&end_s=1", "invalid_parameter"),
        ("?offset_s=-1", "invalid_parameter"),
        ("?offset_s=inf", "invalid_parameter"),
        ("?channel=each", "invalid_parameter"),
        ("?channel=9", "invalid_audio"),
        ("?start_s=5", "invalid_audio"),
        ("?format=csv", "invalid_parameter"),
    ],
)
def test_wrong_requests(served: Served, query: str, code: str) -> None:
    assert served.raw(PATH + query, CLIP).code == code


def test_limits(served: Served) -> None:
    long = encoded(np.tile(voice(150, 1.0, level=0.05), 31), RATE_HZ, "FLAC")
    assert served.raw(PATH, long).code == "invalid_audio"
    assert served.post(PATH, ("a.flac", CLIP), ("b.flac", CLIP)).code == "too_large"
    assert served.raw(PATH, b"").code == "malformed_request"
    assert served.raw(PATH, bytes(1_100_000)).code == "too_large"
    silent = served.raw(f"{PATH}?name=quiet.wav", encoded(silence(1.0), RATE_HZ))
    assert silent.code == "invalid_audio"
    assert "quiet.wav" in silent.json["error"]["message"]


def test_explanations_leave_workers_for_clips(served: Served) -> None:
    app_workers = served.backend.settings.workers
    assert app_workers == 2, "so that one explanation at a time is allowed"
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(served.raw(PATH, CLIP).status)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert served.raw("/v1/recognise", CLIP).status == 200
    for thread in threads:
        thread.join()
    assert set(replies) <= {200, 503}
    assert 200 in replies
    assert served.raw(PATH, CLIP).status == 200, "the counter is back at 0"


def test_no_other_explanation_starts_while_as_many_run_as_may(served: Served) -> None:
    state = AppState(served.backend)
    with state.explanation(), pytest.raises(ApiError, match="other predictions") as caught:
        state.check_explanation_limit()
    assert caught.value.code == "overloaded"
    state.check_explanation_limit()


def test_the_client_reports_a_refusal(served: Served) -> None:
    client = overtone.Client(f"http://127.0.0.1:{served.port}/", retry_timeout_s=0)
    with pytest.raises((InputError, ServiceError), match="hapy"):
        client.explain(CLIP, emotion="hapy")
