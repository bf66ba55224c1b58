"""The files of pretrained encoders: which are published, where folders are looked for, and the checksum of weights.

A folder in the Hugging Face layout contains `config.json` and `model.safetensors`. No torch: only the network
(`overtone/models/whisper_encoder.py`) needs it.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors

from overtone.errors import ModelError, OptionError

ENCODERS_VARIABLE = "OVERTONE_ENCODERS"
DEFAULT_FOLDER = Path("../shared/encoders")  # relative to the working directory
HUB_OWNER = "openai"
PREFIX = "model.encoder."  # of the encoder's parameters in a file that may hold a decoder too
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
# Encoders that OpenAI has published; weights in other folders are their owner's business.
PUBLISHED = re.compile(r"whisper-(tiny|base|small|medium|large|large-v2|large-v3)(\.en)?")
LICENCE, UNKNOWN_LICENCE = "MIT", "unknown: see the source of the encoder"
CITATION = "Radford et al. (2022), Robust Speech Recognition via Large-Scale Weak Supervision, arXiv 2212.04356; OpenAI"


@dataclass(frozen=True)
class EncoderConfig:
    """The sizes of an encoder.

    Attributes:
        width: of its hidden states.
        layers: number of transformer layers.
        heads: attention heads of each layer.
        hidden: width inside the feed-forward networks.
        bands: mel bands of its input.
        positions: maximum number of frames of 20 ms.
    """

    width: int
    layers: int
    heads: int
    hidden: int
    bands: int
    positions: int


@dataclass(frozen=True)
class PublishedEncoder:
    """An encoder that can be downloaded.

    Attributes:
        name: its key in recipes and commands.
        title: its full name.
        config: its sizes.
        url: the address of its `model.safetensors`; https.
        max_bytes: files with more bytes are refused.
        weights_sha256: the `weights_digest` of the weights that the bundled model was trained with. It is not that of
            a file: the published one contains a decoder and float32 numbers, an excerpt in float16 does not.
    """

    name: str
    title: str
    config: EncoderConfig
    url: str
    max_bytes: int
    weights_sha256: str


ENCODERS: dict[str, PublishedEncoder] = {
    encoder.name: encoder
    for encoder in (
        PublishedEncoder(
            name="whisper-tiny.en",
            title="Whisper tiny.en, trained on English speech for transcription",
            config=EncoderConfig(width=384, layers=4, heads=6, hidden=1536, bands=80, positions=1500),
            url="https://huggingface.co/openai/whisper-tiny.en/resolve/main/model.safetensors",
            max_bytes=200_000_000,
            weights_sha256="0941fc061bef9019059896ead3878faa24ae80ff47b219f8d84aac287d8eb939",
        ),
    )
}


def find_encoder(name: str) -> Path:
    """Return the folder of an encoder such as "whisper-tiny.en".

    It is looked for as a path, in $OVERTONE_ENCODERS (default: ../shared/encoders), and in the cache of the Hugging
    Face hub. Nothing is downloaded.

    Raises:
        OptionError: it is in none of these places; the message lists them.
    """
    candidates = [Path(name), encoders_folder() / name, *_hub_snapshots(name)]
    for folder in candidates:
        if is_encoder(folder):
            return folder
    places = ", ".join(map(str, candidates))
    fetch = f"download it: overtone encoders download {name} DIR" if name in ENCODERS else "copy its folder there"
    raise OptionError(
        f"no encoder '{name}' with {CONFIG_FILE} and {WEIGHTS_FILE} in any of: {places}; set ${ENCODERS_VARIABLE} to "
        f"the folder that contains its folder, or {fetch}"
    )


def local_encoders() -> dict[str, Path]:
    """Return name -> folder of the encoders in $OVERTONE_ENCODERS and in the cache of the hub, as they are found."""
    in_cache = (path.name.removeprefix(_hub_folder("")) for path in _subfolders(_hub_cache(), _hub_folder("whisper-*")))
    names = sorted({*(path.name for path in _subfolders(encoders_folder(), "*")), *in_cache})
    folders = {name: [encoders_folder() / name, *_hub_snapshots(name)] for name in names}
    found = {name: next(filter(is_encoder, candidates), None) for name, candidates in folders.items()}
    return {name: folder for name, folder in found.items() if folder}


def encoders_folder() -> Path:
    """Return the folder with a folder per encoder: $OVERTONE_ENCODERS or ../shared/encoders."""
    return Path(os.environ.get(ENCODERS_VARIABLE) or DEFAULT_FOLDER)


def is_encoder(folder: Path) -> bool:
    """Return whether a folder contains both files of an encoder."""
    return (folder / CONFIG_FILE).is_file() and (folder / WEIGHTS_FILE).is_file()


def terms(name: str) -> tuple[str, str]:
    """Return licence and citation of an encoder with this name; those of OpenAI's are known."""
    return (LICENCE, CITATION) if PUBLISHED.fullmatch(name) else (UNKNOWN_LICENCE, "")


def weights_digest(path: Path) -> str:
    """Return a SHA-256 of the encoder's weights in a safetensors file: 64 hexadecimal digits.

    It covers the names, shapes and values of the encoder's parameters alone, rounded to float16, as inference uses
    them. So it is equal for a file that holds a decoder too, for float32 and float16, and for any order.

    Raises:
        ModelError: the file is missing or damaged, contains no encoder, or has no numbers of these types.
    """
    digest = hashlib.sha256()
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            all_names = file.keys()
            names = sorted(name for name in all_names if name.startswith(PREFIX))
            for name in names:
                weights = file.get_tensor(name).astype(np.dtype("<f2"))
                digest.update(f"{name.removeprefix(PREFIX)} {weights.shape}\n".encode())
                digest.update(np.ascontiguousarray(weights).tobytes())
    except (safetensors.SafetensorError, OSError, TypeError) as error:
        raise ModelError(f"{path}: the weights cannot be read ({error}); copy the file again") from error
    if not names:
        raise ModelError(f"{path}: contains no encoder: no '{PREFIX}...'; copy the file of a Whisper model")
    return digest.hexdigest()


def _hub_snapshots(name: str) -> list[Path]:
    """Return the folders where the cache of the hub has versions of an encoder, that of its branch `main` first."""
    folder = _hub_cache() / _hub_folder(name)
    snapshots = _subfolders(folder / "snapshots", "*")
    try:
        main = (folder / "refs" / "main").read_text("utf-8").strip()
    except (OSError, UnicodeError):
        main = ""
    return sorted(snapshots, key=lambda path: (path.name != main, path.name)) or [folder / "snapshots"]


def _hub_folder(name: str) -> str:
    return f"models--{HUB_OWNER}--{name}"


def _hub_cache() -> Path:
    """Return the cache of the Hugging Face hub, where huggingface_hub looks for it."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def _subfolders(folder: Path, pattern: str) -> Iterator[Path]:
    """Return the subfolders of a folder that match a pattern, sorted; none if the folder is missing."""
    try:
        return iter(sorted(path for path in folder.glob(pattern) if path.is_dir()))
    except OSError:
        return iter(())
