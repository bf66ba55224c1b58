"""The choice of all channels as speakers, and the names of the speakers."""

import pytest

from overtone.each_channel import MAX_CHANNELS, ChannelChoice, choose_channels, format_names, parse_names
from overtone.errors import AudioError, OptionError


@pytest.mark.parametrize(
    ("channel", "expected"), [("mix", "mix"), (" Left", "left"), ("02", "2"), (3, "3"), (" EACH ", "each")]
)
def test_a_choice_is_one_channel_or_each(channel: str | int, expected: str) -> None:
    choice = choose_channels(channel)
    assert choice == ChannelChoice(expected)
    assert choice.is_each == (expected == "each")


@pytest.mark.parametrize("channel", ["", "all", "0", 0, -1, None, True, "each,left"])
def test_anything_else_is_not_a_choice(channel: object) -> None:
    with pytest.raises(OptionError, match=r"^channel: expected mix, each, left, right or a number from 1, got "):
        choose_channels(channel)  # type: ignore[arg-type]


def test_channels_have_default_names() -> None:
    choice = choose_channels("each")
    assert choice.channels(1, "a.wav") == (("1", "1"),)
    assert choice.channels(2, "a.wav") == (("1", "left"), ("2", "right"))
    assert choice.channels(3, "a.wav") == (("1", "1"), ("2", "2"), ("3", "3"))
    with pytest.raises(AudioError, match=r"^a\.wav: has 65 channels, but at most 64 can be speakers"):
        choice.channels(MAX_CHANNELS + 1, "a.wav")


def test_names_must_be_as_many_as_the_channels() -> None:
    choice = choose_channels("each", ["agent", "customer"])
    assert choice.channels(2, "call.wav") == (("1", "agent"), ("2", "customer"))
    for count, found in ((1, "1 channel"), (3, "3 channels")):
        with pytest.raises(AudioError, match=rf"^call\.wav: has {found}, but 2 channel names are given; give {count}$"):
            choice.channels(count, "call.wav")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("agent,customer", ("agent", "customer")),
        (" agent ,  the \t customer", ("agent", "the customer")),
        ('"Meier, Anna","say ""hé"""', ("Meier, Anna", 'say "hé"')),
        ("solo", ("solo",)),
        ("e\u0301", ("é",)),
    ],
)
def test_names_are_separated_by_commas(text: str, names: tuple[str, ...]) -> None:
    assert parse_names(text) == names
    assert choose_channels("each", list(names)).names == names
    assert parse_names(format_names(names)) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected names such as agent,customer, got ''"),
        (" , b", "name 1 is empty; name every channel"),
        ("a,", "name 2 is empty"),
        ("a,b,a ", "'a' is given twice"),
        ("a\x1b[2J,b", r"'a\x1b[2J' has the control character U+001B; remove it"),
        ("a\u202eb", r"'a\u202eb' has the control character U+202E"),
        ("a,\udcff", r"'\udcff' has the control character U+DCFF"),
        ("a\nb,c", "expected names such as"),
    ],
)
def test_invalid_names_are_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError) as error:
        parse_names(text)
    assert str(error.value).startswith(f"channel names: {message}")


def test_names_need_each() -> None:
    with pytest.raises(OptionError, match=r"^channel names: channel left needs none; choose channel each"):
        choose_channels("left", ("a", "b"))
    with pytest.raises(OptionError, match="expected several names"):
        choose_channels("each", "ab")
