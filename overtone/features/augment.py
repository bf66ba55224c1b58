"""Data augmentation for training: variations of a waveform and of a log-mel spectrogram with the same emotion."""

import numpy as np
import soxr

from overtone.features.spectrum import SAMPLE_RATE_HZ

MIN_SPEED, MAX_SPEED = 0.87, 1.15
MAX_TILT = 0.3
MAX_GAIN_DB = 6.0
MIN_SNR_DB, MAX_SNR_DB = 15.0, 45.0


def augment_waveform(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an augmented copy of a clip, as by another speaker in another room, float32 `(new samples,)`.

    Random speed (and with it pitch and formants), spectral tilt, coloured noise and gain.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
        rng: random generator.
    """
    speed = np.exp(rng.uniform(np.log(MIN_SPEED), np.log(MAX_SPEED)))
    augmented = soxr.resample(samples, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ)
    tilt = rng.uniform(-MAX_TILT, MAX_TILT)
    augmented = (augmented + tilt * np.concatenate([[0.0], augmented[:-1]])) / (1 + abs(tilt))
    noise = rng.standard_normal(len(augmented) + 8)
    colour = rng.uniform(0, 0.95) ** np.arange(9)
    noise = np.convolve(noise, colour, mode="valid")
    snr_db = rng.uniform(MIN_SNR_DB, MAX_SNR_DB)
    noise *= np.sqrt(np.mean(augmented**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    gain_db = rng.uniform(-MAX_GAIN_DB, MAX_GAIN_DB)
    return ((augmented + noise) * 10 ** (gain_db / 20)).astype(np.float32)


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
