"""The fields `channel` and `channel_names` of requests: the results are those of the library."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import Served
from synthetic_audio import RATE_HZ, speech_like
from test_timelines import to_object, wait_until_finished

import overtone
from overtone.errors import InputError, OptionError
from overtone.inference.recogniser import Recogniser, load

RNG = np.random.default_rng(8)
SIDES = np.stack([speech_like(RNG, 8.0), 0.5 * speech_like(RNG, 8.0)], 1)
CALL = encoded(SIDES, RATE_HZ, "FLAC")
MONO = encoded(SIDES[:, 0], RATE_HZ, "FLAC")
SILENT_RIGHT = encoded(SIDES * [1, 0], RATE_HZ, "FLAC")
NAMES = ("agent", 'say "hé", Anna')
NAMES_TEXT = 'agent,"say ""hé"", Anna"'


@pytest.fixture(scope="module")
def library(adapts: Path) -> Recogniser:
    return load(adapts)


@pytest.fixture
def client(adapting: Served) -> overtone.Client:
    return overtone.Client(f"http://127.0.0.1:{adapting.port}", retry_timeout_s=0)


def probabilities(row: dict) -> list[float]:
    return list(row["probabilities"].values())


def test_one_channel_of_a_clip(adapting: Served, library: Recogniser) -> None:
    for channel, name, side in (("left", "left", 0), ("2", "2", 1), (" RIGHT", "right", 1)):
        expected = library.recognise(SIDES[:, side].astype(np.float32), RATE_HZ).probabilities
        query = channel.replace(" ", "%20")
        for reply in (
            adapting.post_form("/v1/recognise", "call.flac", CALL, channel=channel),
            adapting.raw(f"/v1/recognise?channel={query}&name=call.flac", CALL),
        ):
            (row,) = reply.json["predictions"]
            assert (row["path"], row["channel"]) == ("call.flac", name)
            assert probabilities(row) == pytest.approx(expected, abs=1e-4)  # FLAC rounds to 16 bit
    for reply in (adapting.raw("/v1/recognise", CALL), adapting.raw("/v1/recognise?channel=mix", CALL)):
        assert "channel" not in reply.json["predictions"][0]


@pytest.mark.parametrize("names", [(), NAMES])
def test_each_channel_of_clips(adapting: Served, library: Recogniser, names: tuple[str, ...]) -> None:
    texts = {"channel": "each", **({"channel_names": NAMES_TEXT} if names else {})}
    reply = adapting.post_form("/v1/recognise", "call.flac", CALL, **texts)
    rows = reply.json["predictions"]
    assert [(row["path"], row["channel"]) for row in rows] == [
        ("call.flac", name) for name in names or ("left", "right")
    ]
    for row, result in zip(rows, library.recognise_many([CALL], channel="each"), strict=True):
        assert probabilities(row) == pytest.approx(result.probabilities, abs=1e-6)
    table = adapting.post_form("/v1/recognise?format=csv", "call.flac", CALL, **texts)
    assert table.content.decode().splitlines()[0].startswith("path,channel,emotion")


def test_failures_of_channels(adapting: Served) -> None:
    reply = adapting.post_form("/v1/recognise", "call.flac", SILENT_RIGHT, channel="each")
    assert [row["channel"] for row in reply.json["predictions"]] == ["left"]
    (failure,) = reply.json["failures"]
    assert failure["message"].startswith("call.flac, channel right: no speech: nothing but silence")
    assert (failure["field"], failure["index"], failure["code"]) == ("file", 0, "invalid_audio")
    refused = adapting.post_form("/v1/recognise?format=csv", "call.flac", SILENT_RIGHT, channel="each")
    assert (refused.status, refused.code) == (422, "invalid_audio")
    assert refused.json["error"]["message"] == "call.flac: 1 of 2 channels cannot be recognised"
    mono = adapting.post_form("/v1/recognise", "m.flac", MONO, channel="each", channel_names="a,b")
    assert mono.json["error"]["message"] == "m.flac: has 1 channel, but 2 channel names are given; give 1"
    missing = adapting.post_form("/v1/recognise", "m.flac", MONO, channel="right")
    assert missing.json["error"]["message"] == "m.flac: has 1 channel, so there is no right channel; choose mix"


def test_a_timeline_of_channels(adapting: Served, library: Recogniser) -> None:
    texts = {"channel": "each", "channel_names": NAMES_TEXT}
    job = wait_until_finished(adapting, adapting.post_form("/v1/timeline", "call.flac", CALL, **texts))
    expected = to_object(library.timeline(CALL, channel="each", channel_names=NAMES))
    found = adapting.ask("GET", job["timeline"]).json
    assert found == {**expected, "path": "call.flac"}
    assert [channel["speaker"] for channel in found["channels"]] == list(NAMES)
    assert job["processed_s"] == job["duration_s"] == 8.0
    assert (job["channel"], job["channel_names"]) == ("each", list(NAMES))
    one = wait_until_finished(adapting, adapting.raw("/v1/timeline?channel=right&name=call.flac", CALL))
    expected = to_object(library.timeline(CALL, channel="right"))
    assert adapting.ask("GET", one["timeline"]).json == {**expected, "path": "call.flac"}
    wrong = wait_until_finished(adapting, adapting.post_form("/v1/timeline", "m.flac", MONO, **texts))
    assert (wrong["state"], wrong["error"]) == (
        "failed",
        "m.flac: has 1 channel, but 2 channel names are given; give 1",
    )


def test_many_channels_are_refused(adapting: Served) -> None:
    many = encoded(np.zeros((4_000, 17)), 8_000)
    job = wait_until_finished(adapting, adapting.post_form("/v1/timeline", "many.wav", many, channel="each"))
    assert (job["state"], job["error"]) == ("failed", "many.wav: has 17 channels; at most 16 can be speakers")


@pytest.mark.parametrize("path", ["/v1/recognise", "/v1/timeline"])
@pytest.mark.parametrize(
    ("query", "texts", "message"),
    [
        ("", {"channel": "0"}, "channel: expected mix, each, left, right or a number from 1, got '0'"),
        ("", {"channel": ""}, "channel: expected mix, each, left, right or a number from 1, got ''"),
        ("", {"channel": "each", "channel_names": "a,a"}, "channel names: 'a' is given twice"),
        ("", {"channel": "each", "channel_names": "a,\x07"}, "channel names: '\\x07' has the control character"),
        ("", {"channel_names": "a,b"}, "channel names: channel mix needs none"),
        ("?channel=left", {"channel": "left"}, "channel: given twice, in the query and in the form"),
        ("?channel=left&channel=left", {}, "channel: given 2 times"),
        ("?chanel=left", {}, "unknown parameter 'chanel'; did you mean 'channel'"),
    ],
)
def test_invalid_fields_are_refused(adapting: Served, path: str, query: str, texts: dict, message: str) -> None:
    reply = adapting.post_form(path + query, "call.flac", CALL, **texts)
    assert (reply.status, reply.code) == (422, "invalid_parameter")
    assert reply.json["error"]["message"].startswith(message)


def test_malformed_texts_are_refused(adapting: Served) -> None:
    for texts, status, message in (
        ({"channel": "\udcff"}, 400, "channel: not UTF-8 text"),
        ({"channel_names": 9_000 * "a"}, 413, "channel_names: more than 8192 bytes"),
        ({"chanel": "left"}, 400, "unknown field 'chanel'; expected file, reference, channel, channel_names"),
    ):
        reply = adapting.post_form("/v1/recognise", "call.flac", CALL, **texts)
        assert reply.status == status
        assert reply.json["error"]["message"].startswith(message)
    twice = CALL + b'\r\n--overtone-test\r\nContent-Disposition: form-data; name="channel"\r\n\r\nleft'
    reply = adapting.post_form("/v1/recognise", "call.flac", twice, channel="left")
    assert (reply.status, reply.json["error"]["message"]) == (400, "channel: given twice; give it once")


def test_speakers_cannot_be_given_twice(adapting: Served) -> None:
    reply = adapting.post_form("/v1/recognise?channel=each", "call.flac", CALL, reference="")
    assert reply.code == "invalid_parameter"
    assert reply.json["error"]["message"].startswith("reference: cannot be combined with channel each")
    boundary = b"--overtone-test\r\nContent-Disposition: form-data; "
    body = boundary + b'name="turns"; filename="t.rttm"\r\n\r\nSPEAKER c 1 0 1 <NA> <NA> anna\r\n'
    body += boundary + b'name="file"; filename="call.flac"\r\n\r\n' + CALL + b"\r\n--overtone-test--\r\n"
    content_type = "multipart/form-data; boundary=overtone-test"
    reply = adapting.ask("POST", "/v1/timeline?channel=each", body, Content_Type=content_type)
    assert reply.json["error"]["message"].startswith("turns: cannot be combined with channel each")


def test_an_idempotency_key_belongs_to_the_channel(adapting: Served) -> None:
    for path in ("/v1/recognise", "/v1/timeline"):
        headers = {"Idempotency_Key": "a call"}
        first = adapting.raw(f"{path}?channel=left", CALL, **headers)
        assert first.status in (200, 202)
        assert adapting.raw(f"{path}?channel=left", CALL, **headers).content
        assert adapting.raw(f"{path}?channel=right", CALL, **headers).code == "idempotency_key_reused"


def test_the_client(client: overtone.Client, library: Recogniser, tmp_path: Path) -> None:
    file = tmp_path / "call.flac"
    file.write_bytes(CALL)
    left = client.recognise(file, channel="left")
    expected = library.recognise(CALL, channel="left")
    assert left.channel == expected.channel == "left"
    np.testing.assert_allclose(left.probabilities, expected.probabilities, atol=1e-6)
    clips = [encoded(part, RATE_HZ) for part in np.split(SIDES[: 6 * RATE_HZ], 3)]
    adapted = client.recognise(file, channel="right", reference=clips)
    expected = library.adapt(clips, channel="right").recognise(CALL, channel="right")
    np.testing.assert_allclose(adapted.probabilities, expected.probabilities, atol=1e-6)
    assert adapted.reference_clips == 3
    found = list(client.recognise_many([CALL, SILENT_RIGHT, MONO], channel="each", channel_names=NAMES))
    assert [getattr(result, "channel", "") for result in found] == [*NAMES, NAMES[0], "", ""]
    assert [type(result) for result in found[3:]] == [InputError, InputError]
    assert isinstance(client.recognise(io.BytesIO(CALL)), overtone.Prediction)
    timeline = client.timeline(CALL, channel="each", channel_names=NAMES)
    assert [row["speaker"] for row in timeline["speakers"]] == list(NAMES)
    assert json.loads(client.timeline(CALL, "json", channel="right"))["adaptation"] == "recording"
    for trial in (
        lambda: client.recognise(CALL, channel="each"),
        lambda: client.timeline(CALL, channel="both"),
        lambda: client.timeline(CALL, channel_names=NAMES),
        lambda: list(client.recognise_many([CALL], channel_names=NAMES)),
    ):
        with pytest.raises(OptionError, match=r"^channel"):
            trial()
