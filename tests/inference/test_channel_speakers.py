"""Channels as speakers: the results of each channel are exactly those of a mono recording of it."""

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from audio_files import encoded
from numpy.testing import assert_array_equal

from overtone.audio.decode import read
from overtone.datatypes import Prediction, Waveform
from overtone.errors import AudioError, OptionError, OvertoneError
from overtone.inference.recogniser import Recogniser, load
from overtone.timeline import Segment, Timeline, Tracks

RATE_HZ = 16_000
SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech"
TRACKS = ("probabilities", "pitch_hz", "loudness_db", "arousal", "valence")


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    return load(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", adapts=True))


@pytest.fixture(scope="module")
def call() -> np.ndarray:
    """Return a call of a high and a low voice that alternate and overlap, on the grid of 16 bit, `(samples, 2)`."""
    high, low = (read(SPEECH / f"{name}.flac").samples for name in ("quick-bright-high", "slow-soft-low"))
    agent, customer = np.zeros((2, 16 * RATE_HZ), np.float32)
    for side, voice, starts_s in ((agent, high, (0.5, 6, 10)), (customer, low, (3, 11))):
        for start_s in starts_s:
            side[int(start_s * RATE_HZ) :][: len(voice)] += voice[: len(side) - int(start_s * RATE_HZ)]
    return (np.round(np.stack([agent, customer], 1).clip(-1, 1) * 32_767) / 32_768).astype(np.float32)


def assert_same_tracks(found: Tracks, expected: Tracks) -> None:
    for name in TRACKS:
        assert_array_equal(getattr(found, name), getattr(expected, name))


def assert_side(timeline: Timeline, index: int, expected: Timeline) -> None:
    """Check the segments and the tracks of a channel against the timeline of its mono recording."""
    speaker, tracks = timeline.channels[index].speaker, timeline.channels[index].tracks
    assert_same_tracks(tracks, expected.tracks)
    own = [segment for segment in timeline.segments if segment.speaker == speaker]
    others = [segment for segment in expected.segments if segment.prediction]
    assert [(segment.start_s, segment.end_s) for segment in own] == [(part.start_s, part.end_s) for part in others]
    for segment, other in zip(own, others, strict=True):
        assert segment.prediction and other.prediction
        assert_array_equal(segment.prediction.probabilities, other.prediction.probabilities)
        assert segment.prediction.prosody == other.prediction.prosody
        assert segment.prediction.reference_clips == other.prediction.reference_clips


@pytest.mark.parametrize("adapt", [True, False])
def test_a_timeline_of_both_sides(recogniser: Recogniser, call: np.ndarray, tmp_path: Path, adapt: bool) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(encoded(call, RATE_HZ))
    expected = [recogniser.timeline(encoded(call[:, side], RATE_HZ), adapt=adapt) for side in range(2)]
    pipe = Path(tmp_path / "pipe")
    os.mkfifo(pipe)
    sources = (path, path.read_bytes(), io.BytesIO(path.read_bytes()), Unseekable(path.read_bytes()), pipe)
    for source in sources:
        if source == pipe:
            threading.Thread(target=pipe.write_bytes, args=(path.read_bytes(),)).start()
        timeline = recogniser.timeline(source, channel="each", adapt=adapt)
        assert [channel.speaker for channel in timeline.channels] == ["left", "right"]
        assert timeline.adaptation == ("speakers" if adapt else "none")
        for side in range(2):
            assert_side(timeline, side, expected[side])
    by_array = recogniser.timeline(call, RATE_HZ, channel="each", adapt=adapt, channel_names=["agent", "customer"])
    assert [summary.speaker for summary in by_array.speakers] == ["agent", "customer"]
    for index in range(2):
        assert_same_tracks(by_array.channels[index].tracks, expected[index].tracks)


class Unseekable(io.BytesIO):
    """A file object that can be read once, such as a response over a network."""

    name = "a response"

    def seekable(self) -> bool:
        return False


def test_segments_of_two_channels_overlap(recogniser: Recogniser, call: np.ndarray) -> None:
    timeline = recogniser.timeline(call, RATE_HZ, channel="each")
    starts_s = [segment.start_s for segment in timeline.segments]
    assert starts_s == sorted(starts_s) and all(segment.prediction for segment in timeline.segments)
    pairs = [(a, b) for a in timeline.segments for b in timeline.segments if a.speaker == "left" != b.speaker]
    overlaps_s = [min(a.end_s, b.end_s) - max(a.start_s, b.start_s) for a, b in pairs]
    assert max(overlaps_s) > 0.3
    assert all(summary.speech_s > 1 for summary in timeline.speakers)


def test_the_common_tracks_are_those_of_the_loudest_channel_with_speech(
    recogniser: Recogniser, call: np.ndarray
) -> None:
    timeline = recogniser.timeline(call, RATE_HZ, channel="each")
    left, right = (channel.tracks for channel in timeline.channels)
    speech = [~np.isnan(tracks.probabilities[:, 0]) for tracks in (left, right)]
    for step in range(len(timeline.tracks)):
        is_louder = left.loudness_db[step] >= right.loudness_db[step]
        uses_left = is_louder if speech[0][step] == speech[1][step] else speech[0][step]
        for name in TRACKS:
            expected = getattr(left if uses_left else right, name)[step]
            assert_array_equal(getattr(timeline.tracks, name)[step], expected)
    assert (speech[0] & ~speech[1]).any() and (speech[1] & ~speech[0]).any() and (speech[0] & speech[1]).any()


def test_each_channel_is_adapted_to_itself_only(recogniser: Recogniser, call: np.ndarray) -> None:
    other = call.copy()
    other[:, 1] = 0.3 * call[::-1, 1]
    first, second = (recogniser.timeline(samples, RATE_HZ, channel="each") for samples in (call, other))
    assert_same_tracks(first.channels[0].tracks, second.channels[0].tracks)
    assert not np.array_equal(first.channels[1].tracks.pitch_hz, second.channels[1].tracks.pitch_hz)


def test_a_silent_channel_has_no_segments(recogniser: Recogniser, call: np.ndarray) -> None:
    silent = call * np.array([1, 0], np.float32)
    timeline = recogniser.timeline(silent, RATE_HZ, channel="each")
    assert {segment.speaker for segment in timeline.segments} == {"left"}
    assert timeline.speakers[1].speaker == "right" and timeline.speakers[1].speech_s == 0
    nothing = recogniser.timeline(0 * call, RATE_HZ, channel="each")
    assert (nothing.segments, nothing.adaptation, nothing.duration_s) == ((), "none", 16.0)


def test_other_numbers_of_channels(recogniser: Recogniser, call: np.ndarray) -> None:
    mono = recogniser.timeline(call[:, 0], RATE_HZ, channel="each")
    assert [channel.speaker for channel in mono.channels] == ["channel-1"]
    assert_side(mono, 0, recogniser.timeline(call[:, 0], RATE_HZ))
    three = recogniser.timeline(np.column_stack([call, call[:, 0]]), RATE_HZ, channel="each")
    assert [channel.speaker for channel in three.channels] == ["channel-1", "channel-2", "channel-3"]
    numbered = recogniser.timeline(call, RATE_HZ, channel="each", channel_names=("1", "2"))
    assert [channel.speaker for channel in numbered.channels] == ["1", "2"]
    one = recogniser.timeline(Waveform(call[:, 0].copy(), "call"), channel="each")
    assert (one.source, len(one.channels)) == ("call", 1)


def test_progress_counts_each_channel(recogniser: Recogniser, call: np.ndarray) -> None:
    long, progress = np.tile(call, (2, 1)), []
    recogniser.timeline(long, RATE_HZ, channel="each", on_progress=progress.append)
    assert progress == sorted(progress)
    assert len(progress) == 2 * 2 * 4  # channels, passes, parts of 10 s
    assert progress[7] == pytest.approx(16) and progress[-1] == pytest.approx(32)


def test_reference_clips_of_a_recogniser_keep_priority(recogniser: Recogniser, call: np.ndarray) -> None:
    adapted = recogniser.adapt(sorted(SPEECH.glob("*.flac")))
    timeline = adapted.timeline(call, RATE_HZ, channel="each")
    assert timeline.adaptation == "reference"
    assert_side(timeline, 1, adapted.timeline(call[:, 1], RATE_HZ))


def test_a_prediction_per_channel(recogniser: Recogniser, call: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(encoded(call, RATE_HZ))
    mono = encoded(call[:, 0], RATE_HZ)
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes()), Unseekable(path.read_bytes())):
        results = list(recogniser.recognise_many([source, mono, Waveform(call[:, 1].copy())], channel="each"))
        assert [result.channel for result in results if isinstance(result, Prediction)] == ["left", "right", "1", "1"]
        for result, side in zip(results, (0, 1, 0, 1), strict=True):
            expected = recogniser.recognise(call[:, side], RATE_HZ)
            assert isinstance(result, Prediction)
            assert_array_equal(result.probabilities, expected.probabilities)
            assert (result.speech_s, result.prosody) == (expected.speech_s, expected.prosody)
    named = list(recogniser.recognise_many([path], channel="each", channel_names=("agent", "customer")))
    assert [(result.channel, result.source) for result in named if isinstance(result, Prediction)] == [
        ("agent", str(path)),
        ("customer", str(path)),
    ]


def test_errors_name_the_channel_or_the_file_once(recogniser: Recogniser, call: np.ndarray, tmp_path: Path) -> None:
    silent, cut, missing = tmp_path / "silent.wav", tmp_path / "cut.wav", tmp_path / "gone.wav"
    silent.write_bytes(encoded(call * np.array([1, 0], np.float32), RATE_HZ))
    cut.write_bytes(encoded(call, RATE_HZ)[:10_000])
    results = list(recogniser.recognise_many([silent, cut, missing, silent], channel="each"))
    assert [type(result) for result in results] == [Prediction, *[AudioError] * 3, Prediction, AudioError]
    messages = [str(result) for result in results if isinstance(result, OvertoneError)]
    assert messages[0].startswith(f"{silent}, channel right: no speech: nothing but silence")
    assert messages[1].startswith(f"{cut}: truncated")
    assert messages[2] == f"{missing}: no such file"


def test_wrong_names_fail_for_the_file(recogniser: Recogniser, call: np.ndarray, tmp_path: Path) -> None:
    stereo, mono = tmp_path / "stereo.wav", tmp_path / "mono.wav"
    stereo.write_bytes(encoded(call, RATE_HZ))
    mono.write_bytes(encoded(call[:, 0], RATE_HZ))
    names = ("agent", "customer")
    first, second, third = recogniser.recognise_many([mono, stereo], channel="each", channel_names=names)
    message = f"{mono}: has 1 channel, but 2 channel names are given; give 1"
    assert str(first) == message and isinstance(second, Prediction) and isinstance(third, Prediction)
    with pytest.raises(AudioError) as error:
        recogniser.timeline(mono, channel="each", channel_names=names)
    assert str(error.value) == message


def test_combinations_that_contradict_are_refused(recogniser: Recogniser, call: np.ndarray) -> None:
    with pytest.raises(OptionError, match=r"^channel each: speaker turns name the speakers already"):
        recogniser.timeline(call, RATE_HZ, channel="each", turns=[Segment(0, 1, None, "anna")])
    with pytest.raises(OptionError, match=r"^channel names: channel left needs none"):
        recogniser.timeline(call, RATE_HZ, channel="left", channel_names=("a", "b"))
    with pytest.raises(OptionError, match=r"^channel: expected mix, left, right or a number from 1, got 'each'"):
        recogniser.recognise(call, RATE_HZ, channel="each")
