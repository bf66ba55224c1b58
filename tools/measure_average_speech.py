"""Measure the average speech of the corpora, to which explanations compare a clip.

    python tools/measure_average_speech.py --data ravdess=DIR --data emodb=DIR ...

Writes `overtone/bundled/average_speech.json`: the median speech rate, and the median spectrum in third octaves.
Of each corpus the same number of clips is measured, always the same ones.
"""

import argparse
import json
import sys
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overtone._internal.atomic_write import write_text
from overtone.audio.decode import read_utterance
from overtone.cli.argtypes import positive_int
from overtone.cli.training_options import data_arguments, read_clips
from overtone.datatypes import Utterance
from overtone.errors import OvertoneError
from overtone.inference.explaining.average_speech import AVERAGE_FILE
from overtone.inference.explaining.voice_quality_changes import BANDS_HZ, measure_spectrum_db
from overtone.inference.recogniser import load

MODEL = "lite"  # all models measure the speech rate alike; this is the fastest


def measure(utterances: Sequence[Utterance], clips: int) -> dict[str, Any]:
    """Return the content of the file.

    Args:
        utterances: of all corpora.
        clips: number of clips of each corpus that are measured.

    Raises:
        OvertoneError: a clip cannot be read.
    """
    recogniser = load(MODEL)
    by_corpus: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        by_corpus[utterance.corpus].append(utterance)
    rates_hz, spectra_db = [], []
    for corpus in sorted(by_corpus):
        chosen = sorted(by_corpus[corpus], key=lambda clip: zlib.crc32(clip.clip.encode()))[:clips]
        waveforms = [read_utterance(clip) for clip in chosen]
        measured = [recogniser.recognise(waveform).prosody.get("speech_rate_hz", np.nan) for waveform in waveforms]
        rates_hz.append(np.nanmedian(measured))
        spectra_db.append(np.median([measure_spectrum_db(waveform.samples) for waveform in waveforms], axis=0))
    spectrum_db = np.mean(spectra_db, axis=0)
    return {
        "corpora": sorted(by_corpus),
        "clips_per_corpus": clips,
        "speech_rate_hz": round(float(np.mean(rates_hz)), 3),
        "bands_hz": [round(float(band_hz), 1) for band_hz in BANDS_HZ],
        "spectrum_db": [round(float(level), 2) for level in spectrum_db - spectrum_db.mean()],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the file and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    data_arguments(parser)
    parser.add_argument("--clips", type=positive_int, default=300, metavar="N", help="per corpus (default: 300)")
    parser.add_argument("--output", type=Path, default=AVERAGE_FILE, metavar="FILE", help="the file to write")
    options = parser.parse_args(arguments)
    try:
        content = measure(read_clips(options), options.clips)
        write_text(options.output, json.dumps(content, indent=1) + "\n")
    except OvertoneError as error:
        print(f"measure_average_speech: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
