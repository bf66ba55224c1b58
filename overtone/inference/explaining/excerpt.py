"""The clip to explain: a whole file or a part of a recording, short enough for the model."""

import math
import os
from pathlib import Path

from overtone._internal.file_objects import read_file_object
from overtone.audio.blocks import measure_duration
from overtone.audio.decode import read
from overtone.audio.source import Source, read_pipe, source_name
from overtone.channels import Channel
from overtone.datatypes import SAMPLE_RATE_HZ, Waveform
from overtone.errors import AudioError, OptionError
from overtone.inference.inputs import Samples, is_file_source, load_waveform, waveform_from_samples

MAX_EXPLAINED_S = 30.0  # the time that an explanation takes grows with the length of the clip


def load_excerpt(
    source: Source | Waveform | Samples,
    rate_hz: float | None,
    channel: Channel,
    start_s: float,
    end_s: float | None,
    max_samples: int | None,
) -> Waveform:
    """Return the waveform of a clip or of a part of a recording, checked as `load_waveform` does.

    Args:
        source: as for `overtone.inference.recogniser.Recogniser.recognise`.
        rate_hz: likewise.
        channel: likewise.
        start_s: start of the part.
        end_s: end of the part; None for the end of the recording.
        max_samples: longest clip that the model takes at once; None for any.

    Raises:
        AudioError: as `load_waveform`; the part is outside the recording, or too long to be explained.
        OptionError: as `load_waveform`; or the times are not in order.
    """
    stop_s = math.inf if end_s is None else end_s
    if not (0 <= start_s < stop_s and (end_s is None or math.isfinite(end_s))):
        raise OptionError(f"start and end: expected 0 <= start < end in seconds, got {start_s} and {end_s}")
    limit_s = min(MAX_EXPLAINED_S, (max_samples or math.inf) / SAMPLE_RATE_HZ)
    if is_file_source(source, rate_hz):
        content = _read_again(source)
        _check_part(measure_duration(content), start_s, end_s, limit_s, source_name(source))
        return load_waveform(read(content, start_s=start_s, end_s=end_s, channel=channel))
    waveform = waveform_from_samples(source, rate_hz, channel)
    _check_part(waveform.duration_s, start_s, end_s, limit_s, waveform.source or "waveform")
    first = round(start_s * SAMPLE_RATE_HZ)
    end = len(waveform.samples) if end_s is None else round(end_s * SAMPLE_RATE_HZ)
    return load_waveform(Waveform(waveform.samples[first:end], waveform.source))


def _read_again(source: Source) -> Source:
    """Return a source that can be read several times: the content of a pipe or of a file object."""
    if isinstance(source, str | os.PathLike):
        return read_pipe(Path(source)) or source
    return source if isinstance(source, bytes | bytearray | memoryview) else read_file_object(source)


def _check_part(duration_s: float, start_s: float, end_s: float | None, limit_s: float, name: str) -> None:
    end_s = duration_s if end_s is None else min(end_s, duration_s)
    if start_s >= duration_s:
        raise AudioError(f"{name}: has only {duration_s:.2f} s, and the part to explain starts at {start_s:.2f} s")
    if end_s - start_s > limit_s + 0.01:
        raise AudioError(
            f"{name}: {end_s - start_s:.1f} s are too long to be explained at once ({limit_s:.0f} s at most); name a "
            "part of it by start and end, such as a segment of its timeline"
        )
