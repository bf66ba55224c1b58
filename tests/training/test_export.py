"""Export of a finished run: the model file, its card, the card as Markdown, and the scores that they quote."""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import pytest
import small_corpus
import torch
from results_files import unseen_corpora
from small_corpus import Corpus, Run

import overtone
from overtone.audio.decode import read
from overtone.cli.info import card_to_text
from overtone.datatypes import LeakAudit
from overtone.errors import InputError, ModelError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.oof_files import RunRecord
from overtone.evaluation.subgroups import card_rows
from overtone.inference.model_card import CARD_KEY, read_card
from overtone.recipe import read_recipe
from overtone.training import export as export_module
from overtone.training.card_builder import (
    make_card,
    measured_protocols,
    oof_score_rows,
    run_score_rows,
)
from overtone.training.card_markdown import card_to_markdown
from overtone.training.export import export_run, select_check_clips
from overtone.training.run_config import RunConfig, run_metadata
from overtone.training.run_folder import load_network, own_scores, read_run, run_settings

pytestmark = pytest.mark.slow
PHASED = json.loads(json.dumps(small_corpus.recipe(small_corpus.PHASED).as_dict()))  # as in run.json


class ExportedRun(NamedTuple):
    """A model file and its run folder."""

    path: Path
    folder: Path


@pytest.fixture(scope="module")
def exported(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> ExportedRun:
    """Return the only real export of this module, which takes half a minute."""
    folder = shutil.copytree(trained.folder, tmp_path_factory.mktemp("exported") / "first")
    return ExportedRun(export_run(trained.clips, folder, model_id="first-1"), folder)


@pytest.fixture
def export_stub(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace `export_onnx` with a stub, and return a dict that receives its arguments."""
    arguments: dict[str, Any] = {}

    def export_onnx(network: object, card: dict[str, Any], waveforms: list, path: Path) -> float:
        arguments.update(card=card, waveforms=waveforms, path=path)
        return 1e-6

    monkeypatch.setattr(export_module, "export_onnx", export_onnx)
    return arguments


def test_the_file_gives_the_predictions_of_the_network(exported: ExportedRun, trained: Run) -> None:
    network, _ = load_network(exported.folder)
    recogniser = overtone.load(exported.path)
    for clip in (trained.clips[0], trained.clips[101]):
        prediction = recogniser.recognise(clip.path)
        with torch.inference_mode():
            outputs = network(torch.from_numpy(read(clip.path).samples)[None])
        expected = {name: values[0].numpy() for name, values in zip(network.output_names, outputs, strict=True)}
        assert prediction.probabilities == pytest.approx(expected["probabilities"], abs=1e-3)
        assert list(prediction.branches) == ["mel", "prosody"]
        for branch, probabilities in prediction.branches.items():
            assert probabilities == pytest.approx(expected[f"{branch}_probabilities"], abs=1e-3)
        assert prediction.model == "first-1"


def test_the_file_contains_a_readable_card(exported: ExportedRun, trained: Run) -> None:
    metadata = onnxruntime.InferenceSession(exported.path).get_modelmeta().custom_metadata_map
    card = read_card(metadata, "model")
    assert (card["id"], card["licence"], card["protocol"]) == ("first-1", "CC BY-NC-SA 4.0", "luna5")
    assert (card["training_clips"], card["validation_clips"], card["scores_of"]) == (120, 32, "this file")
    table = oof_files.read(exported.folder / "predictions-fusion.csv")
    correct = np.array(table.emotions)[table.probabilities.argmax(1)] == table.truth
    fusion = card["scores"][0]
    assert (fusion["protocol"], fusion["part"], fusion["clips"], fusion["seeds"]) == ("luna5", "fusion", 40, 1)
    assert fusion["wa"] == pytest.approx(correct.mean(), abs=1e-4)
    assert fusion["audit"] == read_run(exported.folder)["audits"]["fusion"]


def test_model_md_describes_the_model(exported: ExportedRun) -> None:
    text = (exported.folder / "model.md").read_text("utf-8")
    assert text.startswith("# Model card: first-1\n")
    assert "trained on 120 clips, with the epoch selected on 32 clips of other speakers" in text
    assert "A prediction with a confidence below 50% is marked as uncertain." in text
    assert "Licence of the weights: CC BY-NC-SA 4.0" in text
    assert "acted speech is not felt emotion" in text and "AI Act" in text
    assert "Scores of this file itself, on its test set" in text
    assert "0 of 40 test clips" in text
    assert "onnxruntime and torch differ by at most" in text


def test_scores_of_the_recipe_come_from_the_stored_predictions(reproduced: Path) -> None:
    rows = oof_score_rows(reproduced / "oof", PHASED)
    assert [(row["protocol"], row["part"]) for row in rows] == [
        (protocol, part)
        for protocol in ("random", "luna5", "paper", "paper-duplicated")
        for part in ("fusion", "mel", "prosody")
    ]
    assert all(row["recipe"] == "phased" and row["uar_low"] <= row["uar"] <= row["uar_high"] for row in rows)
    luna5 = next(row for row in rows if row["protocol"] == "luna5")
    assert (luna5["clips"], luna5["speakers"], luna5["audit"]["test_clips"]) == (96, 24, 96)


def test_protocols_with_stored_predictions(reproduced: Path, tmp_path: Path) -> None:
    assert measured_protocols(reproduced / "oof", "phased") == ["random", "luna5", "paper", "paper-duplicated"]
    with pytest.raises(InputError, match="no out-of-fold predictions of recipe 'phased'"):
        measured_protocols(tmp_path, "phased")


def test_scores_of_a_run_are_those_of_its_test_set(trained: Run) -> None:
    rows = run_score_rows(trained.folder, read_run(trained.folder))
    scores = own_scores(trained.folder)
    assert [row["part"] for row in rows] == ["fusion", "mel", "prosody"]
    assert {row["part"]: row["uar"] for row in rows} == {
        part: round(row.scores.uar.value, 4) for part, row in scores.items()
    }


def test_a_mean_of_folds_is_given_with_its_folds(tmp_path: Path, corpus: Corpus) -> None:
    record = RunRecord("unseen-corpus", "phased", PHASED, {"fusion": LeakAudit(96, 6, 1, 0, 1, 0)}, (0,), {})
    oof_files.write(unseen_corpora(1.0), oof_files.csv_path(tmp_path, "unseen-corpus", "phased", "fusion"))
    oof_files.write_record(record, oof_files.record_path(tmp_path, "unseen-corpus", "phased"))
    rows = oof_score_rows(tmp_path, PHASED)
    assert list(rows[0]["folds"]) == ["ased", "emodb"]
    assert rows[0]["uar"] == pytest.approx(sum(rows[0]["folds"].values()) / 2, abs=1e-4)
    config = RunConfig(small_corpus.recipe(small_corpus.PHASED), "all", "all", 0)
    text = card_to_markdown(make_card(run_metadata(corpus.clips, config), "mine", rows))
    assert f"| unseen-corpus | fusion | {100 * rows[0]['folds']['ased']:.1f} |" in text


def test_scores_after_another_pretraining_are_refused(reproduced: Path) -> None:
    with pytest.raises(InputError, match="another recipe with the name 'phased'"):
        oof_score_rows(reproduced / "oof", {**PHASED, "init_corpora": ["emodb"]})


def test_a_folder_without_scores_of_the_recipe_is_an_error(reproduced: Path, trained: Run, tmp_path: Path) -> None:
    for folder, recipe in ((reproduced / "oof", "joint"), (tmp_path / "nowhere", "phased")):
        with pytest.raises(InputError, match=f"{folder.name}: no out-of-fold predictions of recipe '{recipe}'"):
            oof_score_rows(folder, {"name": recipe})
    with pytest.raises(InputError, match="another recipe with the name 'phased'"):
        oof_score_rows(reproduced / "oof", {**PHASED, "epochs": 99})
    with pytest.raises(InputError, match="no out-of-fold predictions of recipe 'joint'"):
        export_run(trained.clips, trained.folder, model_id="x", scores=tmp_path)


def test_quoted_scores_are_marked_as_those_of_the_recipe(
    trained: Run, reproduced: Path, tmp_path: Path, export_stub: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    monkeypatch.setattr(export_module, "oof_score_rows", lambda oof, settings: oof_score_rows(oof, PHASED))
    assert export_run(trained.clips, folder, model_id="quoted", scores=reproduced / "oof") == folder / "model.onnx"
    assert export_stub["card"]["scores_of"] == "the recipe"
    text = (folder / "model.md").read_text("utf-8")
    assert "Scores not of this file but of models trained with the same recipe" in text
    # Each part has a row of scores, and one of arousal and valence.
    assert text.count("| luna5 |") == 2 * 3 and "differ by at most 1.0e-06" in text


def test_the_printed_card_counts_the_leaked_clips(reproduced: Path, corpus: Corpus) -> None:
    run = run_metadata(corpus.clips, RunConfig(small_corpus.recipe(small_corpus.JOINT), "all", "all", 0))
    card = make_card(run, "model", oof_score_rows(reproduced / "oof", PHASED))
    leak = next(row["audit"] for row in card["scores"] if (row["protocol"], row["part"]) == ("paper", "fusion"))
    lines = [line for line in card_to_text(card).splitlines() if line.startswith("paper ") and " fusion " in line]
    assert leak["seen_clips"] > 0
    assert "subgroups" not in card
    assert len(lines) == 1 and lines[0].endswith(f"  {leak['seen_clips']} of 20")


def test_the_card_has_scores_by_subgroup(reproduced: Path, corpus: Corpus) -> None:
    run = run_metadata(corpus.clips, RunConfig(small_corpus.recipe(small_corpus.JOINT), "all", "all", 0))
    subgroup_rows = card_rows(reproduced / "oof", "phased")
    card = make_card(run, "model", oof_score_rows(reproduced / "oof", PHASED), subgroup_rows=subgroup_rows)
    assert card["subgroups"] == subgroup_rows and [row["value"] for row in subgroup_rows[:2]] == ["female", "male"]
    assert {row["attribute"] for row in subgroup_rows[:2]} == {"gender"}
    female = f"| gender female | {100 * subgroup_rows[0]['uar']:.1f} ["
    assert female in card_to_markdown(card)
    assert f"female {100 * subgroup_rows[0]['uar']:.1f}, male" in card_to_text(card)


def test_the_card_names_the_teacher_and_what_each_network_left_out(corpus: Corpus, small_encoder: str) -> None:
    recipe = read_recipe("lite")
    card = make_card(run_metadata(corpus.clips, RunConfig(recipe, "all", "all", 0)), "lite", [])
    assert card["pretrained"] == [] and card["teacher"]["recipe"] == recipe.teacher == "encoder"
    assert [row["name"] for row in card["teacher"]["pretrained"]] == [small_encoder]
    text = card_to_markdown(card)
    assert "recipe encoder" in text and small_encoder in text and "leaves out another corpus" in text


def test_a_model_without_scores_has_none_in_its_card(corpus: Corpus) -> None:
    recipe = small_corpus.recipe(small_corpus.JOINT)
    text = card_to_markdown(make_card(run_metadata(corpus.clips, RunConfig(recipe, "all", "all", 0)), "all", []))
    assert "None: no clips were held out for a test" in text and "UAR" not in text and "this file" not in text
    assert "160 clips, with the epoch selected on 32 clips of other speakers" in text
    text = card_to_markdown(make_card(run_metadata(corpus.clips, RunConfig(recipe, "random", "1", 0)), "random", []))
    assert "the epoch selected on 16 other clips." in text and "of other speakers" not in text
    rotating = dataclasses.replace(recipe, validation="rotating", members=2)
    text = card_to_markdown(make_card(run_metadata(corpus.clips, RunConfig(rotating, "all", "all", 0)), "rotating", []))
    assert "160 clips, and on 32 clips of other speakers, of which each network leaves out a part." in text


@pytest.mark.parametrize("damage", [{"emotions": ["sad", "calm"]}, {"recipe": "joint"}, {"training_data": []}])
def test_an_invalid_card_is_refused(trained: Run, damage: dict[str, Any]) -> None:
    run = {**read_run(trained.folder), **damage}
    if damage == {"training_data": []}:
        assert make_card(run, "ok", [])["licence"] == ""
    else:
        with pytest.raises(ModelError, match="model 'bad': "):
            make_card(run, "bad", [])


def test_the_export_is_checked_on_clips_of_different_lengths(trained: Run) -> None:
    ends_s = [0.2 + 0.002 * k for k in range(len(trained.clips))]
    clips = [dataclasses.replace(clip, end_s=end_s) for clip, end_s in zip(trained.clips, ends_s, strict=True)]
    lengths = [len(waveform.samples) for waveform in select_check_clips(clips[::-1])]
    assert lengths == sorted(set(lengths)) and len(lengths) == 6
    assert lengths[0] < 0.25 * 16_000 and lengths[-1] > 0.55 * 16_000
    assert len(select_check_clips(trained.clips[:10])) == 6


def test_an_unfinished_run_is_not_exported(trained: Run, tmp_path: Path, export_stub: dict[str, Any]) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"run holds no finished training run; .*--resume"):
        export_run(trained.clips, folder, model_id="x")
    assert not export_stub and not (folder / "model.md").exists()


def test_a_card_is_restored_from_json(trained: Run) -> None:
    card = make_card(read_run(trained.folder), "model", [])
    assert read_card({CARD_KEY: json.dumps(card)}, "model") == card


def test_each_licence_is_given_with_its_corpora(exported: ExportedRun) -> None:
    run = read_run(exported.folder)
    others = [("emodb", "free for research"), ("nemo", "CC BY-NC-SA 4.0")]
    data = [{"corpus": name, "clips": 1, "speakers": 1, "licence": licence, "citation": ""} for name, licence in others]
    initialised = {
        **run,
        "training_data": run["training_data"] + data,
        "init": {"weights": "", "training_data": data},
    }
    card = make_card(initialised, "ok", [])
    assert card["licence"] == "ravdess, nemo: CC BY-NC-SA 4.0; emodb: free for research"
    assert card["init_corpora"] == ["emodb", "nemo"]
    assert run_settings(initialised) == {**run["recipe"], "init_corpora": ["emodb", "nemo"]}
    assert re.search(r"initialised from .* on emodb, nemo; trained on", card_to_markdown(card))
