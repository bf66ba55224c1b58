"""An explanation in words: which time spans, frequencies and properties made a prediction, and how sure that is.

Mostly the sound from 1.2 to 1.8 s speaks for happy.
Of the frequencies, mostly those below 400 Hz speak for happy.
A flat pitch lowers the probability of happy from 62 to 31 %.
Tempo and voice quality change it little.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from overtone.explanation import (
    AGAINST,
    FOR,
    LITTLE,
    PROPERTY_NAMES,
    UNCLEAR,
    BandContribution,
    Contribution,
    Explanation,
    PropertyContribution,
    SpanContribution,
)
from overtone.formats.table import class_label

NO_SPEECH = "No speech was detected: there is nothing to explain."
MAIN_SHARE = 0.5  # of the largest contribution: less is not mentioned
MAX_RANGES = 2
LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0  # of what models receive
CHANGED = {
    "pitch": "A flat pitch",
    "loudness": "A level loudness",
    "tempo": "An average tempo",
    "voice quality": "An average voice quality",
}
Part = TypeVar("Part", SpanContribution, BandContribution)


def describe(explanation: Explanation) -> list[str]:
    """Return an explanation as sentences: warnings, time, frequencies, properties."""
    if not explanation.spans:
        return [NO_SPEECH]
    spans = _describe_parts(explanation, explanation.spans, _join_times, "The sound", "sound", "No single part")
    bands = _describe_parts(
        explanation, explanation.bands, _join_frequencies, "The frequencies", "frequencies", "No single range"
    )
    return [*_warnings(explanation), *spans, *bands, *_describe_properties(explanation)]


def percent(probability: float) -> str:
    """Return a probability as a whole number of per cent, without the sign."""
    return f"{100 * probability:.0f}"


def format_times(start_s: float, end_s: float) -> str:
    """Return a time span as `1.2 to 1.8 s`."""
    return f"{start_s:.1f} to {end_s:.1f} s"


def format_frequencies(low_hz: float, high_hz: float) -> str:
    """Return a range of frequencies as `below 400 Hz`, `400 to 920 Hz` or `above 3150 Hz`."""
    if low_hz <= LOWEST_HZ:
        return f"below {high_hz:.0f} Hz"
    return f"above {low_hz:.0f} Hz" if high_hz >= HIGHEST_HZ else f"{low_hz:.0f} to {high_hz:.0f} Hz"


def _warnings(explanation: Explanation) -> list[str]:
    prediction, emotion = explanation.prediction, class_label(explanation.emotion)
    warnings = []
    if explanation.emotion != prediction.emotion:
        warnings.append(
            f"Explained is {emotion} ({percent(explanation.probability)} %), not the predicted "
            f"{class_label(prediction.emotion)} ({percent(prediction.confidence)} %)."
        )
    if prediction.uncertain:
        warnings.append("The prediction is uncertain: small changes of the clip may change it.")
    return warnings


def _describe_parts(
    explanation: Explanation,
    parts: Sequence[Part],
    join: Callable[[Sequence[tuple[Part, Part]]], str],
    subject: str,
    noun: str,
    none: str,
) -> list[str]:
    """Return a sentence on the parts that speak for the class, and one on those that speak against it, if any do."""
    emotion = class_label(explanation.emotion)
    ranges = {verdict: _main_ranges(explanation, parts, verdict) for verdict in (FOR, AGAINST)}
    verb = "speaks" if noun == "sound" else "speak"
    sentences = []
    if ranges[FOR]:
        sentences.append(f"{subject} {join(ranges[FOR])} {verb} most for {emotion}.")
    if ranges[AGAINST]:
        sentences.append(f"{subject} {join(ranges[AGAINST])} {verb} most against it.")
    if sentences:
        return sentences
    unclear = any(part.verdict(explanation.probability) == UNCLEAR for part in parts)
    reason = "reliably: two ways of changing it disagree" if unclear else "by 5 points or more"
    return [f"{none} of the {noun} changes the probability {reason}."]


def _main_ranges(explanation: Explanation, parts: Sequence[Part], verdict: str) -> list[tuple[Part, Part]]:
    """Return the first and last part of the main ranges, at most `MAX_RANGES`, in their order in the clip."""
    largest = max((abs(part.value) for part in parts if part.verdict(explanation.probability) == verdict), default=0.0)
    ranges: list[list[Part]] = []
    previous_index = -2
    for index, part in enumerate(parts):
        sign_fits = (part.value > 0) == (verdict == FOR)
        if largest and sign_fits and part.is_reliable and abs(part.value) >= MAIN_SHARE * largest:
            if index == previous_index + 1:
                ranges[-1].append(part)
            else:
                ranges.append([part])
            previous_index = index
    main = sorted(ranges, key=lambda members: -sum(abs(part.value) for part in members))[:MAX_RANGES]
    return [(members[0], members[-1]) for members in ranges if members in main]


def _join_times(ranges: Sequence[tuple[SpanContribution, SpanContribution]]) -> str:
    return " and ".join(f"from {format_times(first.start_s, last.end_s)}" for first, last in ranges)


def _join_frequencies(ranges: Sequence[tuple[BandContribution, BandContribution]]) -> str:
    texts = [format_frequencies(first.low_hz, last.high_hz) for first, last in ranges]
    return " and ".join(text if text[0].isalpha() else f"from {text}" for text in texts)


def _describe_properties(explanation: Explanation) -> list[str]:
    rows = sorted(explanation.properties, key=lambda row: -abs(row.value))
    verdicts = {row.name: row.verdict(explanation.probability) for row in rows}
    sentences = [_describe_change(explanation, row) for row in rows if verdicts[row.name] in (FOR, AGAINST)]
    little = [row.name for row in rows if verdicts[row.name] == LITTLE]
    unclear = [row.name for row in rows if verdicts[row.name] == UNCLEAR]
    missing = [name for name in PROPERTY_NAMES if name not in verdicts]
    if little:
        sentences.append(f"{_list_names(little)} {'change' if len(little) > 1 else 'changes'} it little.")
    if unclear:
        sentences.append(f"Not clear: {', '.join(unclear)}; ways of changing it disagree, or processing alone does it.")
    if missing:
        sentences.append(f"Not measurable in this clip: {', '.join(missing)}.")
    return sentences


def _describe_change(explanation: Explanation, row: PropertyContribution) -> str:
    verb = "lowers" if row.probability < explanation.probability else "raises"
    return (
        f"{CHANGED.get(row.name, row.name)} {verb} the probability of {class_label(explanation.emotion)} from "
        f"{percent(explanation.probability)} to {percent(row.probability)} %."
    )


def _list_names(names: Sequence[str]) -> str:
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[0].upper() + text[1:]


def sign_text(contribution: Contribution) -> str:
    """Return a contribution as `+0.42`, with a question mark if it is not reliable."""
    return f"{contribution.value:+.2f}{'' if contribution.is_reliable else '?'}"
