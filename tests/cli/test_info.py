import json
from pathlib import Path

import pytest
import tiny_model

from overtone.cli.info import WIDTH, card_to_text
from overtone.cli.main import main


def test_the_readable_card() -> None:
    lines = card_to_text(tiny_model.card(limits="Mind this. " * 30)).splitlines()
    text = "\n".join(lines)
    assert "model        tiny-1" in lines
    assert "licence      of the weights: CC BY-NC-SA 4.0" in lines
    assert "ravdess: 1440 clips of 24 speakers; CC BY-NC-SA 4.0; L. & R. 2018" in text
    row = next(line for line in lines if line.startswith("luna5"))
    assert row.split() == [
        *[
            "luna5",
            "overtone",
            "fusion",
            "62.5",
            "[58.5,",
            "66.4]",
            "63.1",
            "62.0",
            "1440",
            "24",
            "3",
            "0",
            "of",
            "1440",
        ]
    ]
    assert text.count("Mind this.") == 30
    assert all(len(line) <= WIDTH for line in lines if line.startswith(("limits", " ")))


def test_the_threshold_of_uncertain_predictions() -> None:
    assert "uncertain    a prediction with a confidence below 50%" in card_to_text(tiny_model.card(uncertain_below=0.5))
    assert "uncertain" not in card_to_text(tiny_model.card())


def test_the_teacher_is_named_with_its_pretrained_weights() -> None:
    network = {"name": "whisper-tiny.en", "licence": "MIT", "citation": "Radford et al."}
    text = card_to_text(tiny_model.card(teacher={"recipe": "encoder", "pretrained": [network]}))
    assert "taught by    recipe encoder; using whisper-tiny.en; MIT; Radford et al." in text.splitlines()
    assert "taught by" not in card_to_text(tiny_model.card())


def test_scores_of_subgroups() -> None:
    rows = [
        {"protocol": "luna5", "part": "fusion", "attribute": name, "value": value, "uar": uar}
        for name, value, uar in (("gender", "female", 0.713), ("gender", "male", 0.59), ("sentence", "1", "good"))
    ]
    expected = "UAR % by     gender: female 71.3, male 59.0; sentence: 1 - (luna5 fusion)"
    assert expected in card_to_text(tiny_model.card(subgroups=rows)).splitlines()
    assert "UAR % by     ?: ? - (? ?)" in card_to_text(tiny_model.card(subgroups=[{}])).splitlines()
    assert "UAR % by" not in card_to_text(tiny_model.card())


def test_missing_scores() -> None:
    text = card_to_text(tiny_model.card(scores=[{"protocol": "loso", "uar": "good"}]))
    assert "loso      -       -     -      -     -           -      -         -      -" in text
    assert "none were measured" in card_to_text(tiny_model.card(scores=[]))


@pytest.mark.parametrize(
    ("scores_of", "heading"),
    [
        ("this file", "scores of this model file on its test set, with 95 % intervals"),
        ("the recipe", "scores of models trained by the same recipe, with 95 % intervals"),
    ],
)
def test_the_heading_names_what_was_scored(scores_of: str, heading: str) -> None:
    assert heading in card_to_text(tiny_model.card(scores_of=scores_of)).splitlines()


def test_the_settings_of_the_training() -> None:
    lines = card_to_text(tiny_model.card()).splitlines()
    assert "trained with recipe tiny, protocol luna5, seed 4, 960 clips (validation 192)" in lines
    incomplete = card_to_text(
        tiny_model.card(recipe={}, seed=..., protocol=..., training_clips=..., validation_clips=...)
    )
    assert "trained with recipe ?, protocol ?, seed ?, ? clips (validation ?)" in incomplete.splitlines()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tiny_model.write(tmp_path / "tiny.onnx"))
    assert main(["info", "--model", model]) == 0
    assert capsys.readouterr().out == card_to_text(tiny_model.card()) + "\n"
    assert main(["info", "--model", model, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == tiny_model.card()


def test_a_model_of_a_newer_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--model", str(tiny_model.write(tmp_path / "new.onnx", format=99))]) == 1
    err = capsys.readouterr().err
    assert "new.onnx" in err and "format 99" in err
