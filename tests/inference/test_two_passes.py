"""Recordings and streams that are adapted to themselves: what they refer to, and what must not depend on it."""

import io
import os
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from numpy.testing import assert_allclose, assert_array_equal
from synthetic_audio import silence

from overtone.audio.decode import read
from overtone.datatypes import Waveform
from overtone.errors import AudioError, OptionError
from overtone.inference.recogniser import Recogniser, load
from overtone.inference.speaker_statistics import MIN_CLIPS
from overtone.inference.two_passes import WINDOWS_PER_INTERVAL, _Thinning
from overtone.timeline import Segment, Timeline

RATE_HZ = 16_000
SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech"


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    return load(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", adapts=True))


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    """Return 16-bit speech of several kinds without long pauses."""
    samples = np.concatenate([read(path).samples for path in sorted(SPEECH.glob("*.flac"))])
    return (np.round(samples * 32_768) / 32_768).astype(np.float32)


def wav(samples: np.ndarray) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE_HZ, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def reference_counts(timeline: Timeline) -> list[int]:
    return [part.prediction.reference_clips for part in timeline.segments if part.prediction]


def assert_same_tracks(one: Timeline, other: Timeline) -> None:
    assert one.adaptation == other.adaptation
    assert_array_equal(one.tracks.probabilities, other.tracks.probabilities)
    assert reference_counts(one) == reference_counts(other)


def test_a_recording_refers_to_its_windows(recogniser: Recogniser, talk: np.ndarray) -> None:
    plain = recogniser.timeline(talk, RATE_HZ, adapt=False)
    adapted = recogniser.timeline(talk, RATE_HZ)
    assert (plain.adaptation, adapted.adaptation) == ("none", "recording")
    assert set(reference_counts(plain)) == {0}
    (windows,) = set(reference_counts(adapted))
    assert windows == (len(talk) - 48_000) // 24_000 + 2
    assert np.nanmax(np.abs(adapted.tracks.probabilities - plain.tracks.probabilities)) > 0.01
    starts = [*range(0, len(talk) - 48_000, 24_000), (-(-len(talk) // 1_600) - 30) * 1_600]
    rows = [tiny_model.features(talk[start : start + 48_000]) for start in starts]
    first = tiny_model.expected(talk[:48_000], mean=np.mean(rows, 0))
    # Only the first window covers the first half of its steps.
    assert_allclose(adapted.tracks.probabilities[8], first, atol=1e-4)


def test_chosen_classes_are_adapted_and_chosen_branches_are_not(tmp_path: Path, talk: np.ndarray) -> None:
    model = tiny_model.write(tmp_path / "tiny.onnx", adapts=True)
    emotions = ("happy", "sad")
    plain, adapted = (load(model, emotions=emotions).timeline(talk, RATE_HZ, adapt=adapt) for adapt in (False, True))
    assert (adapted.adaptation, adapted.emotions) == ("recording", emotions)
    assert all(reference_counts(adapted))
    for name in ("probabilities", "arousal"):
        assert np.nanmax(np.abs(getattr(adapted.tracks, name) - getattr(plain.tracks, name))) > 0.001
    durations_s = [[part.prediction.speech_s for part in each.segments if part.prediction] for each in (plain, adapted)]
    assert sum(durations_s[0]) == pytest.approx(sum(durations_s[1]))
    one_branch = load(model, branches=("mel",))
    timeline = one_branch.timeline(talk, RATE_HZ)
    assert timeline.adaptation == "none" and set(reference_counts(timeline)) == {0}
    with one_branch.stream(RATE_HZ) as stream:
        stream.push(talk)
        assert stream.finish().adaptation == "none"
    assert not one_branch.can_adapt
    with pytest.raises(OptionError, match="all branches"):
        one_branch.adapt([SPEECH / "level.flac"])


def test_every_speaker_refers_to_the_own_windows(recogniser: Recogniser, talk: np.ndarray) -> None:
    duration_s = len(talk) / RATE_HZ
    third_s = duration_s / 3
    turns = [
        Segment(0, third_s, None, "anna"),
        Segment(third_s, third_s + 2, None, "ben"),
        Segment(2 * third_s, duration_s, None, "anna"),
    ]
    timeline = recogniser.timeline(talk, RATE_HZ, turns=iter(turns))
    assert timeline.adaptation == "speakers"
    counts = reference_counts(timeline)
    assert counts[0] == counts[2] >= MIN_CLIPS
    assert counts[1] == 0
    plain = recogniser.timeline(talk, RATE_HZ, turns=turns, adapt=False)
    for k, same in enumerate((False, True, False)):
        one, other = timeline.segments[k].prediction, plain.segments[k].prediction
        assert one is not None and other is not None
        assert np.allclose(one.probabilities, other.probabilities, atol=1e-6) == same


def test_few_windows_are_not_adapted(recogniser: Recogniser, talk: np.ndarray) -> None:
    for seconds, adaptation in ((4.0, "none"), (6.5, "recording")):
        samples = talk[: round(seconds * RATE_HZ)]
        assert recogniser.timeline(samples, RATE_HZ).adaptation == adaptation
        assert np.count_nonzero(reference_counts(recogniser.timeline(samples, RATE_HZ))) == (adaptation != "none")
    assert recogniser.timeline(silence(20), RATE_HZ).adaptation == "none"


def test_fewer_reference_clips_than_a_model_adapts_to_do_not_count(
    recogniser: Recogniser, talk: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [Waveform(talk[start : start + 32_000]) for start in (0, 32_000, 64_000)]
    monkeypatch.setitem(recogniser.card, "min_reference_clips", 3)
    plain, two, three = recogniser, recogniser.adapt(clips[:2]), recogniser.adapt(clips)
    predictions = [model.recognise(talk, RATE_HZ) for model in (plain, two, three)]
    assert [prediction.reference_clips for prediction in predictions] == [0, 0, 3]
    assert np.array_equal(predictions[0].probabilities, predictions[1].probabilities)
    assert not np.allclose(predictions[0].probabilities, predictions[2].probabilities)


def test_reference_clips_have_priority(recogniser: Recogniser, talk: np.ndarray) -> None:
    adapted = recogniser.adapt([Waveform(talk[:32_000]), Waveform(talk[32_000:80_000])])
    assert adapted.recognise(talk, RATE_HZ).reference_clips == 2
    for timeline in (adapted.timeline(talk, RATE_HZ), adapted.timeline(talk, RATE_HZ, adapt=False)):
        assert timeline.adaptation == "reference"
        assert set(reference_counts(timeline)) == {2}
    stream = adapted.stream(RATE_HZ)
    assert {part.prediction.reference_clips for part in stream.push(talk) if part.prediction} == {2}
    assert_same_tracks(stream.finish(), timeline)


def test_threads_and_sources_do_not_change_the_result(recogniser: Recogniser, talk: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(talk))
    expected = recogniser.timeline(Waveform(talk, "talk"))
    shifted = io.BytesIO(b"skipped" + wav(talk))
    shifted.seek(7)
    for source in (path, wav(talk), io.BytesIO(wav(talk)), shifted):
        for threads in (1, 3):
            if hasattr(source, "seek") and threads > 1:
                continue
            assert_same_tracks(recogniser.timeline(source, threads=threads), expected)


def test_a_stream_refers_to_the_windows_before(recogniser: Recogniser, talk: np.ndarray) -> None:
    stream = recogniser.stream(RATE_HZ, threads=2)
    returned = []
    for start in range(0, len(talk), 7_000):
        returned += stream.push(talk[start : start + 7_000])
    timeline = stream.finish()
    counts = [part.prediction.reference_clips for part in returned if part.prediction]
    assert counts[: MIN_CLIPS + 2] == [0] * MIN_CLIPS + [MIN_CLIPS, MIN_CLIPS + 1]
    assert timeline.adaptation == "stream"
    windows = [talk[start : start + 48_000] for start in range(0, len(talk) - 48_000, 24_000)]
    for k, part in enumerate(returned):
        assert part.prediction is not None
        mean = np.mean([tiny_model.features(window) for window in windows[:k]], 0) if k >= MIN_CLIPS else 0.0
        assert_allclose(part.prediction.probabilities, tiny_model.expected(windows[k], mean=mean), atol=1e-4)
    again = recogniser.stream(RATE_HZ)
    again.feed(talk)
    assert_same_tracks(again.finish(), timeline)
    plain = recogniser.stream(RATE_HZ, adapt=False)
    plain.feed(talk)
    assert_same_tracks(plain.finish(), recogniser.timeline(talk, RATE_HZ, adapt=False))


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_what_cannot_be_read_twice_is_processed_like_a_stream(
    recogniser: Recogniser, talk: np.ndarray, tmp_path: Path
) -> None:
    stream = recogniser.stream(RATE_HZ)
    stream.feed(talk)
    expected = stream.finish()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(wav(talk),))
    writer.start()
    assert_same_tracks(recogniser.timeline(pipe), expected)
    writer.join()

    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert_same_tracks(recogniser.timeline(Unseekable(wav(talk))), expected)


def test_progress_counts_both_passes(recogniser: Recogniser, talk: np.ndarray) -> None:
    positions_s: list[float] = []
    recogniser.timeline(wav(talk), on_progress=positions_s.append)
    assert all(before <= after for before, after in pairwise(positions_s))
    assert positions_s[-1] == pytest.approx(len(talk) / RATE_HZ)
    assert sum(position < len(talk) / RATE_HZ / 2 for position in positions_s) >= 1


def test_a_file_that_changes_between_the_passes_is_refused(
    recogniser: Recogniser, talk: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(talk))

    def shorten(processed_s: float) -> None:
        if processed_s == pytest.approx(len(talk) / RATE_HZ / 2):
            path.write_bytes(wav(talk[: len(talk) // 2]))

    with pytest.raises(AudioError, match=r"talk\.wav: has changed"):
        recogniser.timeline(path, on_progress=shorten)


def test_a_long_recording_is_measured_at_growing_intervals(
    recogniser: Recogniser, talk: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overtone.inference.two_passes.WINDOWS_PER_INTERVAL", 4)
    counts = set(reference_counts(recogniser.timeline(np.tile(talk, 4), RATE_HZ)))
    windows = (4 * len(talk) - 48_000) // 24_000 + 2
    assert max(counts) < windows / 2


def test_thinned_windows_stand_for_those_that_are_skipped() -> None:
    thinning = _Thinning()
    weights = [thinning.next_weight() for _ in range(24_000)]
    assert weights[:WINDOWS_PER_INTERVAL] == [1] * WINDOWS_PER_INTERVAL
    assert weights[WINDOWS_PER_INTERVAL : WINDOWS_PER_INTERVAL + 4] == [2, 0, 2, 0]
    selected = np.array([weight for weight in weights if weight])
    assert len(selected) < 640
    assert sum(selected) == pytest.approx(24_000, rel=0.02)
    assert sum(selected) ** 2 / sum(selected**2) > 150  # effective number of windows
