"""Times in any common notation -> seconds."""

import math
import re

# "0 days 00:00:01.500000", as pandas and audformat write it, "1 day, 0:00:01.5", as Python does, or "0:01.5".
CLOCK_TIME = re.compile(r"(?:(\d+) days?,? +)?(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
NUMBER = re.compile(r"\d+(?:[.,]\d*)?(?:[eE][-+]?\d+)?|[.,]\d+")
UNKNOWN = ("", "NaT")  # the latter as pandas writes it


def parse_seconds(text: str) -> float | None:
    """Return a time in seconds, >= 0; None for an unknown one.

    Args:
        text: a number of seconds with a decimal point or comma, or a clock time such as "0 days 00:00:01.5".

    Raises:
        ValueError: it is no such time.
    """
    if text in UNKNOWN:
        return None
    clock = CLOCK_TIME.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    time_s = float(text.replace(",", ".")) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(time_s):
        raise ValueError(f"'{text}' is not a number of seconds such as 12.5")
    return time_s
