"""`Recogniser` with a channel: the results of a side of a call are exactly those of the mono recording of it."""

import io
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from audio_files import encoded
from numpy.testing import assert_array_equal

from overtone.audio.decode import read
from overtone.datatypes import Prediction, Waveform
from overtone.errors import AudioError, OptionError
from overtone.inference.recogniser import Recogniser, load
from overtone.timeline import Segment

RATE_HZ = 16_000
SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech"
SIDES = ("left", "right")


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    return load(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", adapts=True))


@pytest.fixture(scope="module")
def call() -> np.ndarray:
    """Return a call: speech on both sides, each with other recordings, on the grid of 16 bit, `(samples, 2)`."""
    clips = [read(path).samples for path in sorted(SPEECH.glob("*.flac"))]
    sides = [np.concatenate(clips), 0.4 * np.concatenate(clips[::-1])]
    return (np.round(np.stack(sides, 1) * 32_768) / 32_768).astype(np.float32)


def test_a_prediction_of_a_side(recogniser: Recogniser, call: np.ndarray) -> None:
    stereo, probabilities = encoded(call, RATE_HZ), []
    for index, side in enumerate(SIDES):
        expected = recogniser.recognise(encoded(call[:, index], RATE_HZ))
        for channel in (side, index + 1):
            for prediction in (
                recogniser.recognise(stereo, channel=channel),
                recogniser.recognise(call, RATE_HZ, channel=channel),
                *recogniser.recognise_many([stereo], channel=channel),
            ):
                assert isinstance(prediction, Prediction)
                assert_array_equal(prediction.probabilities, expected.probabilities)
                assert (prediction.speech_s, prediction.prosody) == (expected.speech_s, expected.prosody)
        probabilities.append(expected.probabilities)
    mix = recogniser.recognise(call.mean(axis=1), RATE_HZ).probabilities
    assert_array_equal(recogniser.recognise(stereo).probabilities, mix)
    assert not np.allclose(probabilities[0], probabilities[1]) and not np.allclose(probabilities[0], mix)


def test_a_timeline_of_a_side(recogniser: Recogniser, call: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(encoded(call, RATE_HZ))
    turns = [Segment(0, 3, None, "anna"), Segment(3, 6, None, "ben")]
    for index, side in enumerate(SIDES):
        for given in (None, turns):
            expected = recogniser.timeline(encoded(call[:, index], RATE_HZ), turns=given)
            for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
                timeline = recogniser.timeline(source, channel=side, turns=given)
                assert_array_equal(timeline.tracks.probabilities, expected.tracks.probabilities)
                assert timeline.adaptation == expected.adaptation
        from_array = recogniser.timeline(call, RATE_HZ, channel=side)
        assert_array_equal(
            from_array.tracks.probabilities, recogniser.timeline(path, channel=side).tracks.probabilities
        )


def test_reference_clips_of_a_side(recogniser: Recogniser, call: np.ndarray) -> None:
    clips = np.split(call[: 3 * RATE_HZ], 3)
    clip = call[:RATE_HZ, 1]
    expected = recogniser.adapt([encoded(part[:, 1], RATE_HZ) for part in clips]).recognise(clip, RATE_HZ)
    stereo = [encoded(part, RATE_HZ) for part in clips]
    adapted = recogniser.adapt(stereo, channel="right").recognise(clip, RATE_HZ)
    assert_array_equal(adapted.probabilities, expected.probabilities)
    assert not np.allclose(recogniser.adapt(stereo).recognise(clip, RATE_HZ).probabilities, expected.probabilities)


def test_a_missing_channel_does_not_stop_the_others(recogniser: Recogniser, call: np.ndarray) -> None:
    stereo, mono = encoded(call, RATE_HZ), encoded(call[:, 0], RATE_HZ)
    results = list(recogniser.recognise_many([stereo, mono, stereo], channel="right"))
    assert [type(result) for result in results] == [Prediction, AudioError, Prediction]
    assert str(results[1]) == "audio in memory: has 1 channel, so there is no right channel; choose mix"
    with pytest.raises(AudioError, match="no right channel"):
        recogniser.timeline(mono, channel="right")


def test_a_waveform_has_one_channel(recogniser: Recogniser, call: np.ndarray) -> None:
    waveform = Waveform(call[:, 0].copy(), "call")
    for recognise in (recogniser.recognise, recogniser.timeline):
        recognise(waveform, channel=1)
        with pytest.raises(AudioError, match=r"^call: has 1 channel, so there is no left channel"):
            recognise(waveform, channel="left")


def test_anything_else_than_a_channel_is_refused(recogniser: Recogniser, call: np.ndarray) -> None:
    content = encoded(call, RATE_HZ)
    for trial in (
        lambda: recogniser.recognise(content, channel="both"),
        lambda: list(recogniser.recognise_many([content], channel="both")),
        lambda: recogniser.timeline(content, channel="both"),
        lambda: recogniser.adapt([content], lambda error: None, channel="both"),
    ):
        with pytest.raises(
            OptionError, match=r"^channel: expected mix, (each, )?left, right or a number from 1, got 'both'"
        ):
            trial()
