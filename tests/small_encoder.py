"""A small speech encoder with random weights, in the Hugging Face layout of Whisper."""

import json
from pathlib import Path

import numpy as np
import safetensors.numpy

from overtone.models.encoder_files import CONFIG_FILE, PREFIX, WEIGHTS_FILE

CONFIG = {
    "model_type": "whisper",
    "activation_function": "gelu",
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "num_mel_bins": 8,
    "max_source_positions": 50,  # one second
}
LAYERS, WIDTH, HIDDEN, BANDS, POSITIONS = 2, 16, 32, 8, 50


def write_encoder(folder: Path, seed: int = 0, **changes: object) -> Path:
    """Write the folder of an encoder; return it.

    Args:
        folder: it must not exist.
        seed: of the weights.
        changes: of the configuration, such as `max_source_positions`; the weights fit it.
    """
    config = {**CONFIG, **changes}
    folder.mkdir(parents=True)
    (folder / CONFIG_FILE).write_text(json.dumps(config), "utf-8")
    positions = int(str(config["max_source_positions"]))
    shapes: dict[str, tuple[int, ...]] = {
        "conv1.weight": (WIDTH, BANDS, 3),
        "conv1.bias": (WIDTH,),
        "conv2.weight": (WIDTH, WIDTH, 3),
        "conv2.bias": (WIDTH,),
        "embed_positions.weight": (positions, WIDTH),
        "layer_norm.weight": (WIDTH,),
        "layer_norm.bias": (WIDTH,),
    }
    for layer in range(LAYERS):
        names: dict[str, tuple[int, ...]] = {
            f"self_attn.{name}_proj.weight": (WIDTH, WIDTH) for name in ("q", "k", "v", "out")
        }
        names |= {f"self_attn.{name}_proj.bias": (WIDTH,) for name in ("q", "v", "out")}
        names |= {"fc1.weight": (HIDDEN, WIDTH), "fc1.bias": (HIDDEN,), "fc2.weight": (WIDTH, HIDDEN)}
        names |= {"fc2.bias": (WIDTH,)}
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            names |= {f"{norm}.weight": (WIDTH,), f"{norm}.bias": (WIDTH,)}
        shapes |= {f"layers.{layer}.{name}": shape for name, shape in names.items()}
    rng = np.random.default_rng(seed)
    weights = {PREFIX + name: (0.3 * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()}
    weights["model.decoder.layer_norm.weight"] = np.ones(WIDTH, np.float32)  # ignored
    safetensors.numpy.save_file(weights, folder / WEIGHTS_FILE)
    return folder
