"""Predictions for labelled clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, voice

from overtone.datatypes import Utterance
from overtone.errors import InputError, OvertoneError
from overtone.inference.labelled_clips import predict_clips
from overtone.inference.recogniser import Recogniser


def fail(utterance: Utterance, error: OvertoneError) -> None:
    raise error


def test_predictions_of_intervals(clips: list[Utterance], recogniser: Recogniser) -> None:
    steps: list[tuple[int, int, str]] = []
    first, second = predict_clips([recogniser, recogniser], clips, fail, lambda *step: steps.append(step))
    samples = soundfile.read(clips[0].path)[0]
    expected = [tiny_model.expected(samples[k * RATE_HZ : (k + 1) * RATE_HZ]) for k in range(3)]
    np.testing.assert_allclose(first.probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert first.emotions == recogniser.emotions
    assert [first.path.tolist(), first.truth.tolist()] == [[clip.clip for clip in clips], ["neutral", "happy", "sad"]]
    assert (set(first.corpus.tolist()), first.speaker.tolist()) == ({"ravdess"}, ["s0", "s0", "s1"])
    assert steps == [(1, 3, "talk#0"), (2, 3, "talk#1"), (3, 3, "talk#2")]


def test_predictions_of_channels(clips: list[Utterance], recogniser: Recogniser) -> None:
    samples = np.stack([voice(100, 1.0, 0.3), voice(200, 1.0, 0.1)], 1)
    soundfile.write(clips[0].path, samples, RATE_HZ, "FLOAT")
    sides = [replace(clips[0], clip=f"talk#{channel}", channel=channel) for channel in ("left", "2")]
    (found,) = predict_clips([recogniser], sides, fail)
    expected = [tiny_model.expected(side) for side in samples.T]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)


def test_a_clip_that_cannot_be_read_is_reported_and_left_out(clips: list[Utterance], recogniser: Recogniser) -> None:
    missing = replace(clips[1], path=Path("nowhere.wav"))
    failed: list[tuple[str, str]] = []
    (found,) = predict_clips(
        [recogniser], [clips[0], missing, clips[2]], lambda clip, error: failed.append((clip.clip, str(error)))
    )
    assert found.path.tolist() == ["talk#0", "talk#2"]
    assert [name for name, _ in failed] == ["talk#1"]
    assert "nowhere.wav" in failed[0][1]
    with pytest.raises(InputError, match="none of the 1 labelled clips can be recognised"):
        predict_clips([recogniser], [missing], lambda clip, error: None)


def test_a_clip_that_is_given_twice_is_an_error(clips: list[Utterance], recogniser: Recogniser) -> None:
    with pytest.raises(InputError, match="clip talk#0 of corpus ravdess is given twice; give each corpus once"):
        predict_clips([recogniser], [*clips, clips[0]], fail)
