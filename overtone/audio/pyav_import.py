"""Imports PyAV, which is used where it is installed: `docs/audio-formats.md`."""

import contextlib
import functools
from types import ModuleType
from typing import Any

import numpy as np

from overtone.audio.ffmpeg_formats import ContainerFormat
from overtone.errors import AudioError

MIN_PYAV_VERSION = 17  # older ones cannot discard video
INSTALL = f"pip install 'av>={MIN_PYAV_VERSION}' (docs/audio-formats.md), or convert it: ffmpeg -i INPUT OUTPUT.wav"


@functools.cache
def audio_decoders() -> str:
    """Return the names of all audio decoders, separated by commas."""
    import av

    names = []
    for name in sorted(av.codecs_available):
        with contextlib.suppress(ValueError):  # an encoder without a decoder
            if av.Codec(name, "r").type == "audio":
                names.append(name)
    return ",".join(names)


def frame_samples(frame: Any) -> np.ndarray:
    """Return the samples of a decoded frame: planar `(channels, samples)`, else `(1, samples * channels)`.

    Args:
        frame: an `av.AudioFrame`.
    """
    if not frame.format.name.startswith("s64"):
        samples: np.ndarray = frame.to_ndarray()
        return samples
    import av

    resampler = av.AudioResampler(format="dblp" if frame.format.is_planar else "dbl")  # numpy conversion lacks 64 bit
    return np.concatenate([part.to_ndarray() for part in resampler.resample(frame)], axis=1)


def has_pyav() -> bool:
    """Return whether PyAV is installed."""
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True


def import_pyav(container_format: ContainerFormat, name: str) -> ModuleType:
    """Return the module of PyAV.

    Raises:
        AudioError: it is not installed, or too old.
    """
    label = container_format.label
    try:
        import av
    except ImportError as error:
        raise AudioError(f"{name}: {label} needs PyAV, which is not installed: {INSTALL}") from error
    if int(av.__version__.partition(".")[0]) < MIN_PYAV_VERSION:
        raise AudioError(f"{name}: {label} needs PyAV {MIN_PYAV_VERSION}, and {av.__version__} is installed: {INSTALL}")
    return av
