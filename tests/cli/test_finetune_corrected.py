"""The CSV of a corrected timeline is training data: `overtone finetune` takes the labels of the person."""

from pathlib import Path

import numpy as np
import pytest
import small_corpus
import soundfile
from synthetic_audio import RATE_HZ
from timelines import make_prediction, make_timeline

pytest.importorskip("torch")

from overtone.cli.main import main
from overtone.corpora import manifest
from overtone.formats import save_timeline
from overtone.inference.recogniser import load
from overtone.timeline import Segment

LABELS = ("sad", "frustrated", "<img src=x>")


def corrected_recording(folder: Path) -> Path:
    """Write a recording of 18 clips, labelled by a person, and two segments marked as wrong; return its CSV."""
    rng, samples, segments = np.random.default_rng(5), [], []
    for number in range(20):
        clip = small_corpus.clip(number % len(LABELS), rng)
        start_s = sum(map(len, samples)) / RATE_HZ
        label = "" if number >= 18 else LABELS[number % len(LABELS)]
        end_s = start_s + len(clip) / RATE_HZ
        prediction = make_prediction("happy")
        speaker = f"speaker {number // 6}"
        segments.append(Segment(start_s, end_s, prediction, speaker, decided_by="person", label=label))
        samples.append(clip)
    soundfile.write(folder / "talk.wav", np.concatenate(samples), RATE_HZ)
    timeline = make_timeline(*segments, duration_s=segments[-1].end_s, turns=True)
    save_timeline(timeline, folder / "talk.corrected.csv", "csv")
    return folder / "talk.corrected.csv"


def test_the_labels_of_a_person_are_read_and_wrong_predictions_left_out(tmp_path: Path) -> None:
    scan = manifest.read(corrected_recording(tmp_path))
    assert [utterance.emotion for utterance in scan.utterances] == [LABELS[k % 3] for k in range(18)]
    assert {utterance.speaker for utterance in scan.utterances} == {"speaker 0", "speaker 1", "speaker 2"}
    assert sum(scan.ignored.values()) == 2
    assert scan.hints == (), "none of the labels is that of the model"


@pytest.mark.slow
def test_a_corrected_timeline_becomes_a_model(encoder_model: Path, tmp_path: Path) -> None:
    table, run = corrected_recording(tmp_path), tmp_path / "run"
    options = ["--init-from", str(encoder_model.parent), "--cache", str(tmp_path / "cache")]
    assert main(["finetune", str(table), "--output", str(run), *options]) == 0
    assert load(run / "model.onnx").emotions == LABELS
