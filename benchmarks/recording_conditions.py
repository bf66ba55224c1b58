"""Named recording conditions in which a model is tested: noise, rooms, telephones, codecs and short clips.

Each is a fixed change of a clean clip. Random numbers depend on the condition and the clip alone, so every model is
tested on the same samples. Where training augments clips in a similar way, the method here is another one: rooms by the
image-source method, other voices as they are, IIR filters, the codec at a fixed bit rate.
"""

import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from benchmarks.shoebox_room import impulse_response
from overtone.audio.decode import from_array, read
from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.errors import MissingExtraError

CLEAN = "clean"
FRAME_SAMPLES = 400
SPEECH_BELOW_PEAK_DB = 30.0
BABBLE_VOICES = 4
HUM_SNR_DB = 10.0
HUM_AMPLITUDES = {50: 1.0, 100: 0.6, 150: 0.5, 200: 0.2, 250: 0.3, 350: 0.1}  # Hz -> amplitude
OPUS_BITS_PER_S = 12_000
MU = 255
OVERDRIVE_DB = 12.0


@dataclass(frozen=True)
class Condition:
    """One way in which a recording differs from a clean one.

    Attributes:
        name: in tables and files.
        description: what is done, for the reader of a table.
        apply: (samples, random generator, other clips of the corpus) -> changed samples; all float32 `(samples,)`.
    """

    name: str
    description: str
    apply: Callable[[np.ndarray, np.random.Generator, Sequence[np.ndarray]], np.ndarray]


def apply_condition(condition: Condition, samples: np.ndarray, clip: str, others: Sequence[np.ndarray]) -> np.ndarray:
    """Return a clip in a condition, float32 `(samples,)`; the same for the same clip, whatever else is tested.

    Args:
        condition: a row of `CONDITIONS`.
        samples: the clean clip at 16 kHz.
        clip: its id.
        others: clips of other speakers of the corpus, for `babble`.
    """
    rng = np.random.default_rng([zlib.crc32(condition.name.encode()), zlib.crc32(clip.encode())])
    return condition.apply(samples, rng, others).astype(np.float32)


def speech_frames(samples: np.ndarray) -> np.ndarray:
    """Return which frames of 25 ms are at most 30 dB below the loudest one, bool `(frames,)`."""
    padded = np.pad(samples.astype(float), (0, -len(samples) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    power = np.square(padded).mean(1)
    return power >= power.max() * 10 ** (-SPEECH_BELOW_PEAK_DB / 10)


def speech_level(samples: np.ndarray) -> float:
    """Return the root mean square of the speech frames."""
    padded = np.pad(samples.astype(float), (0, -len(samples) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    return float(np.sqrt(np.square(padded[speech_frames(samples)]).mean()))


def _mixed(samples: np.ndarray, background: np.ndarray, snr_db: float) -> np.ndarray:
    level = np.sqrt(np.mean(np.square(background)))
    return samples + background * (speech_level(samples) / level * 10 ** (-snr_db / 20)) if level else samples


def _white_noise(snr_db: float) -> Callable[..., np.ndarray]:
    return lambda samples, rng, others: _mixed(samples, rng.standard_normal(len(samples)), snr_db)


def _babble(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """Voices at random positions, each repeated with its pauses up to the length of the clip."""
    babble = np.zeros(len(samples))
    for index in rng.permutation(len(others))[:BABBLE_VOICES]:
        voice = np.resize(np.roll(others[index], -int(rng.integers(len(others[index])))), len(samples))
        babble += voice / max(speech_level(others[index]), 1e-9)
    return _mixed(samples, babble, 10.0)


def _telephone(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """A Butterworth band-pass at 8 kHz and 8 bit mu-law (ITU-T G.711) at the level of the clip."""
    narrow = sosfilt(butter(4, (300, 3400), "bandpass", fs=8000, output="sos"), resample_poly(samples, 1, 2))
    compressed = np.sign(narrow) * np.log1p(MU * np.minimum(np.abs(narrow), 1)) / np.log1p(MU)
    quantised = np.clip(np.floor(compressed * 128) + 0.5, -127.5, 127.5) / 128
    expanded = np.sign(quantised) * ((1 + MU) ** np.abs(quantised) - 1) / MU
    return resample_poly(expanded, 2, 1)[: len(samples)]


def _opus(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """The reference encoder for speech, at a constant bit rate, with its default complexity."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("the condition 'Opus' needs PyAV: pip install av") from error
    peak = max(1.0, float(np.abs(samples).max()))
    pcm = np.rint(samples / peak * 32767).astype(np.int16)[None]
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        options = {"vbr": "off", "application": "voip"}
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono", options=options)
        stream.bit_rate = OPUS_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, 0, Fraction(1, SAMPLE_RATE_HZ)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return read(file.getvalue()).samples * peak


def _reverberation(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    wet = fftconvolve(samples, impulse_response(0.8))[: len(samples)]
    return wet * (speech_level(samples) / max(speech_level(wet), 1e-9))


def _clipping(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """Overdriven: the peak would be 12 dB above full scale."""
    return np.clip(samples * (10 ** (OVERDRIVE_DB / 20) / max(float(np.abs(samples).max()), 1e-9)), -1, 1)


def _quiet(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """A gain of -30 dB, then 16 bits per sample, as a recording at a low level has."""
    return np.rint(samples * (10 ** (-30 / 20) * 32768)) / 32768


def _start_of_speech(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    start = int(np.flatnonzero(speech_frames(samples))[0]) * FRAME_SAMPLES
    return samples[start : start + SAMPLE_RATE_HZ // 2]


def _silence_around(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    return np.pad(samples, SAMPLE_RATE_HZ)


def _hum(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    time = 2 * np.pi * np.arange(len(samples)) / SAMPLE_RATE_HZ
    phases = rng.uniform(0, 2 * np.pi, len(HUM_AMPLITUDES))
    waves = [a * np.sin(hz * time + phase) for (hz, a), phase in zip(HUM_AMPLITUDES.items(), phases, strict=True)]
    return _mixed(samples, np.sum(waves, axis=0), HUM_SNR_DB)


def _rate_8_khz(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """As a file of 8 kHz is read."""
    return from_array(resample_poly(samples, 1, 2), SAMPLE_RATE_HZ / 2).samples


CONDITIONS: tuple[Condition, ...] = (
    Condition(CLEAN, "the clip itself", lambda samples, rng, others: samples),
    Condition("white noise 20 dB", "speech 20 dB above white noise", _white_noise(20.0)),
    Condition("white noise 10 dB", "speech 10 dB above white noise", _white_noise(10.0)),
    Condition("babble 10 dB", "speech 10 dB above four other speakers of the corpus", _babble),
    Condition("telephone", "300 to 3400 Hz, 8 kHz, mu-law", _telephone),
    Condition("Opus 12 kbit/s", "encoded as Opus for speech, and decoded", _opus),
    Condition(
        "reverberation 0.8 s", "in a room with a reverberation time of 0.8 s, 1.2 m from the microphone", _reverberation
    ),
    Condition("clipping", "overdriven by 12 dB", _clipping),
    Condition("quiet -30 dB", "30 dB quieter, 16 bits", _quiet),
    Condition("first 0.5 s", "the first half second of the speech", _start_of_speech),
    Condition("1 s of silence around", "one second of digital silence before and after", _silence_around),
    Condition("hum", "speech 10 dB above mains hum of 50 Hz with harmonics", _hum),
    Condition("8 kHz sample rate", "no frequencies above 4 kHz", _rate_8_khz),
)
