"""Predictions for labelled clips, and the leak audit of a model on them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, voice

from overtone.datatypes import Utterance
from overtone.errors import InputError, OvertoneError
from overtone.inference.labelled_clips import predict_clips, training_overlap
from overtone.inference.recogniser import Recogniser, load

EMOTIONS = ("neutral", "happy", "sad")


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    """Return three clips of two speakers, in one file."""
    path = tmp_path / "talk.wav"
    soundfile.write(path, np.concatenate([voice(100.0 * k, 1.0, 0.1 * k) for k in (1, 2, 3)]), RATE_HZ, "FLOAT")
    return [
        Utterance(path, emotion, f"s{k // 2}", "1", "ravdess", float(k), k + 1.0, clip=f"talk#{k}")
        for k, emotion in enumerate(EMOTIONS)
    ]


@pytest.fixture
def recogniser(tmp_path: Path) -> Recogniser:
    """Return a tiny model."""
    return load(tiny_model.write(tmp_path / "tiny.onnx"))


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
    assert [first.path.tolist(), first.truth.tolist()] == [[clip.clip for clip in clips], list(EMOTIONS)]
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


def test_the_card_tells_the_corpora_of_the_training(clips: list[Utterance], recogniser: Recogniser) -> None:
    text = training_overlap(recogniser, [*clips, replace(clips[0], corpus="emodb")])
    assert text == "trained on ravdess (1440 clips), perhaps on some or all of 3 test clips and their speakers"
    assert training_overlap(recogniser, [replace(clip, corpus="emodb") for clip in clips]) == ""


def test_the_run_of_a_model_tells_its_clips(clips: list[Utterance], recogniser: Recogniser, tmp_path: Path) -> None:
    card = recogniser.card
    run = {key: card[key] for key in ("recipe", "seed", "protocol")}
    run["split"] = {"fusion": {"train": ["other"], "validation": ["talk#2"], "test": ["talk#0", "talk#1"]}}
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert training_overlap(recogniser, clips) == (
        "trained or chosen on: 1 of 3 test clips, 1 of 2 test speakers, 1 of 1 test sentences"
    )
    assert training_overlap(recogniser, clips[:2]) == ""
    assert training_overlap(recogniser, [replace(clips[2], corpus="emodb")]) == ""
    (tmp_path / "run.json").write_text(json.dumps({**run, "seed": 5}))  # of another model
    assert training_overlap(recogniser, clips[:2]).startswith("trained on ravdess")


def test_corpora_of_the_run_that_gave_the_initial_weights_count_as_seen(clips: list[Utterance], tmp_path: Path) -> None:
    recogniser = load(tiny_model.write(tmp_path / "init.onnx", init_corpora=["emodb"]))
    card = recogniser.card
    run = {key: card[key] for key in ("recipe", "seed", "protocol")}
    (tmp_path / "run.json").write_text(json.dumps({**run, "split": {}}))
    assert training_overlap(recogniser, clips) == ""
    assert "3 of 3 test clips" in training_overlap(recogniser, [replace(clip, corpus="emodb") for clip in clips])
