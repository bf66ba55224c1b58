"""The average speech is the median of clips, and every corpus has the same weight."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from synthetic_audio import RATE_HZ, syllables, voice

from overtone.datatypes import Utterance
from overtone.inference.explaining.average_speech import average_speech
from overtone.inference.explaining.voice_quality_changes import BANDS_HZ, measure_spectrum_db
from tools.measure_average_speech import measure


def test_medians_of_corpora_are_averaged(tmp_path: Path) -> None:
    clips, spectra = [], {}
    for corpus, fall, count in (("a", 0.5, 3), ("b", 1.5, 1)):
        samples = syllables(4.0, 6) + 0.1 * voice(140, 1.5, fall=fall)
        spectra[corpus] = measure_spectrum_db(samples)
        for number in range(count):
            path = tmp_path / f"{corpus}{number}.flac"
            soundfile.write(path, samples, RATE_HZ, subtype="PCM_24")
            clips.append(Utterance(path, "happy", corpus=corpus, clip=path.name))
    content = measure(clips, 2)
    expected = (spectra["a"] + spectra["b"]) / 2
    assert content["spectrum_db"] == pytest.approx(expected - expected.mean(), abs=0.05)
    assert content["speech_rate_hz"] == pytest.approx(4, rel=0.3)
    assert (content["corpora"], content["clips_per_corpus"]) == (["a", "b"], 2)


def test_the_bundled_values_are_those_of_speech() -> None:
    average = average_speech()
    assert 2 < average.speech_rate_hz < 8
    assert average.spectrum_db.shape == BANDS_HZ.shape
    low, high = average.spectrum_db[BANDS_HZ < 1000].mean(), average.spectrum_db[BANDS_HZ > 2000].mean()
    assert low > high + 6, "the spectrum of speech falls"
    assert abs(float(np.mean(average.spectrum_db))) < 0.1
