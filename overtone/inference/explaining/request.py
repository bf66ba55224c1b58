"""A request to explain a clip: what `Recogniser.explain` is given -> an explanation."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict, Unpack

from overtone.audio.source import Source
from overtone.channels import MIX, Channel, parse_channel
from overtone.datatypes import Prediction, Waveform
from overtone.emotions import find_class, suggest_emotion
from overtone.errors import OptionError
from overtone.explanation import Explanation
from overtone.inference.explaining.excerpt import load_excerpt
from overtone.inference.explaining.explainer import explain_clip
from overtone.inference.inputs import Samples, check_seconds
from overtone.inference.onnx_model import OnnxModel


class ExplainOptions(TypedDict, total=False):
    """What is explained; all keys are optional.

    Attributes:
        emotion: the class to explain; the predicted one by default.
        start_s: start of the part of the recording to explain, such as a segment of its timeline; 0 by default.
        end_s: its end; the end of the recording by default.
        offset_s: start of the file itself in a recording that it was cut from; 0 by default. It is added to the times
            of the explanation.
        channel: as for `Recogniser.recognise`.
        seed: of the noise that replaces parts of the clip; 0 by default.
    """

    emotion: str | None
    start_s: float
    end_s: float | None
    offset_s: float
    channel: Channel
    seed: int


def explain(
    model: OnnxModel,
    recognise: Callable[[Waveform], Prediction],
    source: Source | Waveform | Samples,
    rate_hz: float | None = None,
    **options: Unpack[ExplainOptions],
) -> Explanation:
    """Return the explanation of the prediction for a clip.

    Args:
        model: the model.
        recognise: returns its prediction for a clip.
        source: as for `Recogniser.recognise`.
        rate_hz: likewise.
        options: what is explained.

    Raises:
        AudioError: the clip cannot be recognised; or the part is too long, or not in the recording.
        OptionError: an unknown class, times that are no numbers of at least 0 or not in order, or not a channel.
        ModelError: the model fails on the clip.
    """
    emotion = _find_emotion(options.get("emotion"), model.emotions)
    start_s, channel = options.get("start_s", 0.0), options.get("channel", MIX)
    end_s, offset_s = options.get("end_s"), options.get("offset_s", 0.0)
    check_seconds(start_s, "start_s")
    check_seconds(offset_s, "offset_s")
    if end_s is not None:
        check_seconds(end_s, "end_s")
    waveform = load_excerpt(source, rate_hz, channel, start_s, end_s, model.card.get("max_samples"))
    prediction = replace(recognise(waveform), channel=parse_channel(channel).removeprefix(MIX))
    return explain_clip(model, waveform, prediction, emotion, start_s=offset_s + start_s, seed=options.get("seed", 0))


def _find_emotion(emotion: object, emotions: tuple[str, ...]) -> str | None:
    """Return the class of a model that is meant; None for None.

    Raises:
        OptionError: the model has no such class.
    """
    if emotion is None:
        return None
    name = find_class(emotion, emotions) if isinstance(emotion, str) else None
    if name is None:
        raise OptionError(f"emotion: the model has no class {emotion!r}{suggest_emotion(str(emotion), emotions)}")
    return name
