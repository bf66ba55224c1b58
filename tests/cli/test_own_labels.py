"""Own labels from the manifest to every output: a training, its model, all formats and the service."""

import csv
import io
import json
import math
import re
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
import small_corpus
import soundfile
from synthetic_audio import RATE_HZ

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "service" / "api"))

from serving import serving

import overtone
from overtone.cli.main import main
from overtone.evaluation import oof_files
from overtone.formats import PREDICTION_FORMATS, TIMELINE_FORMATS, save, save_timeline
from overtone.formats.palette import KNOWN_COLOURS
from overtone.service.settings import Settings

pytestmark = pytest.mark.slow
LABELS = ("frustrated", 'very,\n"satisfied"', "غاضب", "Angry")  # as in the table
CLASSES = ("angry", "frustrated", 'very, "satisfied"', "غاضب")
SPEAKERS, CLIPS = 5, 2  # clips per speaker and label


class Trained(NamedTuple):
    """A model that was trained on own labels."""

    model: Path
    run: Path
    clip: Path
    err: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Trained:
    """Train a model with the command line, and export it."""
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(5)
    rows = [("path", "emotion", "speaker")]
    for speaker in range(SPEAKERS):
        for clip in range(CLIPS):
            for number, label in enumerate(LABELS):
                name = f"{speaker}-{clip}-{number}.wav"
                soundfile.write(folder / name, small_corpus.clip(number, rng), RATE_HZ)
                rows.append((name, label.upper() if clip else label, f"speaker {speaker}"))
    with (folder / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    recipe = small_corpus.recipe_file(folder, small_corpus.JOINT)
    options = ["--data", f"manifest={folder / 'table.csv'}", "--recipe", recipe, "--cache", folder / "cache"]
    run = folder / "run"
    with pytest.MonkeyPatch.context() as patch:
        err = io.StringIO()
        patch.setattr(sys, "stderr", err)
        assert main(["train", *map(str, options), "--protocol", "loso", "--output", str(run), "--id", "own-1"]) == 0
    return Trained(run / "model.onnx", run, folder / "0-0-0.wav", err.getvalue())


def test_the_run_and_its_documents_have_the_own_classes(trained: Trained) -> None:
    assert json.loads((trained.run / "run.json").read_text("utf-8"))["emotions"] == list(CLASSES)
    predictions = oof_files.read(trained.run / "predictions-fusion.csv")
    assert predictions.emotions == CLASSES and set(predictions.truth.tolist()) == set(CLASSES)
    for document in ("report.md", "report.html", "model.md"):
        text = (trained.run / document).read_text("utf-8")
        assert "frustrated" in text and "غاضب" in text and "satisfied" in text
    assert "hint" not in trained.err


def test_predictions_in_every_format(trained: Trained, tmp_path: Path) -> None:
    recogniser = overtone.load(trained.model)
    prediction = recogniser.recognise(trained.clip)
    assert recogniser.emotions == prediction.emotions == CLASSES
    assert math.isnan(prediction.arousal) and math.isnan(prediction.valence)  # "angry" is at one end of both
    for name, row in PREDICTION_FORMATS.items():
        save([prediction], tmp_path / f"p{row.suffix}", name)
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        (cells,) = csv.DictReader(file)
    assert [float(cells[f"p_{name}"]) for name in CLASSES] == pytest.approx(prediction.probabilities, abs=1e-6)
    assert (cells["arousal"], cells["valence"]) == ("", "")
    (values,) = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert list(values["probabilities"]) == list(CLASSES) and values["arousal"] is None


def test_timelines_in_every_format(trained: Trained, tmp_path: Path) -> None:
    speech, _ = soundfile.read(Path(__file__).parents[2] / "examples" / "speech" / "level.flac", dtype="float32")
    timeline = overtone.load(trained.model).timeline(np.tile(speech, 3), RATE_HZ)
    assert timeline.emotions == CLASSES
    assert any(segment.prediction for segment in timeline.segments)
    for name, row in TIMELINE_FORMATS.items():
        save_timeline(timeline, tmp_path / f"{name}{row.suffix}", name)
        assert (tmp_path / f"{name}{row.suffix}").stat().st_size
    ElementTree.parse(tmp_path / f"elan{TIMELINE_FORMATS['elan'].suffix}")
    page = (tmp_path / "html.html").read_text("utf-8")
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])
    assert [row["name"] for row in data["emotions"]] == list(CLASSES)
    assert len({row["colour"] for row in data["emotions"]}) == len(CLASSES)
    assert data["emotions"][0]["colour"] == KNOWN_COLOURS["angry"]


def test_own_classes_are_selected_on_the_command_line(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    names = 'FRUSTRATED,"very, ""satisfied""",anger'
    command = ["predict", "--model", trained.model, "--emotions", names, "--format", "json", trained.clip]
    assert main([str(word) for word in command]) == 0
    (values,) = json.loads(capsys.readouterr().out)
    assert list(values["probabilities"]) == ["angry", "frustrated", 'very, "satisfied"']
    assert main(["info", "--model", str(trained.model)]) == 0
    assert "غاضب" in capsys.readouterr().out


def test_the_service_and_its_page_have_the_own_classes(trained: Trained, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    with serving(Settings(tmp_path, str(trained.model), workers=1, shutdown_grace_s=5.0)) as served:
        reply = served.post("/v1/recognise", ("clip.wav", trained.clip.read_bytes()))
        assert reply.status == 200 and set(reply.json["predictions"][0]["probabilities"]) == set(CLASSES)
        page = served.ask("GET", "/").content.decode()
        config = json.loads(re.findall(r'id="config">(.*?)</script>', page)[0])
        assert list(config["emotions"]) == list(CLASSES)
        assert served.ask("GET", "/v1/models").json["models"][0]["emotions"] == list(CLASSES)
