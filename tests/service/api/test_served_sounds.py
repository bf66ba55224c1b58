"""The service is not sure of an emotion where there is no speech, as `overtone predict` is not."""

import io
from pathlib import Path

import everyday_sounds
import non_speech
import numpy as np
import pytest
import soundfile
from serving import Served

import overtone


@pytest.mark.parametrize("name", ["small dog", "knocking", "telephone"])
def test_sounds_without_speech(served: Served, tiny: Path, name: str) -> None:
    samples = non_speech.at_level(everyday_sounds.make_sounds(np.random.default_rng(0))[name], -20)
    content = io.BytesIO()
    soundfile.write(content, samples, everyday_sounds.RATE_HZ, format="WAV", subtype="FLOAT")
    (prediction,) = served.post("/v1/recognise", (f"{name}.wav", content.getvalue())).json["predictions"]
    assert prediction["uncertain"] and prediction["speech_s"] < 0.5
    confident = overtone.load(tiny).recognise(samples, everyday_sounds.RATE_HZ)
    assert confident.confidence >= confident.uncertain_below, "by its confidence alone, it would be certain"
