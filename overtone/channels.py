"""Selects the channel of a recording that is used: the mean of all, the left or right one, or one by its number.

    parse_channel("left")                     # "left"
    channel_index("left", 2, "call.wav")      # 0
    channel_index("mix", 2, "call.wav")       # None: the mean of both

The channels of a telephone call are often its two sides: their mean mixes two speakers.
"""

from typing import TypeAlias

from overtone.errors import AudioError, OptionError

MIX = "mix"
SIDES = {"left": 0, "right": 1}  # of a recording with two channels; with more, their order depends on the format

Channel: TypeAlias = str | int
"""`"mix"` for the mean of all channels, `"left"`, `"right"`, or a number from 1, as text or integer."""


def parse_channel(channel: Channel) -> str:
    """Return a channel in its canonical form: "mix", "left", "right", or a number from 1 without leading zeros.

    Raises:
        OptionError: it is none of these.
    """
    name = channel.strip().lower() if isinstance(channel, str) else channel
    if isinstance(name, str) and (name == MIX or name in SIDES):
        return name
    is_number = isinstance(name, str) and name.isascii() and name.isdigit() and len(name) < 10
    number = int(name) if is_number or (isinstance(name, int) and not isinstance(name, bool)) else 0
    if number < 1:
        raise OptionError(f"channel: expected {MIX}, left, right or a number from 1, got {channel!r}")
    return str(number)


def channel_number(channel: str) -> str:
    """Return the number of a canonical channel as text, "1" for "left" and "2" for "right"; "" for "mix" and ""."""
    return str(SIDES[channel] + 1) if channel in SIDES else channel.removeprefix(MIX)


def channel_index(channel: Channel, channels: int, source: str) -> int | None:
    """Return the index of a channel among the channels of a recording, from 0; None for the mean of all.

    Args:
        channel: the selected channel.
        channels: number of channels of the recording.
        source: name of the recording, for messages.

    Raises:
        AudioError: the recording has no such channel; "left" and "right" need exactly two channels.
        OptionError: not a channel.
    """
    name = parse_channel(channel)
    if name == MIX:
        return None
    index = SIDES[name] if name in SIDES else int(name) - 1
    if index < channels and (name not in SIDES or channels == len(SIDES)):
        return index
    missing = f"{name} channel" if name in SIDES else f"channel {name}"
    found = "1 channel" if channels == 1 else f"{channels} channels"
    remedy = "" if channels < 2 else f"a channel from 1 to {channels}, or "
    raise AudioError(f"{source}: has {found}, so there is no {missing}; choose {remedy}{MIX}")
