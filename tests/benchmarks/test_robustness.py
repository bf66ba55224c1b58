"""The benchmark of recording conditions: which clips are tested, and what is counted."""

import json
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import tiny_model
from small_corpus import Run

from benchmarks import model_tests, robustness
from benchmarks.model_tests import GIVEN_MODEL, ModelTest, limited
from benchmarks.recording_conditions import CONDITIONS
from benchmarks.robustness import main, measure, restricted
from overtone.datatypes import Prediction, Utterance
from overtone.errors import InputError, OptionError
from overtone.inference.recogniser import load

pytest.importorskip("av", reason="the condition 'Opus' encodes with PyAV")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", uncertain_below=0.2)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Utterance, ...]:
    """Return the clips of a small corpus of four emotions."""
    return small_corpus.clips(
        small_corpus.write(tmp_path_factory.mktemp("data") / "ravdess", small_corpus.FEW_EMOTIONS)
    )


def few(test: ModelTest) -> ModelTest:
    return limited(test, 5)


def test_every_condition_is_scored(model: Path, clips: tuple[Utterance, ...]) -> None:
    rows = measure([few(test) for test in model_tests.from_model(model, clips)], clips)
    assert [row["condition"] for row in rows] == [condition.name for condition in CONDITIONS]
    clean = rows[0]
    assert (clean["protocol"], clean["recipe"], clean["corpus"], clean["n"]) == (GIVEN_MODEL, "tiny", "ravdess", 5)
    assert clean["changed"] == 0
    assert all(0 <= row["sure_wrong"] <= row["sure"] <= 1 and 0 <= row["uar"] <= 1 for row in rows)


def test_scores_are_those_of_the_predictions(model: Path, clips: tuple[Utterance, ...]) -> None:
    test = few(model_tests.from_model(model, clips)[0])
    classes = small_corpus.FEW_EMOTIONS
    assert {clip.emotion for clip in test.clips} < {*classes}, "the classes are those of the corpus, not of a few clips"
    predictions = [restricted(load(model).recognise(clip.path), classes) for clip in test.clips]
    right = [p.emotion == clip.emotion for p, clip in zip(predictions, test.clips, strict=True)]
    recalls = [
        np.mean([r for r, clip in zip(right, test.clips, strict=True) if clip.emotion == emotion])
        for emotion in {clip.emotion for clip in test.clips}
    ]
    sure = [not p.uncertain for p in predictions]
    clean = measure([test], clips)[0]
    assert clean["uar"] == pytest.approx(np.mean(recalls))
    assert clean["sure"] == pytest.approx(np.mean(sure))
    assert clean["sure_wrong"] == pytest.approx(np.mean([s and not r for s, r in zip(sure, right, strict=True)]))


def test_the_same_clips_are_chosen_from_any_order(model: Path, clips: tuple[Utterance, ...]) -> None:
    (test,), (reverse,) = model_tests.from_model(model, clips), model_tests.from_model(model, clips[::-1])
    assert limited(test, 7).clips == limited(reverse, 7).clips
    assert limited(test, 3).clips == limited(test, 7).clips[:3]
    assert len(limited(test, None).clips) == len(clips)


def test_only_some_speakers(model: Path, clips: tuple[Utterance, ...]) -> None:
    (test,) = model_tests.from_model(model, clips, speakers=["03", "04"])
    assert {clip.speaker for clip in test.clips} == {"03", "04"}
    with pytest.raises(OptionError):
        model_tests.from_model(model, clips, speakers=["99"])


def test_classes_that_the_corpus_lacks_are_folded_or_dropped() -> None:
    emotions = ("neutral", "calm", "happy", "sad")
    prediction = Prediction(emotions, np.array([0.1, 0.3, 0.2, 0.4]), uncertain_below=0.5)
    found = restricted(prediction, ("neutral", "happy"))
    assert found.emotion == "neutral" and not found.uncertain
    assert found.probabilities.tolist() == pytest.approx([0.4 / 0.6, 0.2 / 0.6])
    assert restricted(prediction, emotions).probabilities == pytest.approx(prediction.probabilities)


def test_refused_audio_is_wrong_and_not_sure(
    model: Path, clips: tuple[Utterance, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overtone.inference.inputs.SILENCE", 0.02)  # above the level of the quiet condition
    rows = {row["condition"]: row for row in measure([few(model_tests.from_model(model, clips)[0])], clips)}
    quiet = rows["quiet -30 dB"]
    assert (quiet["uar"], quiet["sure"], quiet["changed"]) == (0, 0, 1)
    assert rows["clean"]["n"] == quiet["n"]


def test_a_run_is_tested_on_its_test_clips(trained: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_bytes((trained.folder / "run.json").read_bytes())
    tiny_model.write(folder / "model.onnx")
    (test,) = model_tests.from_run(folder, trained.clips)
    expected = json.loads((folder / "run.json").read_text())["split"]["fusion"]["test"]
    assert {clip.clip for clip in test.clips} == set(expected)
    assert (test.protocol, test.recipe) == ("luna5", "joint")
    with pytest.raises(InputError, match="test clips"):
        model_tests.from_run(folder, trained.clips[:20])


def test_a_file_lists_models_and_clips(model: Path, clips: tuple[Utterance, ...], tmp_path: Path) -> None:
    listed = tmp_path / "tests.json"
    names = [clip.clip for clip in clips[:3]]
    listed.write_text(json.dumps([{"model": str(model), "corpus": "ravdess", "clips": names, "protocol": "cross"}]))
    (test,) = model_tests.from_file(listed, clips)
    assert [clip.clip for clip in test.clips] == names and test.protocol == "cross"
    for damaged in ("", "{}", '[{"corpus": "ravdess"}]', json.dumps([{"model": "x", "speaker": ["1"]}])):
        listed.write_text(damaged)
        with pytest.raises(InputError, match=r"tests\.json"):
            model_tests.from_file(listed, clips)


def test_the_command_writes_the_file(model: Path, clips: tuple[Utterance, ...], tmp_path: Path) -> None:
    data, output = clips[0].path.parents[1], tmp_path / "robustness.json"
    options = ["--data", f"ravdess={data}", "--model", str(model), "--clips", "2", "--output", str(output)]
    assert main(options) == 0
    content = json.loads(output.read_text())
    assert len(content["rows"]) == len(content["conditions"]) == len(CONDITIONS)
    assert main([*options, "--speakers", "99"]) == 1


def test_results_of_other_recipes_are_kept(
    model: Path, clips: tuple[Utterance, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, output = clips[0].path.parents[1], tmp_path / "robustness.json"
    options = ["--data", f"ravdess={data}", "--model", str(model), "--clips", "1", "--output", str(output)]
    assert main(options) == 0
    content = json.loads(output.read_text())
    other = {**content["rows"][0], "recipe": "other"}
    output.write_text(json.dumps({**content, "rows": [other, *content["rows"]]}))
    assert main(options) == 0
    assert json.loads(output.read_text())["rows"] == [other, *content["rows"]]
    output.write_text(json.dumps({"conditions": {"fog": "another one"}, "rows": [other]}))
    assert main(options) == 0
    assert json.loads(output.read_text()) == content
    output.write_text("[]")
    assert main(options) == 1
    assert str(output) in capsys.readouterr().err and output.read_text() == "[]"


@pytest.mark.slow
def test_several_processes_give_the_same_rows(model: Path, clips: tuple[Utterance, ...]) -> None:
    tests = [few(model_tests.from_model(model, clips)[0])]
    assert measure(tests, clips, processes=2) == measure(tests, clips)


def test_workers_recognise_one_clip_under_all_conditions(model: Path, clips: tuple[Utterance, ...]) -> None:
    task = robustness.Task(model, clips[0], load(model).emotions, clips[:6])
    assert list(robustness.recognise_under_conditions(task)) == [condition.name for condition in CONDITIONS]
