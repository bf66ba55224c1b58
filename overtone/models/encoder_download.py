"""Downloads a pretrained encoder into a folder and verifies its weights; only ever on explicit command."""

import json
from pathlib import Path

from overtone._internal.atomic_write import write_text
from overtone._internal.progress import Progress, silent_progress
from overtone.corpora.download.fetch import content_size, fetch, not_writable
from overtone.corpora.download.unpack import check_disk_space
from overtone.errors import DownloadError, ModelError, OptionError, suggest
from overtone.models.encoder_files import (
    CONFIG_FILE,
    ENCODERS,
    WEIGHTS_FILE,
    EncoderConfig,
    PublishedEncoder,
    is_encoder,
    weights_digest,
)


def download_encoder(name: str, folder: str | Path, progress: Progress = silent_progress) -> bool:
    """Download an encoder to `folder/name` and verify its weights; an interrupted download is resumed.

    Args:
        name: a key of `ENCODERS`.
        folder: the folder with a folder per encoder, such as that in $OVERTONE_ENCODERS; it is created if missing.
        progress: called with bytes done, total bytes, and the current step.

    Returns:
        Whether anything was downloaded: False if the encoder was complete already.

    Raises:
        OptionError: no such encoder.
        DownloadError: no connection, other weights than the expected ones, no disk space, or another file in the
            place. The part fetched so far is stored for the next call, unless it was wrong.
    """
    if name not in ENCODERS:
        raise OptionError(f"there is no encoder '{name}' to download{suggest(name, ENCODERS)}")
    encoder, target = ENCODERS[name], Path(folder) / name
    weights = target / WEIGHTS_FILE
    try:
        if weights.is_file() and _digest(weights) != encoder.weights_sha256:
            raise DownloadError(f"{weights}: has other weights; move it away and run the download again")
        if is_encoder(target):
            return False
        target.mkdir(parents=True, exist_ok=True)
        if not weights.is_file():
            _fetch_weights(encoder, weights, progress)
        # Last, so that the folder counts as an encoder only when it is complete.
        write_text(target / CONFIG_FILE, json.dumps(_to_json(encoder.config), indent=1) + "\n")
    except OSError as error:
        raise not_writable(error, target) from error
    return True


def _fetch_weights(encoder: PublishedEncoder, weights: Path, progress: Progress) -> None:
    """Fetch the file of weights and move it to its place if they are the published ones."""
    part = weights.with_name(f"{weights.name}.part")
    size_bytes = content_size(encoder.url, encoder.max_bytes)
    fetched_bytes = part.stat().st_size if part.is_file() else 0
    check_disk_space(weights.parent, size_bytes - fetched_bytes)
    fetch(encoder.url, part, size_bytes, lambda done, total: progress(done, total, f"fetching {encoder.name}"))
    if (digest := _digest(part)) != encoder.weights_sha256:
        part.unlink()
        reason = f"their SHA-256 is {digest}, expected {encoder.weights_sha256}" if digest else "it is no encoder"
        raise DownloadError(
            f"{encoder.url}: does not have the expected weights: {reason}; it was deleted; run the download again"
        )
    part.replace(weights)


def _digest(path: Path) -> str:
    """Return the digest of the weights in a file; "" if there are none."""
    try:
        return weights_digest(path)
    except ModelError:
        return ""


def _to_json(config: EncoderConfig) -> dict[str, str | int]:
    """Return the `config.json` of an encoder in the Hugging Face layout."""
    return {
        "model_type": "whisper",
        "activation_function": "gelu",
        "d_model": config.width,
        "encoder_layers": config.layers,
        "encoder_attention_heads": config.heads,
        "encoder_ffn_dim": config.hidden,
        "num_mel_bins": config.bands,
        "max_source_positions": config.positions,
    }
