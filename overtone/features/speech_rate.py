"""Speech rate and pause ratio, from the loudness and pitch tracks."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.active_span import OUTSIDE, first_to_last, max_filter
from overtone.features.loudness import active_frames
from overtone.features.spectrum import FRAME_RATE_HZ

DIP_DB = 2.0
NEIGHBOUR_FRAMES = 3  # a nucleus is the loudest frame within 48 ms on each side,
VALLEY_FRAMES = 10  # and 2 dB above the quietest one within 160 ms on each side


def syllable_nuclei(loudness_db: Tensor, pitch_hz: Tensor) -> Tensor:
    """Return the frames that are the peak of a syllable: loud, voiced, a dip on both sides; bool `(batch, frames)`.

    Source: de Jong & Wempe (2009), "Praat script to detect syllable nuclei"; dips are searched in a fixed window here.
    """
    padded = functional.pad(loudness_db[:, None], (1, 1), mode="replicate")
    smooth = functional.avg_pool1d(padded, 3, stride=1).squeeze(1)
    # Louder than the frames before and not quieter than those after: of equal frames the first is the peak.
    before = functional.pad(max_filter(smooth, NEIGHBOUR_FRAMES - 1, 0)[:, :-1], (1, 0), value=OUTSIDE)
    after = max_filter(smooth, 0, NEIGHBOUR_FRAMES)
    lowest_before = -max_filter(-smooth, VALLEY_FRAMES, 0)
    lowest_after = -max_filter(-smooth, 0, VALLEY_FRAMES)
    has_dips = (smooth - lowest_before >= DIP_DB) & (smooth - lowest_after >= DIP_DB)
    return (smooth > before) & (smooth >= after) & has_dips & (pitch_hz > 0) & active_frames(loudness_db)


class SpeechRate(nn.Module):
    """Loudness and pitch tracks -> syllable nuclei per second and pause ratio, each `(batch,)`.

    Both are measured between the first and the last active frame: silence around the speech is not a pause. A clip
    without an active frame has rate 0 and pause ratio 0.
    """

    def forward(self, loudness_db: Tensor, pitch_hz: Tensor) -> tuple[Tensor, Tensor]:
        """Return the speech rate (1/s) and the proportion of silent frames within the speech, in [0, 1].

        Args:
            loudness_db: `(batch, frames)`.
            pitch_hz: `(batch, frames)`, 0 where unvoiced.
        """
        active = active_frames(loudness_db)
        span = first_to_last(active).to(torch.float32).sum(-1)
        nuclei = syllable_nuclei(loudness_db, pitch_hz).to(torch.float32).sum(-1)
        silent = span - active.to(torch.float32).sum(-1)
        return nuclei * FRAME_RATE_HZ / span.clamp(min=1), silent / span.clamp(min=1)
