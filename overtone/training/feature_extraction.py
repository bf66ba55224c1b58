"""Audio of utterances -> features of one version of them: the clean clips, or augmented ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from overtone._internal.progress import Progress
from overtone.audio.decode import read_utterance
from overtone.datatypes import Utterance, Waveform
from overtone.errors import AudioError, CorpusError, OptionError
from overtone.features.augment import augment_waveform
from overtone.features.front_end import ExtraFeature, FrontEnd
from overtone.features.spectrum import HOP_SAMPLES

MAX_LISTED_FILES = 5
Arrays = dict[str, np.ndarray]


def read_waveforms(utterances: Sequence[Utterance], progress: Progress) -> list[Waveform]:
    """The audio of every utterance.

    Raises:
        CorpusError: some files cannot be read; the message names the first ones and counts all.
    """
    waveforms, failures = [], []
    for done, utterance in enumerate(utterances):
        try:
            waveforms.append(read_utterance(utterance))
        except AudioError as error:
            failures.append(str(error))
        progress(done + 1, len(utterances), "reading")
    if failures:
        listed = "\n  ".join(failures[:MAX_LISTED_FILES])
        raise CorpusError(f"{len(failures)} of {len(utterances)} clips cannot be read, remove them:\n  {listed}")
    return waveforms


@torch.inference_mode()
def extract(
    waveforms: Sequence[Waveform],
    version: int,
    progress: Progress,
    extra: Mapping[str, ExtraFeature] | None = None,
    speakers: Sequence[str] | None = None,
) -> Arrays:
    """The features of one version of all clips.

    Args:
        waveforms: the clean clips.
        version: 0 for the clean clips; any other number is the seed of their augmentation.
        progress: called after each clip.
        extra: name -> feature to compute beyond the shared ones.
        speakers: the speaker of each clip, "" where unknown; None where all are unknown. Voices in the background of an
            augmented clip come from the other clips of its speaker.

    Raises:
        OptionError: an extra feature is not finite, or has another number of frames than it should.
    """
    front_end = FrontEnd(extra)
    speakers = speakers or [""] * len(waveforms)
    clips_of = _clips_of_speakers(speakers)
    log_mels, tracks, rates = [], [], []
    extras: dict[str, list[np.ndarray]] = {name: [] for name in front_end.extra}
    for index, waveform in enumerate(waveforms):
        samples = waveform.samples
        if version:
            others = [waveforms[other].samples for other in clips_of[speakers[index]] if other != index]
            samples = augment_waveform(samples, np.random.default_rng([version, index]), others)
        features = front_end(torch.from_numpy(samples)[None])
        log_mels.append(features.log_mel[0].numpy())
        tracks.append(torch.stack([features.pitch_hz[0], features.periodicity[0], features.loudness_db[0]], -1).numpy())
        rates.append(torch.cat([features.tempo_bpm, features.speech_rate_hz, features.pause_ratio]).numpy())
        for name, rows in extras.items():
            rows.append(_checked(name, features.extra[name][0], front_end.extra[name], len(log_mels[-1])).numpy())
        progress(index + 1, len(waveforms), f"computing features, version {version}")
    arrays = {
        # The error of half precision is about 0.3 % of a decibel: negligible next to the augmentation, at half the
        # size.
        "log_mel": np.concatenate(log_mels).astype(np.float16 if version else np.float32),
        "tracks": np.concatenate(tracks),
        "rates": np.stack(rates),
        "ends": np.cumsum([len(track) for track in tracks]),
    }
    for name, rows in extras.items():
        arrays[f"extra.{name}"] = np.concatenate(rows)
        arrays[f"extra.{name}.ends"] = np.cumsum([len(row) for row in rows])
    return arrays


def _checked(name: str, values: torch.Tensor, feature: ExtraFeature, frames: int) -> torch.Tensor:
    """The values of an extra feature for one clip, `(its frames, ...)`, if they are what its row promises.

    Raises:
        OptionError: other values than `ExtraFeature` describes: the code of the feature is wrong.
    """
    if not torch.isfinite(values).all():
        raise OptionError(f"feature '{name}' is NaN or infinite for a clip; limit its values, such as with clamp")
    if feature.hop_samples == HOP_SAMPLES and len(values) != frames:
        raise OptionError(f"feature '{name}' has {len(values)} frames where the front end has {frames}: use its frames")
    return values


def _clips_of_speakers(speakers: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """Speaker -> positions of the clips; none for the unknown speaker.

    The features are computed once for all folds. The voice of another speaker could be one of the test set: even
    without a label and in the background, the model would then have been trained on test audio.
    """
    clips_of: dict[str, list[int]] = {speaker: [] for speaker in speakers}
    for index, speaker in enumerate(speakers):
        if speaker:
            clips_of[speaker].append(index)
    return clips_of
