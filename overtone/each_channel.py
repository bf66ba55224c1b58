"""Uses the channels of a recording as speakers: a choice of channels, and the names of all of them.

    choice = choose_channels("each", parse_names("agent,customer"))
    choice.channels(2, "call.wav")              # (NamedChannel("1", "agent"), NamedChannel("2", "customer"))
    choose_channels("left").channel             # "left": one channel, as in `overtone.channels`

Timelines name their speakers, and predictions their channels, as the choice does.
"""

import csv
import io
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from overtone.channels import MIX, SIDES, Channel, parse_channel
from overtone.emotions import DIRECTION_OVERRIDES
from overtone.errors import AudioError, OptionError, check_texts

EACH = "each"
NAMES = "channel names"  # in messages
MAX_CHANNELS = 64  # that are speakers; a file may declare thousands, and each is decoded on its own


class NamedChannel(NamedTuple):
    """One channel of a recording, and the name of the speaker on it."""

    channel: str
    name: str


class ChannelChoice(NamedTuple):
    """The channels of recordings that are used; `choose_channels` returns a checked one.

    Attributes:
        channel: one channel, as `overtone.channels.parse_channel` returns it, or "each": every channel is a speaker.
        names: names of the channels, in their order, if the channel is "each"; none for the default names.
    """

    channel: str = MIX
    names: tuple[str, ...] = ()

    @property
    def is_each(self) -> bool:
        """Whether every channel is a speaker."""
        return self.channel == EACH

    def channels(self, count: int, source: str) -> tuple[NamedChannel, ...]:
        """Return all channels of a recording; by default, two are "left" and "right", and others have their numbers.

        Args:
            count: number of channels of the recording.
            source: name of the recording, for messages.

        Raises:
            AudioError: there are more or fewer names than channels, or more than `MAX_CHANNELS`.
        """
        found = "1 channel" if count == 1 else f"{count} channels"
        if count > MAX_CHANNELS:
            raise AudioError(f"{source}: has {found}, but at most {MAX_CHANNELS} can be speakers; choose one, or {MIX}")
        numbers = [str(number) for number in range(1, count + 1)]
        if self.names and len(self.names) != count:
            raise AudioError(f"{source}: has {found}, but {len(self.names)} {NAMES} are given; give {count}")
        default = tuple(SIDES) if count == len(SIDES) else numbers
        return tuple(map(NamedChannel, numbers, self.names or default))


def choose_channels(channel: Channel = MIX, names: Sequence[str] = ()) -> ChannelChoice:
    """Return a checked choice of channels.

    Args:
        channel: "mix", "left", "right", a number from 1, or "each".
        names: names of the channels, which need "each"; none for the default names.

    Raises:
        OptionError: not a channel; or the names are not valid, or not needed.
    """
    names = check_texts(NAMES, names)
    chosen = parse_channel_or_each(channel)
    if names and chosen != EACH:
        raise OptionError(f"{NAMES}: channel {chosen} needs none; choose channel {EACH}, or leave them out")
    return ChannelChoice(chosen, _check_names(names))


def parse_channel_or_each(channel: Channel) -> str:
    """Return a channel as `overtone.channels.parse_channel` does, or "each".

    Raises:
        OptionError: it is none of these.
    """
    if isinstance(channel, str) and channel.strip().lower() == EACH:
        return EACH
    try:
        return parse_channel(channel)
    except OptionError as error:
        raise OptionError(str(error).replace(f"{MIX}, ", f"{MIX}, {EACH}, ", 1)) from None


def parse_names(text: str) -> tuple[str, ...]:
    """Return the names in a text, which are separated by commas; a name with a comma is in double quotes, as in CSV.

    Raises:
        OptionError: there is no name, or names are empty, equal or have control characters.
    """
    try:
        (names,) = csv.reader([text], skipinitialspace=True)
    except (csv.Error, ValueError):
        names = []
    if not names:
        raise OptionError(f"{NAMES}: expected names such as agent,customer, got {text!r}")
    return _check_names(names)


def format_names(names: Sequence[str]) -> str:
    """Return names as one text; `parse_names` is the inverse."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="").writerow(names)
    return text.getvalue()


def _check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names with each run of whitespace as one blank, and none at their ends."""
    checked: list[str] = []
    for number, name in enumerate(names, start=1):
        checked.append(unicodedata.normalize("NFC", " ".join(name.split())))
        if not checked[-1]:
            raise OptionError(f"{NAMES}: name {number} is empty; name every channel, such as agent,customer")
        if checked[-1] in checked[:-1]:
            raise OptionError(f"{NAMES}: {checked[-1]!r} is given twice; give each channel a name of its own")
        for char in checked[-1]:
            if unicodedata.category(char) in ("Cc", "Cs") or unicodedata.bidirectional(char) in DIRECTION_OVERRIDES:
                raise OptionError(f"{NAMES}: {name!a} has the control character U+{ord(char):04X}; remove it")
    return tuple(checked)
