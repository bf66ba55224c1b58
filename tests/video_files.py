"""Encodes audio and video containers in memory with PyAV, for decoding tests."""

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV comes with the [dev] extra")

# Container, codec, and by how many samples at 16 kHz the audio may be delayed and longer, where the container does not
# declare encoder delay and padding. All others must be exact to the sample.
FORMATS: list[tuple[str, str, int]] = [
    ("mp4", "aac", 0),
    ("ipod", "alac", 0),
    ("3gp", "aac", 0),
    ("mp4", "libopus", 0),
    ("mov", "pcm_s16le", 0),
    ("mov", "pcm_s24be", 0),
    ("webm", "libopus", 0),
    ("matroska", "flac", 0),
    ("matroska", "pcm_f32le", 0),
    ("matroska", "pcm_u8", 0),
    ("matroska", "aac", 342),
    ("adts", "aac", 700),
    ("flv", "aac", 700),
    ("mpegts", "aac", 700),
    ("vob", "mp2", 700),
    ("avi", "pcm_s16le", 0),
    ("avi", "mp3", 750),
    ("asf", "wmav2", 1_400),
]
LOSSLESS = ("alac", "flac", "pcm_s16le", "pcm_s24be", "pcm_f32le")
FRAME_RATE_HZ = 10


def encode_video(
    container_format: str,
    codec: str,
    tracks: Sequence[np.ndarray],
    rate_hz: int = 48_000,
    *,
    video_frames: int = 0,
    delay_s: float = 0.0,
    default: int | None = None,
    gap_s: float = 0.0,
    options: dict[str, str] | None = None,
) -> bytes:
    """Return a file with these audio tracks, `(samples,)` or `(samples, channels)`.

    Args:
        container_format: FFmpeg's name of the container.
        codec: FFmpeg's name of the audio codec.
        tracks: samples of the audio tracks.
        rate_hz: their sampling rate.
        video_frames: number of video frames; 0 for no video.
        delay_s: how much later than the video the audio starts.
        default: the only track that is marked as the default one.
        gap_s: a gap in the time stamps in the middle of the audio.
        options: options of the container.
    """
    content = io.BytesIO()
    with av.open(content, "w", format=container_format, options=options or {}) as container:
        video = _add_video(container, container_format) if video_frames else None
        streams = [_add_audio(container, codec, rate_hz, track) for track in tracks]
        for number, stream in enumerate(streams):
            if default is not None:
                stream.disposition = av.stream.Disposition(int(number == default))
        for number in range(video_frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 8 * number % 256, np.uint8))
            frame.pts = number
            container.mux(video.encode(frame))
        if video:
            container.mux(video.encode(None))
        for stream, track in zip(streams, tracks, strict=True):
            for frame in _frames(stream, track, rate_hz, delay_s, gap_s):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return content.getvalue()


def _add_video(container: Any, container_format: str) -> Any:
    video = container.add_stream({"webm": "libvpx", "flv": "flv"}.get(container_format, "mpeg4"), rate=FRAME_RATE_HZ)
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    return video


def _add_audio(container: Any, codec: str, rate_hz: int, track: np.ndarray) -> Any:
    channels = 1 if track.ndim == 1 else track.shape[1]
    stream = container.add_stream(codec, rate=rate_hz, layout={1: "mono", 2: "stereo", 6: "5.1"}[channels])
    stream.bit_rate = 64_000 * channels
    return stream


def _frames(stream: Any, track: np.ndarray, rate_hz: int, delay_s: float, gap_s: float) -> list[Any]:
    """Return the track as frames of the format and length that its encoder accepts."""
    channels = track[None] if track.ndim == 1 else track.T
    source = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels, np.float32), "fltp", stream.layout.name)
    source.sample_rate, source.pts, source.time_base = rate_hz, 0, Fraction(1, rate_hz)
    if not stream.codec_context.is_open:
        stream.codec_context.open()
    size = stream.codec_context.frame_size or 1_000
    resampler = av.AudioResampler(stream.format.name, stream.layout.name, rate_hz, frame_size=size)
    if not track.size:
        return []
    frames = [*resampler.resample(source), *resampler.resample(None)]
    for number, frame in enumerate(frames):
        frame.pts = round(number * size + (delay_s + gap_s * (number >= len(frames) // 2)) * rate_hz)
        frame.time_base = Fraction(1, rate_hz)
    return frames
