"""Large pretrained transformers as architectures, on torch.

Weights are drawn by chance, which costs the same as trained ones: nothing is downloaded. Each has a head for eight
emotions, as a model that was fine-tuned for them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.systems import Way
from benchmarks.systems.sound import normalised, samples_of

EMOTIONS = 8
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
# Both configurations begin as the base models; WavLM-base-plus differs from WavLM-base in its data alone.
CONFIGS: dict[str, tuple[str, dict[str, int]]] = {
    "wav2vec2-base": ("Wav2Vec2Config", {}),
    "wav2vec2-large": ("Wav2Vec2Config", LARGE),
    "wavlm-base-plus": ("WavLMConfig", {}),
}


def prepare(variant: str, folder: Path) -> None:
    """Writes a model as users have it on disk."""
    model_of(variant).save_pretrained(folder)


def load(variant: str, folder: Path) -> Way:
    """The model on one thread."""
    torch.set_num_threads(1)
    model = transformers.AutoModelForAudioClassification.from_pretrained(folder, local_files_only=True).eval()

    def way(clips: Sequence[Path]) -> list[Any]:
        with torch.inference_mode():
            return [model(torch.from_numpy(normalised(samples_of(clip)))).logits.softmax(-1)[0] for clip in clips]

    return way


def model_of(variant: str) -> Any:
    """An untrained model, always the same."""
    torch.manual_seed(0)
    name, sizes = CONFIGS[variant]
    config = getattr(transformers, name)(num_labels=EMOTIONS, **sizes)
    return transformers.AutoModelForAudioClassification.from_config(config).eval()
