"""Log-mel spectrogram as OpenAI's Whisper takes it: waveform -> scaled log10 power per 10 ms frame and mel band."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.mel import mel_filters

FFT_SAMPLES = 400  # 25 ms
HOP_SAMPLES = 160
POWER_FLOOR = 1e-10
RANGE_BELS = 8.0  # below the loudest value of the clip


class WhisperLogMel(nn.Module):
    """Waveform `(batch, samples)` at 16 kHz -> log-mel spectrogram `(batch, samples // HOP_SAMPLES, bands)`.

    The Fourier transform is a convolution with windowed sines and cosines, which any ONNX runtime computes for any
    length.

    Source: Radford et al. (2022), "Robust Speech Recognition via Large-Scale Weak Supervision".

    Args:
        bands: number of mel bands: 80, or 128 for large-v3.
    """

    waves: Tensor
    filters: Tensor

    def __init__(self, bands: int = 80) -> None:
        super().__init__()
        window = torch.hann_window(FFT_SAMPLES, periodic=True, dtype=torch.float64)
        bins, time = torch.arange(FFT_SAMPLES // 2 + 1)[:, None], torch.arange(FFT_SAMPLES)
        phase = 2 * torch.pi * (bins * time % FFT_SAMPLES).double() / FFT_SAMPLES
        waves = torch.cat([phase.cos() * window, phase.sin() * window])
        self.register_buffer("waves", waves.float()[:, None], persistent=False)  # (2 * bins, 1, FFT_SAMPLES)
        self.register_buffer("filters", mel_filters(bands, FFT_SAMPLES).float(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the spectrogram, scaled to about [-1, 1] by the loudest value of each clip.

        Args:
            waveform: `(batch, samples)`, more than half an FFT window.
        """
        padded = functional.pad(waveform[:, None], (FFT_SAMPLES // 2, FFT_SAMPLES // 2), mode="reflect")
        transform = functional.conv1d(padded, self.waves, stride=HOP_SAMPLES)[..., :-1]  # (batch, 2 * bins, frames)
        power = transform.square().unflatten(1, (2, -1)).sum(1).transpose(1, 2)
        log = (power @ self.filters).clamp(min=POWER_FLOOR).log10()
        return (torch.maximum(log, log.amax((1, 2), keepdim=True) - RANGE_BELS) + 4) / 4
