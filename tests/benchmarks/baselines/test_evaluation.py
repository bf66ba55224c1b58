"""Folds of a baseline: who has a say in whose answer, and what is written."""

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
from benchmarks.baselines.evaluation import answers_of, evaluate
from overtone.datatypes import Utterance
from overtone.errors import OptionError
from overtone.evaluation import oof_files, protocols

EMOTIONS = ("neutral", "sad", "angry")
PARTS = ("svm", "adapted")


@pytest.fixture
def clips() -> list[Utterance]:
    """6 speakers x 3 emotions x 2 sentences x 3."""
    return [
        Utterance(Path(), emotion, str(speaker), sentence, "manifest", clip=f"{speaker}-{emotion}-{sentence}-{k}")
        for speaker in range(6)
        for emotion in EMOTIONS
        for sentence in ("door", "kids")
        for k in range(3)
    ]


@pytest.fixture
def features(clips: list[Utterance], rng: np.random.Generator) -> np.ndarray:
    """A feature per emotion and two of noise."""
    found = rng.standard_normal((len(clips), 5))
    found[np.arange(len(clips)), [EMOTIONS.index(clip.emotion) for clip in clips]] += 2
    return found


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "versions", lambda: {"opensmile": "2.6.0"})  # it need not be installed


def probabilities(clips: list[Utterance], features: np.ndarray, split: protocols.Split) -> dict[str, np.ndarray]:
    return {part: found.probabilities for part, found in answers_of(clips, features, split, BASELINES["egemaps"])}


def test_another_test_clip_has_a_say_in_adapted_answers_alone(clips: list[Utterance], features: np.ndarray) -> None:
    split = protocols.make_folds("loso", clips)[0]
    others = features.copy()
    others[list(split.test[1:])] += 50
    before, after = (probabilities(clips, rows, split) for rows in (features, others))
    np.testing.assert_allclose(after["svm"][0], before["svm"][0], rtol=1e-9)
    assert np.abs(after["adapted"][0] - before["adapted"][0]).max() > 0.1


def test_adapted_answers_do_not_depend_on_what_is_a_speakers_own(clips: list[Utterance], features: np.ndarray) -> None:
    split = protocols.make_folds("loso", clips)[0]
    other_voice = features.copy()
    other_voice[list(split.test)] = 3 * features[list(split.test)] + 7
    before, after = (probabilities(clips, rows, split) for rows in (features, other_voice))
    np.testing.assert_allclose(after["adapted"], before["adapted"], rtol=1e-6)
    assert np.abs(after["svm"] - before["svm"]).max() > 0.1


def test_clips_outside_the_fold_have_no_say(clips: list[Utterance], features: np.ndarray) -> None:
    split = protocols.make_folds("sentence", clips)[0]
    outside = sorted(set(range(len(clips))) - {*split.train, *split.validation, *split.test})
    assert outside
    others = features.copy()
    others[outside] += 50
    before, after = (probabilities(clips, rows, split) for rows in (features, others))
    for part in PARTS:
        np.testing.assert_array_equal(after[part], before[part])


def test_speakers_of_two_corpora_are_two(clips: list[Utterance], features: np.ndarray) -> None:
    """Speakers 0 to 5 of the second corpus have other voices, which adapting must not take for those of the first."""
    both = [*clips, *(replace(clip, corpus="ravdess", clip=f"r{clip.clip}") for clip in clips)]
    split = protocols.make_folds("cross", both)[0]
    rows = np.vstack([features, features])
    other_voice = np.vstack([features, 3 * features + 7])
    before, after = (probabilities(both, each, split) for each in (rows, other_voice))
    np.testing.assert_allclose(after["adapted"], before["adapted"], rtol=1e-6)


def test_files_are_those_of_an_evaluation(clips: list[Utterance], features: np.ndarray, tmp_path: Path) -> None:
    told = []
    evaluate(clips, features, "egemaps", "random", [3, 4], tmp_path, progress=lambda *step: told.append(step))
    names = {"random-egemaps-svm-svm.csv", "random-egemaps-svm-adapted.csv", "random-egemaps-svm.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    tested = {(clips[i].clip, seed) for seed in (3, 4) for i in protocols.make_folds("random", clips, seed)[0].test}
    for part in PARTS:
        found = oof_files.read(oof_files.csv_path(tmp_path, "random", "egemaps-svm", part))
        assert found.emotions == EMOTIONS
        assert set(zip(found.path.tolist(), found.seed.tolist(), strict=True)) == tested
        right = np.array(EMOTIONS)[found.probabilities.argmax(axis=1)] == found.truth
        assert right.mean() > 0.7
    assert told[-1] == (2, 2, "random, fold 1")


def test_audits_tell_who_was_trained_on_and_how(clips: list[Utterance], features: np.ndarray, tmp_path: Path) -> None:
    evaluate(clips, features, "egemaps", "loso", [0], tmp_path)
    held = oof_files.read_record(oof_files.record_path(tmp_path, "loso", "egemaps-svm"))
    assert (held.protocol, held.recipe, held.seeds, held.versions) == (
        "loso",
        "egemaps-svm",
        (0,),
        {"opensmile": "2.6.0"},
    )
    assert (held.settings["name"], held.settings["clips"]) == ("egemaps-svm", {"manifest": 108})
    assert (held.settings["features"], held.settings["feature_count"]) == ("eGeMAPSv02", 5)
    assert set(held.parts) == set(PARTS)
    for part, audit in held.parts.items():
        assert (audit.test_clips, audit.test_speakers, audit.shared_speakers, audit.seen_clips) == (108, 6, 0, 0)
        assert audit.shared_sentences == 12
        assert len(held.settings["c_chosen"][part]) == 6
        assert set(held.settings["c_chosen"][part]) <= set(held.settings["c_grid"])


def test_one_fold_alone(clips: list[Utterance], features: np.ndarray, tmp_path: Path) -> None:
    evaluate(clips, features, "compare", "loso", [0], tmp_path, fold="2")
    found = oof_files.read(oof_files.csv_path(tmp_path, "loso", "compare-svm", "svm"))
    assert set(found.speaker) == set(found.fold) == {"2"}
    assert len(found) == 18


@pytest.mark.parametrize(
    ("protocol", "fold", "message"),
    [
        ("paper", None, "do not take protocol 'paper'"),
        ("all", None, "do not take protocol 'all'"),
        ("los", None, "did you mean 'loso'"),
        ("loso", "7", "protocol 'loso' has no fold '7'"),
    ],
)
def test_what_does_not_exist_is_named(
    clips: list[Utterance], features: np.ndarray, tmp_path: Path, protocol: str, fold: str | None, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        evaluate(clips, features, "egemaps", protocol, [0], tmp_path, fold)
    assert not list(tmp_path.iterdir())


def test_nameless_speakers_are_told(clips: list[Utterance], features: np.ndarray, tmp_path: Path) -> None:
    nameless = [replace(clip, speaker="") for clip in clips]
    with pytest.raises(OptionError, match="who speaks"):
        evaluate(nameless, features, "egemaps", "random", [0], tmp_path)


def test_command_goes_from_a_corpus_to_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    class Smile:
        def __init__(self, feature_set: str) -> None: ...

        def process_signal(self, samples: np.ndarray, rate_hz: int) -> np.ndarray:
            spectrum = np.abs(np.fft.rfft(samples, rate_hz))[:2000].reshape(40, 50).sum(axis=1)
            return np.log(spectrum[None] + 1e-3)

    stand_in = SimpleNamespace(__version__="2.6.0", FeatureSet={"eGeMAPSv02": "e"}, Smile=Smile)
    monkeypatch.setitem(sys.modules, "opensmile", stand_in)
    folder = small_corpus.write(tmp_path / "ravdess", small_corpus.FEW_EMOTIONS)
    where = [f"--oof={tmp_path / 'oof'}", f"--cache={tmp_path / 'kept'}"]
    assert main([f"--data=ravdess={folder}", "--features=egemaps", "--protocol=luna5", *where]) == 0
    assert len(list((tmp_path / "kept").iterdir())) == 24 * len(small_corpus.FEW_EMOTIONS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"egemaps-svm, {part}, luna5" for part in PARTS]
    assert all("trained or chosen on: 0 of 96 test clips, 0 of 24 test speakers" in line for line in lines)


def test_command_without_opensmile_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    assert main([f"--data={tmp_path}", "--features=compare"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("overtone: the baselines need opensmile: pip install 'overtone[baselines]'")
    assert len(said.splitlines()) == 1
