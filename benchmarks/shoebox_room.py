"""Impulse response of a rectangular room by the image-source method.

Augmentation in training models a room as decaying noise; this is another model, so that a benchmark with it does not
test what the networks were trained on.
"""

import functools

import numpy as np
from scipy.signal import butter, sosfilt

from overtone.datatypes import SAMPLE_RATE_HZ

SPEED_OF_SOUND_M_S = 343.0
SIZE_M = np.array([6.1, 4.7, 2.9])
SOURCE_M = np.array([1.7, 3.2, 1.5])
MICROPHONE_M = np.array([2.7, 2.5, 1.3])  # 1.2 m from the source
DISPLACEMENT_M = 0.08  # of each image, at random: exact images would produce sweeping echoes
LOWEST_HZ = 50.0  # reflection factors are positive, so that the sum of all images has an offset
# Waves parallel to the long walls meet fewer walls than Eyring's formula assumes: at equal absorption, this room decays
# more slowly by 1 / 0.8 (measured from 5 to 25 dB below the start).
EYRING_FACTOR = 0.8
SEED = 20


@functools.cache
def impulse_response(reverberation_s: float) -> np.ndarray:
    """Return the response from the source to the microphone, float64 `(samples,)`; the direct sound has amplitude 1.

    All walls reflect alike.

    Source: Allen & Berkley (1979), "Image method for efficiently simulating small-room acoustics"; De Sena et al.
    (2015), "On the modeling of rectangular geometries in room acoustic simulations", for the displacement.

    Args:
        reverberation_s: time in which the energy decays by 60 dB.
    """
    rng = np.random.default_rng(SEED)
    volume, surface = SIZE_M.prod(), 2 * sum(SIZE_M.prod() / SIZE_M)
    eyring_s = EYRING_FACTOR * reverberation_s
    reflection = np.exp(-12 * np.log(10) * volume / (SPEED_OF_SOUND_M_S * surface * eyring_s))
    response = np.zeros(round(reverberation_s * SAMPLE_RATE_HZ))
    farthest_m = SPEED_OF_SOUND_M_S * reverberation_s
    # Along one axis, image n lies at 2 n size + source or 2 n size - source, after |2 n| or |2 n - 1| reflections.
    axes = []
    for size, source, microphone in zip(SIZE_M, SOURCE_M, MICROPHONE_M, strict=True):
        n = np.arange(-int(farthest_m / (2 * size)) - 1, int(farthest_m / (2 * size)) + 2)
        distance = np.concatenate([2 * n * size + source, 2 * n * size - source]) - microphone
        axes.append((distance, np.abs(np.concatenate([2 * n, 2 * n - 1]))))
    (x, x_count), (y, y_count), (z, z_count) = axes
    for distance, count in zip(x, x_count, strict=True):  # a plane of images at a time, which bounds the memory
        distance_m = np.sqrt(distance**2 + y[:, None] ** 2 + z**2)
        reflections = count + y_count[:, None] + z_count
        distance_m += (reflections > 0) * rng.uniform(-DISPLACEMENT_M, DISPLACEMENT_M, distance_m.shape)
        sample = np.rint(distance_m * (SAMPLE_RATE_HZ / SPEED_OF_SOUND_M_S)).astype(int)
        audible = sample < len(response)
        amplitude = (reflection**reflections / distance_m)[audible]
        response += np.bincount(sample[audible], amplitude, len(response))
    direct = int(np.flatnonzero(response)[0])
    response = sosfilt(butter(2, LOWEST_HZ, "highpass", fs=SAMPLE_RATE_HZ, output="sos"), response[direct:])
    return response / response[0]
