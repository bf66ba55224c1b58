"""The text of a channel, and its index in a recording."""

import pytest

from overtone.channels import channel_index, parse_channel
from overtone.errors import AudioError, OptionError


@pytest.mark.parametrize(
    ("channel", "expected"), [("mix", "mix"), (" Left", "left"), ("RIGHT", "right"), ("02", "2"), (12, "12")]
)
def test_channels_have_a_canonical_form(channel: str | int, expected: str) -> None:
    assert parse_channel(channel) == expected


@pytest.mark.parametrize("channel", ["", "centre", "0", 0, -1, "1.5", 1.0, True, None, "²", "9" * 5_000])
def test_anything_else_is_not_a_channel(channel: object) -> None:
    for trial in (lambda: parse_channel(channel), lambda: channel_index(channel, 2, "call.wav")):
        with pytest.raises(OptionError, match="channel: expected mix, left, right or a number from 1, got"):
            trial()


@pytest.mark.parametrize(
    ("channel", "channels", "index"),
    [("mix", 1, None), ("mix", 6, None), ("left", 2, 0), ("right", 2, 1), (1, 1, 0), ("6", 6, 5)],
)
def test_indices_count_from_0(channel: str | int, channels: int, index: int | None) -> None:
    assert channel_index(channel, channels, "call.wav") == index


@pytest.mark.parametrize(("channel", "channels"), [("left", 1), ("right", 3), ("7", 6), (2, 1)])
def test_a_missing_channel_is_an_error(channel: str | int, channels: int) -> None:
    with pytest.raises(AudioError, match=rf"^call\.wav: has {channels} channels?, so there is no "):
        channel_index(channel, channels, "call.wav")
