"""Fine-tuning on a small encoder: where networks start, what is trained, and what is written."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import soundfile
import torch
from synthetic_audio import RATE_HZ

from overtone.corpora import read_corpus
from overtone.datatypes import Utterance
from overtone.errors import OvertoneError, TrainingError
from overtone.evaluation.speaker_folds import PROTOCOL, make_folds
from overtone.evaluation.stored_predictions import read_stored
from overtone.inference.recogniser import load
from overtone.models.ensemble import networks_of
from overtone.recipe import read_recipe
from overtone.training import finetune_run
from overtone.training.feature_cache import FeatureStore
from overtone.training.finetune import Finetuned, finetune
from overtone.training.finetune_loop import OwnClips, start_mlp, train_epochs
from overtone.training.finetune_networks import (
    TEMPERATURES,
    CrossValidation,
    cross_validate,
    limited_temperature,
    train_on_all,
    tried_epochs,
)
from overtone.training.finetune_run import check_output, write_run
from overtone.training.onnx_import import ImportedModel, import_onnx
from overtone.training.targets import make_targets

LABELS = ("sad", 'very, "glad"', "غاضب")
SPEAKERS, CLIPS = 4, 2


@pytest.fixture(scope="module")
def start(encoder_model: Path) -> ImportedModel:
    return import_onnx(encoder_model)


def made_up_clips(start: ImportedModel, classes: tuple[str, ...], separation: float, seed: int = 0) -> OwnClips:
    """Return clips of six speakers whose statistics are random, with a mean that depends on the class."""
    rng = np.random.default_rng(seed)
    utterances = [
        Utterance(Path("x.wav"), emotion, f"speaker {speaker}", clip=f"{speaker} {emotion} {k}", corpus="manifest")
        for speaker in range(6)
        for emotion in classes
        for k in range(4)
    ]
    values = start.architecture.values
    means = separation * rng.standard_normal((len(classes), values))
    rows = [means[classes.index(u.emotion)] + rng.standard_normal(values) for u in utterances]
    mean, scale = start.mlps[0].mean.numpy(), start.mlps[0].scale.numpy()
    statistics = torch.tensor(np.array(rows) * scale + mean, dtype=torch.float32)[None]
    ends = np.arange(1, len(utterances) + 1)
    arrays = {
        "extra.encoder": statistics[0].numpy(), "extra.encoder.ends": ends, "ends": ends,
        "log_mel": np.zeros((len(ends), 64), np.float32), "tracks": np.zeros((len(ends), 3), np.float32),
        "rates": np.zeros((len(ends), 3), np.float32),
    }  # fmt: skip
    store = FeatureStore((arrays,), start.architecture.extra)
    return OwnClips(utterances, classes, store, make_targets(utterances, classes), statistics)


def test_known_classes_start_from_their_rows_and_own_ones_from_zero(start: ImportedModel) -> None:
    known = start.card["emotions"]
    clips = made_up_clips(start, ("sad", "own"), 1.0)
    mlp = start_mlp(start.mlps[0], known, start.architecture, clips, range(10))
    row, old = mlp.classifier[1].weight, start.mlps[0].classifier[1].weight
    assert torch.equal(row[0], old[known.index("sad")]) and not row[1].any()
    assert torch.equal(mlp.embed[1].weight, start.mlps[0].embed[1].weight)


def test_the_mean_moves_towards_that_of_the_training_clips(start: ImportedModel) -> None:
    clips = made_up_clips(start, ("sad", "happy"), 1.0)
    mlp = start_mlp(start.mlps[0], start.card["emotions"], start.architecture, clips, range(15))
    expected = 0.75 * clips.statistics[0, :15].mean(0) + 0.25 * start.mlps[0].mean
    torch.testing.assert_close(mlp.mean, expected)


def test_the_first_result_is_the_start_and_training_leaves_the_start_model_unchanged(start: ImportedModel) -> None:
    clips = made_up_clips(start, ("sad", "happy"), 1.0)
    before = start.mlps[0].embed[1].weight.clone()
    mlp = start_mlp(start.mlps[0], start.card["emotions"], start.architecture, clips, range(10))
    results = train_epochs(mlp, clips, range(10), dataclasses.replace(read_recipe("finetune"), epochs=2), (0,))
    assert torch.equal(next(results).embed[1].weight, before)
    assert len(trained := list(results)) == 2 and not torch.equal(trained[-1].embed[1].weight, before)
    assert torch.equal(start.mlps[0].embed[1].weight, before)


def test_tried_epochs_are_powers_of_two_from_zero() -> None:
    assert (
        tried_epochs(16) == (0, 1, 2, 4, 8, 16)
        and tried_epochs(20) == (0, 1, 2, 4, 8, 16)
        and tried_epochs(1) == (0, 1)
    )


def test_separable_classes_are_learnt_and_predicted_for_other_speakers(start: ImportedModel) -> None:
    clips, recipe = made_up_clips(start, ("own one", "own two"), 1.0), read_recipe("finetune")
    validated = cross_validate(start, clips, make_folds(clips.utterances), recipe, seed=0)
    truth = clips.targets.truth[validated.positions]
    assert validated.epochs > 0 and validated.history[0]["uar"] == 0.5
    assert (validated.log_probabilities.argmax(-1) == truth).float().mean() > 0.95
    model = train_on_all(start, clips, recipe, validated, seed=0)
    inputs = {"encoder": (clips.statistics[0], torch.zeros(len(truth), 1))}
    logits = model.logits(inputs)["fusion"]
    assert (logits.argmax(-1) == clips.targets.truth).float().mean() > 0.95
    assert model.adapter is not None and start.model.adapter is not None
    assert torch.equal(model.adapter.expert_weights, start.model.adapter.expert_weights)  # type: ignore[arg-type]
    assert (model.temperature == validated.temperature).all()


def test_the_temperature_of_a_few_clips_is_limited() -> None:
    truth = torch.arange(3).repeat(4)
    certain = torch.nn.functional.one_hot(truth, 3) * 20.0
    assert limited_temperature(certain / 20.0, truth) == TEMPERATURES[0], "all right: without limit, all but certain"
    assert limited_temperature(certain, (truth + 1) % 3) == TEMPERATURES[1], "all wrong: without limit, all but even"
    mixed = torch.where(torch.arange(12) < 9, truth, (truth + 1) % 3)
    assert TEMPERATURES[0] < limited_temperature(certain / 10.0, mixed) < TEMPERATURES[1]


def test_no_epoch_leaves_the_networks_as_they_start(start: ImportedModel) -> None:
    clips, recipe = made_up_clips(start, ("sad", "happy"), 1.0), read_recipe("finetune")
    states = tuple(mlp.state_dict() for mlp in start.mlps)
    validated = CrossValidation(0, 1.5, torch.arange(3), torch.zeros(3, 2), (), [])
    model = train_on_all(start, clips, recipe, validated, seed=0)
    assert model.temperature.tolist() == [1.5, 1.5]
    for network, state in zip(networks_of(model), states, strict=True):
        assert torch.equal(network.branch("encoder").embed[1].weight, state["embed.1.weight"])


def test_random_labels_are_no_better_than_chance_on_left_out_speakers(start: ImportedModel) -> None:
    clips = made_up_clips(start, ("own one", "own two"), 0.0)
    validated = cross_validate(start, clips, make_folds(clips.utterances), read_recipe("finetune"), seed=0)
    truth = clips.targets.truth[validated.positions]
    assert 0.25 < (validated.log_probabilities.argmax(-1) == truth).float().mean() < 0.75


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a manifest with labels of one's own, one of them a known emotion."""
    folder = tmp_path_factory.mktemp("own")
    rng, rows = np.random.default_rng(5), ["path;emotion;speaker"]
    for speaker in range(SPEAKERS):
        for clip in range(CLIPS):
            for number, label in enumerate(LABELS):
                name = f"{speaker}-{clip}-{number}.wav"
                soundfile.write(folder / name, small_corpus.clip(2 * number, rng), RATE_HZ)
                rows.append('{};"{}";speaker {}'.format(name, label.replace('"', '""'), speaker))
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def finetuned(encoder_model: Path, table: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Finetuned:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERTONE_ENCODERS", str(tmp_path_factory.mktemp("none")))
        return finetune(read_corpus("manifest", table).utterances, encoder_model, cache=cache)


@pytest.fixture(scope="module")
def run(finetuned: Finetuned, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "own"
    write_run(finetuned, folder, "own-1")
    return folder


def test_the_run_has_a_model_of_the_own_classes_and_a_card_of_the_own_data(run: Path, table: Path) -> None:
    recogniser = load(run / "model.onnx")
    card = recogniser.card
    assert card["emotions"] == list(LABELS) and card["id"] == "own-1" and card["init_corpora"] == ["ravdess"]
    own, before = card["training_data"]
    assert (own["corpus"], own["clips"], own["speakers"]) == ("manifest", 24, 4) and before["corpus"] == "ravdess"
    assert card["limits"].startswith("Fine-tuned from model 'start' (trained on ravdess) on 24 clips of 4 speakers")
    assert "acted" not in card["limits"] and "AI Act" in card["limits"]
    rates = card["error_rates"]
    assert (rates["group_by"], rates["protocol"], set(rates["parts"])) == ("speaker", PROTOCOL, {"fusion", "adapted"})
    assert len(rates["parts"]["fusion"]["rates"]) == SPEAKERS
    prediction = recogniser.recognise(table / "0-0-0.wav")
    assert set(prediction.emotions) == set(LABELS)
    adapted = recogniser.adapt([table / f"0-{clip}-{number}.wav" for clip in range(CLIPS) for number in range(3)])
    assert adapted.recognise(table / "0-0-0.wav").reference_clips == 6
    assert "chosen by cross-validation" in (run / "model.md").read_text("utf-8")


def test_left_out_predictions_and_their_audit_are_stored(run: Path) -> None:
    stored = read_stored(run)
    assert len(stored.predictions) == 24 and stored.predictions.emotions == LABELS
    assert stored.audit is not None and stored.audit.seen_clips == stored.audit.shared_speakers == 0
    assert len(read_stored(run, "adapted").predictions) == 24
    history = json.loads((run / "history.json").read_text("utf-8"))
    assert [row["epochs"] for row in history][:2] == [0, 1]
    assert json.loads((run / "scores.json").read_text("utf-8"))["fusion"]["clips"] == 24
    assert "expect on other speakers" in (run / "report.md").read_text("utf-8")


def test_a_fine_tuned_model_can_be_fine_tuned_again(run: Path) -> None:
    again = import_onnx(run / "model.onnx")
    assert again.card["emotions"] == list(LABELS) and len(again.mlps) == 2
    assert again.architecture.extra["encoder"].max_samples


def test_a_full_disk_leaves_nothing_behind(
    finetuned: Finetuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **keywords: object) -> None:
        raise OvertoneError("cannot write weights.safetensors: No space left on device; make room")

    monkeypatch.setattr(finetune_run.checkpoint, "save_weights", fail)
    with pytest.raises(OvertoneError, match="No space left on device"):
        write_run(finetuned, tmp_path / "run", "own")
    assert list(tmp_path.iterdir()) == []


def test_an_output_in_use_is_refused_and_an_empty_folder_is_not(tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "run")
    (tmp_path / "empty").mkdir()
    check_output(tmp_path / "empty")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "model.onnx").touch()
    with pytest.raises(TrainingError, match="used exists already; choose another folder"):
        check_output(tmp_path / "used")
    with pytest.raises(TrainingError, match=r"model\.onnx exists already"):
        check_output(tmp_path / "used" / "model.onnx")
    with pytest.raises(OvertoneError, match="cannot write"):
        check_output(tmp_path / "used" / "model.onnx" / "run")
