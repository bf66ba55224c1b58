"""The architectures of large pretrained transformers, run with torch.

The weights are random, which costs the same as trained weights and needs no download. Each model has a classifier for
eight emotions, like a model that was fine-tuned for them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.systems import ProcessClips
from benchmarks.systems.audio import normalise, read_mono

EMOTIONS = 8
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
# The defaults of both configuration classes are the base models; WavLM-base-plus differs from WavLM-base only in its
# training data.
CONFIGS: dict[str, tuple[str, dict[str, int]]] = {
    "wav2vec2-base": ("Wav2Vec2Config", {}),
    "wav2vec2-large": ("Wav2Vec2Config", LARGE),
    "wavlm-base-plus": ("WavLMConfig", {}),
}


def prepare(variant: str, folder: Path) -> None:
    """Store a model in the same files as a downloaded one."""
    build_model(variant).save_pretrained(folder)


def load(variant: str, folder: Path) -> ProcessClips:
    """Return the stored model on one thread."""
    torch.set_num_threads(1)
    model = transformers.AutoModelForAudioClassification.from_pretrained(folder, local_files_only=True).eval()

    def process(clips: Sequence[Path]) -> list[Any]:
        with torch.inference_mode():
            return [model(torch.from_numpy(normalise(read_mono(clip)))).logits.softmax(-1)[0] for clip in clips]

    return process


def build_model(variant: str) -> Any:
    """Return an untrained model, initialised with a fixed seed."""
    torch.manual_seed(0)
    config_class, sizes = CONFIGS[variant]
    config = getattr(transformers, config_class)(num_labels=EMOTIONS, **sizes)
    build: Any = transformers.AutoModelForAudioClassification.from_config  # which has no types
    return build(config).eval()
