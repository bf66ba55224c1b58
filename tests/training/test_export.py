"""A finished run becomes a model file that anyone can load, with a card and a page that say no more than is true."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import pytest
import small_corpus
import torch
from small_corpus import Corpus, Run

import overtone
from overtone.audio.decode import read
from overtone.cli.info import as_text
from overtone.errors import InputError, ModelError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.subgroups import card_rows
from overtone.inference.model_card import CARD_KEY, read_card
from overtone.training import export as publish_module
from overtone.training.export import card_to_markdown, export_run, make_card, score_rows, select_check_clips
from overtone.training.run_config import RunConfig, run_metadata
from overtone.training.train import load_network, read_run

PHASED = json.loads(json.dumps(small_corpus.recipe(small_corpus.PHASED).as_dict()))  # as run.json holds it


class Published(NamedTuple):
    """A model file and the run folder it was made of."""

    path: Path
    folder: Path


@pytest.fixture(scope="module")
def published(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The one export of this file: it takes half a minute."""
    folder = shutil.copytree(trained.folder, tmp_path_factory.mktemp("published") / "first")
    return Published(export_run(trained.clips, folder, model_id="first-1"), folder)


@pytest.fixture
def quick_export(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands in for the export and keeps the card."""
    kept: dict[str, Any] = {}

    def export(network: object, card: dict[str, Any], waveforms: list, path: Path) -> float:
        kept.update(card=card, waveforms=waveforms, path=path)
        return 1e-6

    monkeypatch.setattr(publish_module, "export", export)
    return kept


@pytest.mark.slow
def test_the_file_answers_as_the_network_does(published: Published, trained: Run) -> None:
    network, _ = load_network(published.folder)
    recogniser = overtone.load(published.path)
    for clip in (trained.clips[0], trained.clips[101]):
        answer = recogniser.recognise(clip.path)
        with torch.inference_mode():
            expected = network(torch.from_numpy(read(clip.path).samples)[None])
        assert answer.probabilities == pytest.approx(expected.probabilities[0].numpy(), abs=1e-3)
        assert answer.branches["mel"] == pytest.approx(expected.mel_probabilities[0].numpy(), abs=1e-3)
        assert answer.branches["prosody"] == pytest.approx(expected.prosody_probabilities[0].numpy(), abs=1e-3)
        assert answer.model == "first-1"


@pytest.mark.slow
def test_the_file_carries_a_card_that_can_be_read(published: Published, trained: Run) -> None:
    metadata = onnxruntime.InferenceSession(published.path).get_modelmeta().custom_metadata_map
    card = read_card(metadata, "model")
    assert (card["id"], card["licence"], card["protocol"]) == ("first-1", "CC BY-NC-SA 4.0", "luna5")
    assert (card["training_clips"], card["validation_clips"], card["scores_of"]) == (120, 32, "this file")
    found = oof_files.read(published.folder / "predictions-fusion.csv")
    right = np.array(found.emotions)[found.probabilities.argmax(1)] == found.truth
    fusion = card["scores"][0]
    assert (fusion["protocol"], fusion["part"], fusion["clips"], fusion["seeds"]) == ("luna5", "fusion", 40, 1)
    assert fusion["wa"] == pytest.approx(right.mean(), abs=1e-4)
    assert fusion["audit"] == read_run(published.folder)["audits"]["fusion"]


@pytest.mark.slow
def test_the_page_beside_it_says_what_it_is(published: Published) -> None:
    text = (published.folder / "model.md").read_text("utf-8")
    assert text.startswith("# Model card: first-1\n")
    assert "trained on 120 clips, the epoch chosen on 32 clips of other speakers" in text
    assert "An answer with a confidence below 50% is called uncertain." in text
    assert "Licence of the weights: CC BY-NC-SA 4.0" in text
    assert "acted speech is not felt emotion" in text and "AI Act" in text
    assert "Of this very file, on its test side" in text
    assert "trained or chosen on: 0 of 40 test clips" in text
    assert "onnxruntime and torch differ by at most" in text


def test_scores_of_the_recipe_come_from_the_kept_predictions(rebuilt: Path) -> None:
    rows = score_rows(rebuilt / "oof", PHASED)
    assert [(row["protocol"], row["part"]) for row in rows] == [
        (protocol, part) for protocol in ("random", "luna5", "paper") for part in ("fusion", "mel", "prosody")
    ]
    assert all(row["recipe"] == "phased" and row["uar_low"] <= row["uar"] <= row["uar_high"] for row in rows)
    luna5 = next(row for row in rows if row["protocol"] == "luna5")
    assert (luna5["clips"], luna5["speakers"], luna5["audit"]["test_clips"]) == (96, 24, 96)


def test_a_folder_without_scores_of_the_recipe_is_an_error(rebuilt: Path, trained: Run, tmp_path: Path) -> None:
    for folder, recipe in ((rebuilt / "oof", "joint"), (tmp_path / "nowhere", "phased")):
        with pytest.raises(InputError, match=f"{folder.name}: no out-of-fold predictions of recipe '{recipe}'"):
            score_rows(folder, {"name": recipe})
    with pytest.raises(InputError, match="another recipe that is called 'phased' too"):
        score_rows(rebuilt / "oof", {**PHASED, "epochs": 99})
    with pytest.raises(InputError, match="no out-of-fold predictions of recipe 'joint'"):
        export_run(trained.clips, trained.folder, model_id="x", scores=tmp_path)


def test_quoted_scores_are_not_said_to_be_of_the_file(
    trained: Run, rebuilt: Path, tmp_path: Path, quick_export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    monkeypatch.setattr(publish_module, "score_rows", lambda oof, settings: score_rows(oof, PHASED))
    assert export_run(trained.clips, folder, model_id="quoted", scores=rebuilt / "oof") == folder / "model.onnx"
    assert quick_export["card"]["scores_of"] == "the recipe"
    text = (folder / "model.md").read_text("utf-8")
    assert "Not of this file but of models trained by the same recipe" in text
    assert text.count("| luna5 |") == 3 and "differ by at most 1.0e-06" in text


def test_a_card_for_people_counts_the_clips_that_were_seen(rebuilt: Path, corpus: Corpus) -> None:
    run = run_metadata(corpus.clips, RunConfig(small_corpus.recipe(small_corpus.JOINT), "all", "all", 0))
    card = make_card(run, "model", score_rows(rebuilt / "oof", PHASED))
    leak = next(row["audit"] for row in card["scores"] if (row["protocol"], row["part"]) == ("paper", "fusion"))
    lines = [line for line in as_text(card).splitlines() if line.startswith("paper ") and " fusion " in line]
    assert leak["seen_clips"] > 0
    assert "slices" not in card
    assert len(lines) == 1 and lines[0].endswith(f"  {leak['seen_clips']} of 20")


def test_a_card_tells_who_is_heard_better(rebuilt: Path, corpus: Corpus) -> None:
    run = run_metadata(corpus.clips, RunConfig(small_corpus.recipe(small_corpus.JOINT), "all", "all", 0))
    sliced = card_rows(rebuilt / "oof", "phased")
    card = make_card(run, "model", score_rows(rebuilt / "oof", PHASED), sliced=sliced)
    assert card["slices"] == sliced and [row["value"] for row in sliced[:2]] == ["female", "male"]
    female = f"| gender female | {100 * sliced[0]['uar']:.1f} ["
    assert female in card_to_markdown(card)
    assert f"female {100 * sliced[0]['uar']:.1f}, male" in as_text(card)


def test_a_model_without_scores_claims_none(corpus: Corpus) -> None:
    recipe = small_corpus.recipe(small_corpus.JOINT)
    text = card_to_markdown(make_card(run_metadata(corpus.clips, RunConfig(recipe, "all", "all", 0)), "whole", []))
    assert "None were measured" in text and "UAR" not in text and "very file" not in text
    assert "160 clips, the epoch chosen on 32 clips of other speakers" in text
    text = card_to_markdown(make_card(run_metadata(corpus.clips, RunConfig(recipe, "random", "1", 0)), "random", []))
    assert "the epoch chosen on 16 other clips." in text and "of other speakers" not in text
    turns = dataclasses.replace(recipe, validation="in-turns", members=2)
    text = card_to_markdown(make_card(run_metadata(corpus.clips, RunConfig(turns, "all", "all", 0)), "turns", []))
    assert "160 clips, and 32 clips of other speakers that each network leaves out a part of." in text


@pytest.mark.parametrize("damage", [{"emotions": ["sad", "calm"]}, {"recipe": "joint"}, {"training_data": []}])
def test_a_bad_card_does_not_ship(trained: Run, damage: dict[str, Any]) -> None:
    run = {**read_run(trained.folder), **damage}
    if damage == {"training_data": []}:
        assert make_card(run, "ok", [])["licence"] == ""
    else:
        with pytest.raises(ModelError, match="model 'bad': its"):
            make_card(run, "bad", [])


def test_the_export_is_tried_on_clips_of_different_lengths(trained: Run) -> None:
    ends = [0.2 + 0.002 * k for k in range(len(trained.clips))]
    clips = [dataclasses.replace(clip, end_s=end_s) for clip, end_s in zip(trained.clips, ends, strict=True)]
    lengths = [len(waveform.samples) for waveform in select_check_clips(clips[::-1])]
    assert lengths == sorted(set(lengths)) and len(lengths) == 6
    assert lengths[0] < 0.25 * 16_000 and lengths[-1] > 0.55 * 16_000
    assert len(select_check_clips(trained.clips[:10])) == 6


def test_an_unfinished_run_is_not_published(trained: Run, tmp_path: Path, quick_export: dict[str, Any]) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(TrainingError, match="holds no finished training; run it to its end with --resume"):
        export_run(trained.clips, folder, model_id="x")
    assert not quick_export and not (folder / "model.md").exists()


def test_a_card_is_json(trained: Run) -> None:
    card = make_card(read_run(trained.folder), "model", [])
    assert read_card({CARD_KEY: json.dumps(card)}, "model") == card


def test_a_licence_stands_beside_the_corpora_under_it(published: Run) -> None:
    run = read_run(published.folder)
    others = [("emodb", "free for research"), ("nemo", "CC BY-NC-SA 4.0")]
    heard = [
        {"corpus": name, "clips": 1, "speakers": 1, "licence": licence, "citation": ""} for name, licence in others
    ]
    begun = {
        **run,
        "training_data": run["training_data"] + heard,
        "start": {"weights": "", "training_data": heard},
    }
    card = make_card(begun, "ok", [])
    assert card["licence"] == "ravdess, nemo: CC BY-NC-SA 4.0; emodb: free for research"
    assert "begun from a training on emodb, nemo; trained on" in card_to_markdown(card)
