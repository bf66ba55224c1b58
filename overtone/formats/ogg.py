"""Sound, block by block -> Ogg Vorbis, about 13 MB an hour."""

import io
from collections.abc import Iterable

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ

MOST_SAMPLES = SAMPLE_RATE_HZ  # at once: libsndfile's encoder keeps what it is given on the stack


def encode_ogg(blocks: Iterable[np.ndarray]) -> bytes:
    """A small sound file that browsers play and wind to the sample.

    Args:
        blocks: consecutive float32 `(samples,)`, mono at 16 kHz.
    """
    import soundfile  # here, as every command loads the table of forms, and few write sound

    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", SAMPLE_RATE_HZ, 1, subtype="VORBIS", format="OGG") as sound:
        for block in blocks:
            for start in range(0, len(block), MOST_SAMPLES):
                sound.write(block[start : start + MOST_SAMPLES])
    return file.getvalue()
