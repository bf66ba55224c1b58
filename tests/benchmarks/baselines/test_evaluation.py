"""Folds of a baseline: which clips affect which predictions, and which files are written."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import small_corpus

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.baselines import BASELINES, evaluation
from benchmarks.baselines.__main__ import main
from benchmarks.baselines.evaluation import evaluate, predict_fold
from overtone.datatypes import Utterance
from overtone.errors import OptionError
from overtone.evaluation import oof_files, protocols

EMOTIONS = ("neutral", "sad", "angry")
PARTS = ("svm", "adapted")


@pytest.fixture
def clips() -> list[Utterance]:
    """6 speakers x 3 emotions x 2 sentences x 3."""
    return [
        Utterance(Path(name), emotion, str(speaker), sentence, "manifest", clip=name)
        for speaker in range(6)
        for emotion in EMOTIONS
        for sentence in ("door", "kids")
        for k in range(3)
        for name in (f"{speaker}-{emotion}-{sentence}-{k}",)
    ]


@pytest.fixture
def features(clips: list[Utterance], rng: np.random.Generator) -> np.ndarray:
    """A feature per emotion and two of noise."""
    rows = rng.standard_normal((len(clips), 5))
    rows[np.arange(len(clips)), [EMOTIONS.index(clip.emotion) for clip in clips]] += 2
    return rows


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "package_versions", lambda: {"opensmile": "2.6.0"})  # which need not be installed


def probabilities(clips: list[Utterance], features: np.ndarray, split: protocols.Split) -> dict[str, np.ndarray]:
    return {
        part: predictions.probabilities
        for part, predictions in predict_fold(clips, features, split, BASELINES["egemaps"])
    }


def test_other_test_clips_affect_adapted_predictions_only(clips: list[Utterance], features: np.ndarray) -> None:
    split = protocols.make_folds("loso", clips)[0]
    changed = features.copy()
    changed[list(split.test[1:])] += 50
    before, after = (probabilities(clips, rows, split) for rows in (features, changed))
    np.testing.assert_allclose(after["svm"][0], before["svm"][0], rtol=1e-9)
    assert np.abs(after["adapted"][0] - before["adapted"][0]).max() > 0.1


def test_adapted_predictions_ignore_an_affine_transform_of_the_speaker(
    clips: list[Utterance], features: np.ndarray
) -> None:
    split = protocols.make_folds("loso", clips)[0]
    transformed = features.copy()
    transformed[list(split.test)] = 3 * features[list(split.test)] + 7
    before, after = (probabilities(clips, rows, split) for rows in (features, transformed))
    np.testing.assert_allclose(after["adapted"], before["adapted"], rtol=1e-6)
    assert np.abs(after["svm"] - before["svm"]).max() > 0.1


def test_clips_outside_the_fold_have_no_effect(clips: list[Utterance], features: np.ndarray) -> None:
    split = protocols.make_folds("sentence", clips)[0]
    outside = sorted(set(range(len(clips))) - {*split.train, *split.validation, *split.test})
    assert outside
    changed = features.copy()
    changed[outside] += 50
    before, after = (probabilities(clips, rows, split) for rows in (features, changed))
    for part in PARTS:
        np.testing.assert_array_equal(after[part], before[part])


def test_equal_speaker_names_in_two_corpora_are_different_speakers(
    clips: list[Utterance], features: np.ndarray
) -> None:
    """The features of the second corpus differ, so normalising speakers 0 to 5 together would change the result."""
    both = [*clips, *(replace(clip, corpus="ravdess", clip=f"r{clip.clip}") for clip in clips)]
    split = protocols.make_folds("cross", both)[0]
    rows = np.vstack([features, features])
    transformed = np.vstack([features, 3 * features + 7])
    before, after = (probabilities(both, each, split) for each in (rows, transformed))
    np.testing.assert_allclose(after["adapted"], before["adapted"], rtol=1e-6)


def test_files_are_those_of_overtone_evaluate(clips: list[Utterance], features: np.ndarray, tmp_path: Path) -> None:
    progress = []
    evaluate(clips, features, "egemaps", "random", [3, 4], tmp_path, progress=lambda *step: progress.append(step))
    names = {"random-egemaps-svm-svm.csv", "random-egemaps-svm-adapted.csv", "random-egemaps-svm.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    expected = {(clips[i].clip, seed) for seed in (3, 4) for i in protocols.make_folds("random", clips, seed)[0].test}
    for part in PARTS:
        predictions = oof_files.read(oof_files.csv_path(tmp_path, "random", "egemaps-svm", part))
        assert predictions.emotions == EMOTIONS
        assert set(zip(predictions.path.tolist(), predictions.seed.tolist(), strict=True)) == expected
        is_correct = np.array(EMOTIONS)[predictions.probabilities.argmax(axis=1)] == predictions.truth
        assert is_correct.mean() > 0.7
    assert progress[-1] == (2, 2, "random, fold 1")


def test_the_run_record_contains_settings_and_audits(
    clips: list[Utterance], features: np.ndarray, tmp_path: Path
) -> None:
    evaluate(clips, features, "egemaps", "loso", [0], tmp_path)
    record = oof_files.read_record(oof_files.record_path(tmp_path, "loso", "egemaps-svm"))
    assert (record.protocol, record.recipe, record.seeds, record.versions) == (
        "loso",
        "egemaps-svm",
        (0,),
        {"opensmile": "2.6.0"},
    )
    assert (record.settings["name"], record.settings["clips"]) == ("egemaps-svm", {"manifest": 108})
    assert (record.settings["features"], record.settings["feature_count"]) == ("eGeMAPSv02", 5)
    assert set(record.parts) == set(PARTS)
    for part, audit in record.parts.items():
        assert (audit.test_clips, audit.test_speakers, audit.shared_speakers, audit.seen_clips) == (108, 6, 0, 0)
        assert (audit.test_sentences, audit.shared_sentences) == (2, 2)
        assert len(record.settings["c_chosen"][part]) == 6
        assert set(record.settings["c_chosen"][part]) <= set(record.settings["c_grid"])


def test_one_fold_alone(clips: list[Utterance], features: np.ndarray, tmp_path: Path) -> None:
    evaluate(clips, features, "compare", "loso", [0], tmp_path, fold="2")
    predictions = oof_files.read(oof_files.csv_path(tmp_path, "loso", "compare-svm", "svm"))
    assert set(predictions.speaker) == set(predictions.fold) == {"2"}
    assert len(predictions) == 18


@pytest.mark.parametrize(
    ("protocol", "fold", "message"),
    [
        ("paper", None, "do not support protocol 'paper'"),
        ("all", None, "do not support protocol 'all'"),
        ("los", None, "did you mean 'loso'"),
        ("loso", "7", "protocol 'loso' has no fold '7'"),
    ],
)
def test_invalid_protocols_and_folds_are_reported(
    clips: list[Utterance], features: np.ndarray, tmp_path: Path, protocol: str, fold: str | None, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        evaluate(clips, features, "egemaps", protocol, [0], tmp_path, fold)
    assert not list(tmp_path.iterdir())


def test_unknown_speakers_are_reported(clips: list[Utterance], features: np.ndarray, tmp_path: Path) -> None:
    unknown = [replace(clip, speaker="") for clip in clips]
    with pytest.raises(OptionError, match="speaker of every clip"):
        evaluate(unknown, features, "egemaps", "random", [0], tmp_path)


def test_the_command_reads_a_corpus_and_prints_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    class Smile:
        def __init__(self, feature_set: str) -> None: ...

        def process_signal(self, samples: np.ndarray, rate_hz: int) -> np.ndarray:
            spectrum = np.abs(np.fft.rfft(samples, rate_hz))[:2000].reshape(40, 50).sum(axis=1)
            return np.log(spectrum[None] + 1e-3)

    fake = SimpleNamespace(__version__="2.6.0", FeatureSet={"eGeMAPSv02": "e"}, Smile=Smile)
    monkeypatch.setitem(sys.modules, "opensmile", fake)
    folder = small_corpus.write(tmp_path / "ravdess", small_corpus.FEW_EMOTIONS)
    folders = [f"--oof={tmp_path / 'oof'}", f"--cache={tmp_path / 'cache'}"]
    assert main([f"--data=ravdess={folder}", "--features=egemaps", "--protocol=luna5", *folders]) == 0
    assert len(list((tmp_path / "cache").iterdir())) == 24 * len(small_corpus.FEW_EMOTIONS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"egemaps-svm, {part}, luna5" for part in PARTS]
    assert all("trained or chosen on: 0 of 96 test clips, 0 of 24 test speakers" in line for line in lines)


def test_the_command_without_opensmile_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    assert main([f"--data={tmp_path}", "--features=compare"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("overtone: the baselines need opensmile: pip install 'overtone[baselines]'")
    assert len(message.splitlines()) == 1


def test_unseen_corpora_are_a_choice_among_their_own_classes(rng: np.random.Generator, tmp_path: Path) -> None:
    classes = {
        "emodb": ("sad", "angry", "bored"),
        "emovo": ("sad", "angry", "happy"),
        "nemo": ("sad", "angry", "happy"),
    }
    clips = [
        Utterance(Path(name), emotion, str(speaker), "", corpus, clip=name)
        for corpus, emotions in classes.items()
        for speaker in range(4)
        for emotion in emotions
        for k in range(3)
        for name in (f"{corpus}-{speaker}-{emotion}-{k}",)
    ]
    rows = rng.standard_normal((len(clips), 5))
    evaluate(clips, rows, "compare", "unseen-corpus", [0], tmp_path)
    for part in PARTS:
        table = oof_files.read(oof_files.csv_path(tmp_path, "unseen-corpus", "compare-svm", part))
        assert table.emotions == ("happy", "sad", "angry", "bored")
        assert set(table.corpus.tolist()) == set(classes) == set(table.fold.tolist())
        of_emodb = table.fold == "emodb"
        assert of_emodb.sum() == 24, "no other corpus has this class"
        assert (table.probabilities[of_emodb] > 0).tolist() == [[False, True, True, False]] * 24
        assert (table.probabilities[~of_emodb] > 0).tolist() == [[True, True, True, False]] * 72
