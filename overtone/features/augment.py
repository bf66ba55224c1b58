"""Data augmentation for training: variations of a waveform and of a log-mel spectrogram with the same emotion."""

from collections.abc import Sequence

import numpy as np
import soxr

from overtone.features.background_noise import add_babble, add_hum, add_noise, speech_span
from overtone.features.channel_effects import (
    MP3_LEVELS,
    OPUS_LEVELS,
    clip_peaks,
    limit_band,
    mp3,
    opus,
    reverberate,
    telephone,
    tilt_spectrum,
)
from overtone.features.spectrum import SAMPLE_RATE_HZ

# Of every clip.
MIN_SPEED, MAX_SPEED = 0.87, 1.15
MAX_TILT = 0.3

# Of clips that stay clean: about as different as two studios.
CLEAN_PROBABILITY = 0.2
MAX_CLEAN_GAIN_DB = 6.0
MIN_CLEAN_SNR_DB, MAX_CLEAN_SNR_DB = 15.0, 45.0

# Of all others: recordings from anywhere.
MIN_GAIN_DB, MAX_GAIN_DB = -30.0, 6.0
CROP_PROBABILITY = 0.2
MIN_CROP_S = 0.5
MIN_CROP_PEAK = 0.1  # of that of the clip: a part that is only a pause has no emotion
SILENCE_PROBABILITY = 0.25
MAX_SILENCE_S = 1.0
ROOM_PROBABILITY = 0.35
MIN_REVERBERATION_S, MAX_REVERBERATION_S = 0.1, 1.0
MIN_DIRECT_DB, MAX_DIRECT_DB = -5.0, 15.0
MAX_REFLECTION_DELAY_S = 0.02
MAX_DAMPING = 0.8
BABBLE_PROBABILITY = 0.15
MIN_BABBLE_SNR_DB, MAX_BABBLE_SNR_DB = 5.0, 30.0
NOISE_PROBABILITY = 0.6
MIN_SNR_DB, MAX_SNR_DB = 5.0, 45.0
MAX_NOISE_SLOPE = 2.0
HUM_PROBABILITY = 0.1
MAINS_HZ = (50.0, 60.0)
MAX_MAINS_DEVIATION_HZ = 0.5
MIN_HUM_SNR_DB, MAX_HUM_SNR_DB = 5.0, 35.0
CLIPPING_PROBABILITY = 0.08
MIN_CLIPPING_DB, MAX_CLIPPING_DB = 3.0, 15.0
# One of the transmissions at most; the rest of the clips is transmitted without loss.
BAND_LIMIT_PROBABILITY, TELEPHONE_PROBABILITY, MP3_PROBABILITY, OPUS_PROBABILITY = 0.15, 0.12, 0.06, 0.04
MIN_CUTOFF_HZ, MAX_CUTOFF_HZ = 3_400.0, 7_500.0


def augment_waveform(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray] = ()) -> np.ndarray:
    """An augmented copy of a clip, as by another speaker in another recording, float32 `(new samples,)`.

    Every clip gets a random speed (and with it pitch and formants) and spectral tilt. One in five is otherwise as clean
    as a studio recording. The others are cropped or surrounded by silence, reverberated, mixed with other voices, noise
    or hum, clipped, transmitted by telephone or codec, and made quieter: each with its probability.

    Digital silence stays digital silence.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
        rng: random generator.
        others: other speech for voices in the background, each float32 `(its samples,)`; without any, there are none.
    """
    speed = np.exp(rng.uniform(np.log(MIN_SPEED), np.log(MAX_SPEED)))
    augmented = soxr.resample(samples, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ)
    if not augmented.any():
        return augmented if len(augmented) else samples.copy()
    tilt = rng.uniform(-MAX_TILT, MAX_TILT)
    if rng.random() < CLEAN_PROBABILITY:
        snr_db = rng.uniform(MIN_CLEAN_SNR_DB, MAX_CLEAN_SNR_DB)
        augmented = add_noise(tilt_spectrum(augmented, tilt), rng, snr_db=snr_db, slope=rng.uniform(0, MAX_NOISE_SLOPE))
        gain_db = rng.uniform(-MAX_CLEAN_GAIN_DB, MAX_CLEAN_GAIN_DB)
    else:
        augmented = _in_background(_in_room(_cut_or_extended(augmented, rng), rng), rng, others)
        augmented = _transmitted(tilt_spectrum(augmented, tilt), rng)
        gain_db = rng.uniform(MIN_GAIN_DB, MAX_GAIN_DB)
    return (augmented * 10 ** (gain_db / 20)).astype(np.float32)


def _cut_or_extended(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The clip, or a random part of its speech; with up to 1 s of silence on either side, or without."""
    if rng.random() < CROP_PROBABILITY:
        speech = samples[speech_span(samples)]
        shortest = round(MIN_CROP_S * SAMPLE_RATE_HZ)
        if len(speech) > shortest:
            length = int(rng.integers(shortest, len(speech) + 1))
            start = int(rng.integers(len(speech) - length + 1))
            part = speech[start : start + length]
            if np.abs(part).max() > MIN_CROP_PEAK * np.abs(speech).max():
                samples = part
    if rng.random() < SILENCE_PROBABILITY:
        before, after = rng.integers(0, round(MAX_SILENCE_S * SAMPLE_RATE_HZ), 2)
        samples = np.pad(samples, (int(before), int(after)))
    return samples


def _in_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The clip in a random room, or as it is."""
    if rng.random() >= ROOM_PROBABILITY:
        return samples
    return reverberate(
        samples,
        rng,
        reverberation_s=rng.uniform(MIN_REVERBERATION_S, MAX_REVERBERATION_S),
        direct_db=rng.uniform(MIN_DIRECT_DB, MAX_DIRECT_DB),
        delay_s=rng.uniform(0, MAX_REFLECTION_DELAY_S),
        damping=rng.uniform(0, MAX_DAMPING),
    )


def _in_background(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """The clip with other voices, noise and hum, each with its probability."""
    if rng.random() < BABBLE_PROBABILITY:
        samples = add_babble(samples, others, rng, snr_db=rng.uniform(MIN_BABBLE_SNR_DB, MAX_BABBLE_SNR_DB))
    if rng.random() < NOISE_PROBABILITY:
        snr_db, slope = rng.uniform(MIN_SNR_DB, MAX_SNR_DB), rng.uniform(0, MAX_NOISE_SLOPE)
        samples = add_noise(samples, rng, snr_db=snr_db, slope=slope)
    if rng.random() < HUM_PROBABILITY:
        mains_hz = rng.choice(MAINS_HZ) + rng.uniform(-MAX_MAINS_DEVIATION_HZ, MAX_MAINS_DEVIATION_HZ)
        samples = add_hum(samples, rng, snr_db=rng.uniform(MIN_HUM_SNR_DB, MAX_HUM_SNR_DB), mains_hz=mains_hz)
    return samples


def _transmitted(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The clip, overdriven or not, after a random transmission or none."""
    if rng.random() < CLIPPING_PROBABILITY:
        samples = clip_peaks(samples, rng.uniform(MIN_CLIPPING_DB, MAX_CLIPPING_DB))
    choice = rng.random()
    if (choice := choice - BAND_LIMIT_PROBABILITY) < 0:
        return limit_band(samples, 2 * rng.uniform(MIN_CUTOFF_HZ, MAX_CUTOFF_HZ))
    if (choice := choice - TELEPHONE_PROBABILITY) < 0:
        return telephone(samples)
    peak = max(1.0, float(np.abs(samples).max()))  # encoders would clip
    if (choice := choice - MP3_PROBABILITY) < 0:
        return mp3(samples / peak, rng.uniform(*MP3_LEVELS)) * peak
    if choice < OPUS_PROBABILITY:
        return opus(samples / peak, rng.uniform(*OPUS_LEVELS)) * peak
    return samples


def spec_augment(
    spectrogram: np.ndarray,
    rng: np.random.Generator,
    *,
    shift_bands: int,
    mask_count: int,
    mask_bands: int,
    mask_frames: int,
) -> np.ndarray:
    """Return normalised log-mel spectrograms, shifted along frequency and masked, float32 `(batch, frames, bands)`.

    Args:
        spectrogram: float32 `(batch, frames, bands)`, 0 = average.
        rng: random generator.
        shift_bands: maximum shift in bands, up or down.
        mask_count: number of masks per clip, along frequency and along time each.
        mask_bands: maximum width of a mask in bands.
        mask_frames: maximum length of a mask in frames; never more than a quarter of the clip.

    Source: Park et al. (2019), "SpecAugment"; the shift simulates another length of the vocal tract.
    """
    augmented = spectrogram.copy()
    _, frames, bands = augmented.shape
    for clip in augmented:
        shift = int(rng.integers(-shift_bands, shift_bands + 1))
        clip[:] = np.roll(clip, shift, axis=1)
        clip[:, : max(0, shift)] = 0  # bands shifted out at one end do not reappear at the other
        clip[:, bands + min(0, shift) :] = 0
        for _ in range(mask_count):
            width = int(rng.integers(0, mask_bands + 1))
            low = int(rng.integers(0, bands - width + 1))
            clip[:, low : low + width] = 0
            length = int(rng.integers(0, min(mask_frames, frames // 4) + 1))
            start = int(rng.integers(0, frames - length + 1))
            clip[start : start + length] = 0
    return augmented
