"""The card of a model file: everything one must know to use the model, and to trust it or not.

It is JSON in the metadata of the ONNX file under `CARD_KEY`; the keys are those of `KINDS`. A card is written by the
export of a training and read here, with every key checked, so that the rest of the code may rely on it. Keys that came
later may be missing:

    uncertain_below    confidence under which an answer is called uncertain, in [0, 1]; without it none ever is
    slices             scores by gender, intensity and sentence, as `overtone.evaluation.subgroups` makes them
"""

import json
from typing import Any

from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.emotions import EMOTIONS
from overtone.errors import ModelError

CARD_KEY = "overtone_card"
CARD_FORMAT = 1

KINDS: dict[str, type] = {
    "format": int,
    "id": str,
    "emotions": list,
    "sample_rate_hz": int,
    "min_samples": int,
    "hop_samples": int,
    "front_end": dict,
    "recipe": dict,
    "training_data": list,
    "licence": str,
    "scores": list,
    "scores_of": str,
    "versions": dict,
    "limits": str,
}


def read_card(metadata: dict[str, str], source: str) -> dict[str, Any]:
    """The card of a model file.

    Args:
        metadata: the metadata of the ONNX file.
        source: its name, for messages.

    Raises:
        ModelError: no card, not JSON, of another format, or with a key missing or of another kind.
    """
    if CARD_KEY not in metadata:
        raise ModelError(f"{source}: an ONNX file, but not a model of Overtone: it carries no card '{CARD_KEY}'")
    try:
        card = json.loads(metadata[CARD_KEY])
    except ValueError as error:
        raise ModelError(f"{source}: its card is damaged ({error}); copy or export the model again") from error
    if not isinstance(card, dict):
        raise ModelError(f"{source}: its card is no table of keys; export the model again")
    if card.get("format") != CARD_FORMAT:
        raise ModelError(
            f"{source}: its card has format {card.get('format')!r}, this Overtone reads format {CARD_FORMAT}; "
            "upgrade Overtone, or export the model again"
        )
    for key, kind in KINDS.items():
        if not isinstance(card.get(key), kind):
            raise ModelError(f"{source}: its card lacks '{key}' as {kind.__name__}; export the model again")
    _check_usable(card, source)
    return card


def _check_usable(card: dict[str, Any], source: str) -> None:
    emotions = card["emotions"]
    if not emotions or [name for name in EMOTIONS if name in emotions] != emotions:
        raise ModelError(f"{source}: its emotions {emotions} are no part, in order, of {list(EMOTIONS)}")
    if card["sample_rate_hz"] != SAMPLE_RATE_HZ:
        raise ModelError(f"{source}: made for {card['sample_rate_hz']} Hz; this Overtone hears at {SAMPLE_RATE_HZ} Hz")
    if card["min_samples"] < 1 or card["hop_samples"] < 1:
        raise ModelError(f"{source}: its card has min_samples or hop_samples below 1; export the model again")
    threshold = card.get("uncertain_below", 0)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ModelError(f"{source}: its card has uncertain_below {threshold!r}, not in [0, 1]; export the model again")
    for key in ("training_data", "scores", "slices"):
        rows = card.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ModelError(f"{source}: '{key}' of its card is no list of tables; export the model again")
