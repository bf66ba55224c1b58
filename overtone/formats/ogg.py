"""AUDIO BLOCKS -> OGG VORBIS, about 13 MB per hour."""

import io
from collections.abc import Iterable

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ

MAX_WRITE_SAMPLES = SAMPLE_RATE_HZ  # per call: libsndfile's encoder copies its input to the stack


def encode_ogg(blocks: Iterable[np.ndarray]) -> bytes:
    """Return the audio as a small Ogg Vorbis file in which browsers seek to the sample.

    Args:
        blocks: consecutive float32 `(samples,)`, mono, 16 kHz.
    """
    import soundfile  # imported here, as a page without embedded audio does not need it

    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", SAMPLE_RATE_HZ, 1, subtype="VORBIS", format="OGG") as encoder:
        for block in blocks:
            for start in range(0, len(block), MAX_WRITE_SAMPLES):
                encoder.write(block[start : start + MAX_WRITE_SAMPLES])
    return file.getvalue()
