"""Timelines of recordings and streams: segments, tracks, turns, threads, and errors."""

import io
from itertools import pairwise
from pathlib import Path

import non_speech
import numpy as np
import pytest
import soundfile
import tiny_model
from numpy.testing import assert_allclose, assert_array_equal
from synthetic_audio import silence

from overtone.audio.decode import read
from overtone.audio.windows import STEP_S, STEP_SAMPLES
from overtone.datatypes import Waveform
from overtone.errors import AudioError, InputError, ModelError, OptionError
from overtone.inference.aggregation import WindowPrediction, _pitch_hz
from overtone.inference.recogniser import Recogniser, load
from overtone.inference.streaming import median_pitch
from overtone.timeline import Segment, Timeline

RATE_HZ = 16_000
SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech"


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    return load(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", uncertain_below=0.5))


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    """Return about half a minute of synthetic speech of several kinds between silences, one of them long."""
    parts = [silence(1.3)]
    for pause_s, path in zip((0.8, 9.0, 1.5, 0.7), sorted(SPEECH.glob("*.flac")), strict=False):
        parts += [read(path).samples, silence(pause_s)]
    return np.concatenate(parts)


def wav(samples: np.ndarray, rate_hz: int = RATE_HZ) -> bytes:
    """Return the content of a WAV file."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate_hz, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def assert_same(one: Timeline, other: Timeline) -> None:
    """Check that two timelines are bitwise equal, except for their source."""
    assert (one.duration_s, one.emotions, one.model) == (other.duration_s, other.emotions, other.model)
    assert_array_equal(one.tracks.probabilities, other.tracks.probabilities)
    assert_array_equal(one.tracks.pitch_hz, other.tracks.pitch_hz)
    assert_array_equal(one.tracks.loudness_db, other.tracks.loudness_db)
    assert len(one.segments) == len(other.segments)
    for part, counterpart in zip(one.segments, other.segments, strict=True):
        assert (part.start_s, part.end_s, part.is_speech) == (
            counterpart.start_s,
            counterpart.end_s,
            counterpart.is_speech,
        )
        if part.prediction and counterpart.prediction:
            assert_array_equal(part.prediction.probabilities, counterpart.prediction.probabilities)
            assert part.prediction.prosody == counterpart.prediction.prosody


def test_a_timeline_has_speech_segments_with_predictions_and_silence(recogniser: Recogniser, talk: np.ndarray) -> None:
    timeline = recogniser.timeline(Waveform(talk, "talk"))
    assert timeline.duration_s == len(talk) / RATE_HZ
    assert (timeline.source, timeline.model, timeline.emotions) == ("talk", "tiny-1", recogniser.emotions)
    assert not timeline.segments[0].is_speech
    assert sum(part.is_speech for part in timeline.segments) >= 3
    longest = max((part for part in timeline.segments if not part.is_speech), key=lambda part: part.duration_s)
    assert longest.duration_s > 8
    for part in timeline.segments:
        inside = slice(round(part.start_s / STEP_S), int(np.ceil(round(part.end_s / STEP_S, 6))))
        track = timeline.tracks.probabilities[inside]
        assert np.isnan(track).all() != part.is_speech
        if part.prediction:
            assert_allclose(part.prediction.probabilities, track.mean(0), atol=1e-6)
            assert part.prediction.confidence == pytest.approx(track.mean(0).max(), abs=1e-6)
            assert part.prediction.duration_s == part.duration_s
            assert part.prediction.uncertain == (part.prediction.confidence < 0.5)
            assert list(part.prediction.branches) == ["mel", "prosody"]
            pitch_hz = timeline.tracks.pitch_hz[inside]
            assert part.prediction.prosody["pitch_median_hz"] == pytest.approx(np.median(pitch_hz[pitch_hz > 0]))
    silent = np.isnan(timeline.tracks.probabilities[:, 0])
    assert timeline.tracks.loudness_db[silent].mean() < timeline.tracks.loudness_db[~silent].mean() - 20
    assert timeline.tracks.loudness_db.min() == -90


def test_a_short_recording_is_one_window(recogniser: Recogniser) -> None:
    clip = read(SPEECH / "level.flac").samples[8_000 : 8_000 + 2 * RATE_HZ]
    predictions = [part.prediction for part in recogniser.timeline(clip, RATE_HZ).segments if part.prediction]
    assert len(predictions) == 1
    assert_allclose(predictions[0].probabilities, recogniser.recognise(clip, RATE_HZ).probabilities, atol=1e-6)


@pytest.mark.parametrize("samples", [1_600, 1_601, 4_800, 4_801, 47_999, 48_000, 48_001, 72_000, 96_000, 99_999])
def test_every_length_is_covered(recogniser: Recogniser, samples: int) -> None:
    speech = np.concatenate([read(path).samples for path in sorted(SPEECH.glob("*.flac"))])
    timeline = recogniser.timeline(speech[6_000 : 6_000 + samples], RATE_HZ)
    assert timeline.segments[-1].end_s == timeline.duration_s == samples / RATE_HZ
    assert all(before.end_s == after.start_s for before, after in pairwise(timeline.segments))
    assert len(timeline.tracks) == -(-samples // STEP_SAMPLES)


@pytest.mark.parametrize("kind", ["noise", "music", "silence"])
def test_without_speech_there_is_no_prediction(recogniser: Recogniser, kind: str, rng: np.random.Generator) -> None:
    samples = {
        "noise": lambda: non_speech.at_level(non_speech.noise("pink", 7, rng), -30),
        "music": lambda: non_speech.at_level(non_speech.music("chords", 7, rng), -20),
        "silence": lambda: silence(7),
    }[kind]()
    timeline = recogniser.timeline(samples, RATE_HZ)
    assert [(part.start_s, part.end_s, part.prediction) for part in timeline.segments] == [(0, 7, None)]
    assert np.isnan(timeline.tracks.probabilities).all()


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_stream_gives_the_same_timeline_as_the_file(
    recogniser: Recogniser, talk: np.ndarray, rate_hz: int, rng: np.random.Generator
) -> None:
    content = wav(talk, rate_hz)
    samples = soundfile.read(io.BytesIO(content), dtype="int16")[0]
    expected = recogniser.timeline(content)
    assert_same(recogniser.timeline(content, threads=3), expected)
    for longest in (500, 30_000, 400_000):
        stream, start = recogniser.stream(rate_hz), 0
        while start < len(samples):
            size = int(rng.integers(0, longest))
            stream.push(samples[start : start + size])
            start += size
        assert_same(stream.finish(), expected)


def test_a_stream_returns_a_segment_as_soon_as_a_window_is_complete(recogniser: Recogniser, talk: np.ndarray) -> None:
    stream = recogniser.stream(RATE_HZ)
    returned = []
    for start in range(0, len(talk), 1_600):
        for segment in stream.push(talk[start : start + 1_600]):
            assert segment.end_s == pytest.approx((start + 1_600) / RATE_HZ)
            returned.append(segment)
    assert [(round(part.start_s, 3), round(part.duration_s, 3)) for part in returned[:3]] == [(0, 3), (1.5, 3), (3, 3)]
    assert {part.is_speech for part in returned} == {True, False}
    for part in returned:
        if part.prediction:
            window = talk[round(part.start_s * RATE_HZ) : round(part.end_s * RATE_HZ)]
            assert_allclose(part.prediction.probabilities, tiny_model.expected(window), atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_large_push_returns_every_window(recogniser: Recogniser, threads: int) -> None:
    minutes = np.tile(read(SPEECH / "level.flac").samples, 60)
    returned = recogniser.stream(RATE_HZ, threads=threads).push(minutes)
    assert [part.start_s for part in returned] == [1.5 * number for number in range(len(returned))]
    assert len(returned) == (len(minutes) - 48_000) // 24_000 + 1 > 64


def test_each_turn_gets_one_prediction(recogniser: Recogniser, talk: np.ndarray) -> None:
    plain = recogniser.timeline(talk, RATE_HZ)
    speech = [part for part in plain.segments if part.is_speech]
    turns = [
        Segment(speech[0].start_s, speech[0].end_s, None, "anna"),
        Segment(speech[0].start_s + 0.25, speech[0].end_s, None, "ben"),
        Segment(0.1, 0.9, None, "anna"),
        Segment(speech[-1].start_s, plain.duration_s + 0.2, None, "carl"),
    ]
    for threads in (1, 2):
        timeline = recogniser.timeline(talk, RATE_HZ, turns=turns, threads=threads)
        assert timeline.turns_given
        assert [part.speaker for part in timeline.segments] == ["anna", "anna", "ben", "carl"]
        assert [part.is_speech for part in timeline.segments] == [False, True, True, True]
        assert timeline.segments[-1].end_s == timeline.duration_s
        assert [summary.speaker for summary in timeline.speakers] == ["anna", "ben", "carl"]
        first = timeline.segments[1]
        samples = talk[round(first.start_s * RATE_HZ) : round(first.end_s * RATE_HZ)]
        if first.duration_s <= 3:
            assert first.prediction is not None
            assert_allclose(first.prediction.probabilities, tiny_model.expected(samples), atol=1e-4)
        outside = timeline.tracks.probabilities[round(speech[0].end_s * 10) + 1 : round(speech[-1].start_s * 10) - 1]
        assert np.isnan(outside).all()


def test_segments_of_a_timeline_can_be_turns(recogniser: Recogniser, talk: np.ndarray) -> None:
    original = recogniser.timeline(talk, RATE_HZ)
    again = recogniser.timeline(silence(original.duration_s), RATE_HZ, turns=original.segments)
    assert [(part.start_s, part.end_s) for part in again.segments] == [
        (part.start_s, part.end_s) for part in original.segments
    ]
    assert not any(part.is_speech for part in again.segments)  # the predictions of the other recording are dropped


def test_turns_beyond_the_end_are_refused(recogniser: Recogniser) -> None:
    for turn in (Segment(1, 9), Segment(2, 2.3)):
        with pytest.raises(InputError, match=r"^array: ends at 2\.000 s, .* turn .* another recording\?"):
            recogniser.timeline(silence(2), RATE_HZ, turns=[turn])


def test_invalid_recordings_and_options_are_refused(recogniser: Recogniser, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"^array: no speech in 50 ms of audio; 100 ms at least"):
        recogniser.timeline(silence(0.05), RATE_HZ)
    with pytest.raises(AudioError, match=r"gone\.wav: no such file"):
        recogniser.timeline(tmp_path / "gone.wav")
    with pytest.raises(AudioError, match="truncated"):
        recogniser.timeline(wav(silence(3))[:-1_000])
    with pytest.raises(OptionError, match="only for arrays"):
        recogniser.timeline(wav(silence(3)), RATE_HZ)
    with pytest.raises(OptionError, match="threads: expected a whole number of at least 1, got 0"):
        recogniser.timeline(silence(3), RATE_HZ, threads=0)
    with pytest.raises(AudioError, match="not finite"):
        recogniser.timeline(Waveform(np.full(RATE_HZ, np.nan, np.float32)))


def test_a_finished_stream_cannot_be_used(recogniser: Recogniser) -> None:
    stream = recogniser.stream(RATE_HZ, source="microphone")
    stream.push(silence(1))
    assert stream.finish().source == "microphone"
    for call in (stream.finish, lambda: stream.push(silence(1))):
        with pytest.raises(AudioError, match=r"^microphone: the stream has ended; start another one"):
            call()


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_the_model_is_raised(
    recogniser: Recogniser, talk: np.ndarray, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(waveform: Waveform) -> dict[str, np.ndarray]:
        raise ModelError(f"{waveform.source}: fails")

    monkeypatch.setattr(recogniser.model, "run", fail)
    with pytest.raises(ModelError, match=r"^talk: fails"):
        recogniser.timeline(Waveform(talk, "talk"), threads=threads)


def test_progress_is_reported(recogniser: Recogniser) -> None:
    positions_s: list[float] = []
    recogniser.timeline(wav(silence(3)), on_progress=positions_s.append)
    assert positions_s[-1] == 3 and positions_s == sorted(positions_s)


def test_adapted_recognisers_give_timelines() -> None:
    clips = [read(path) for path in sorted(SPEECH.glob("*.flac"))]
    unadapted, adapted = load(), load().adapt(clips)
    clip = Waveform(clips[0].samples[: 2 * RATE_HZ], "clip")
    for recogniser in (unadapted, adapted):
        predictions = [part.prediction for part in recogniser.timeline(clip).segments if part.prediction]
        assert_allclose(predictions[0].probabilities, recogniser.recognise(clip).probabilities, atol=1e-3)
    assert not np.allclose(unadapted.recognise(clip).probabilities, adapted.recognise(clip).probabilities, atol=0.01)


def test_concatenated_clips_are_recognised_separately(ravdess_folder: Path) -> None:
    paths = sorted((ravdess_folder / "Actor_12").glob("*.flac"))[::7]
    clips = [read(path).samples for path in paths]
    recogniser = load()
    timeline = recogniser.timeline(np.concatenate(clips), RATE_HZ, threads=2)
    ends_s = np.cumsum([len(clip) for clip in clips]) / RATE_HZ
    agree = []
    for clip, end_s in zip(clips, ends_s, strict=True):
        middle_s = end_s - len(clip) / RATE_HZ / 2
        segment = next(part for part in timeline.segments if part.start_s <= middle_s < part.end_s)
        assert segment.prediction is not None
        agree.append(segment.prediction.emotion == recogniser.recognise(clip, RATE_HZ).emotion)
    assert np.mean(agree) > 0.7


@pytest.mark.parametrize("frames", [1, 6, 7, 100, 187])
def test_the_pitch_of_a_step_is_the_median_of_its_voiced_frames(rng: np.random.Generator, frames: int) -> None:
    pitch_hz = rng.uniform(80, 400, frames) * (rng.random(frames) < 0.7)
    steps = max(1, frames * 256 // 1_600)
    step = np.minimum(np.arange(frames) * 256 // 1_600, steps - 1)
    voiced = [pitch_hz[(step == k) & (pitch_hz > 0)] for k in range(steps)]
    expected = [np.median(values) if len(values) > 1 else 0.0 for values in voiced]
    assert_allclose(median_pitch(pitch_hz, 256, steps), expected)
    assert median_pitch(np.zeros(frames), 256, steps).tolist() == [0.0] * steps


def test_a_pitch_error_in_one_frame_hardly_changes_the_median() -> None:
    assert median_pitch(np.array([100.0, 101, 102, 600, 0]), 256, 1).tolist() == [101.5]
    assert median_pitch(np.array([100.0, 101, 600]), 256, 1).tolist() == [101]


def test_where_windows_disagree_on_the_pitch_the_one_furthest_from_its_edges_counts() -> None:
    def window(first: int, pitch_hz: float) -> WindowPrediction:
        return WindowPrediction((first, first + 30), 1.0, 3.0, np.zeros((1, 2)), np.zeros(2), np.full(30, pitch_hz))

    track_hz = _pitch_hz([window(0, 100.0), window(15, 200.0), window(30, 0.0)], 70)
    assert track_hz.tolist() == [100.0] * 23 + [200.0] * 15 + [0.0] * 32
