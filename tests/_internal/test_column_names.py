"""Names of columns: spellings, units, and names whose meaning depends on other columns."""

import pytest

from overtone._internal.column_names import NAMES, Column, find_columns, is_time


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("path start_s end_s", {"path": 0, "start_s": 1, "end_s": 2}),
        ("onset offset", {"start_s": 0, "end_s": 1}),
        ("audio_filepath offset duration", {"path": 0, "start_s": 1, "duration_s": 2}),
        ("start duration", {"start_s": 0, "duration_s": 1}),
        ("path duration", {"path": 0}),
        ("end duration", {"end_s": 0}),
    ],
)
@pytest.mark.parametrize("are_turns", [False, True])
def test_times_are_known_by_their_context(header: str, expected: dict[str, int], are_turns: bool) -> None:
    assert find_columns(header.split(), are_turns=are_turns) == {name: (place, 1) for name, place in expected.items()}


@pytest.mark.parametrize("header", ["start end duration", "Onset OFFSET duration"])
def test_a_duration_next_to_an_end_counts_for_turns_only(header: str) -> None:
    times = {"start_s": Column(0), "end_s": Column(1)}
    assert find_columns(header.split()) == times
    assert find_columns(header.split(), are_turns=True) == times | {"duration_s": Column(2)}


def test_less_specific_names_count_where_no_other_column_has_their_meaning() -> None:
    assert find_columns(["from", "to", "name"], are_turns=True) == {
        "start_s": Column(0),
        "end_s": Column(1),
        "speaker": Column(2),
    }
    assert find_columns(["start", "end", "from", "name", "speaker"], are_turns=True) == {
        "start_s": Column(0),
        "end_s": Column(1),
        "speaker": Column(4),
    }
    assert find_columns(["from", "to", "name"]) == {}


@pytest.mark.parametrize(
    ("name", "column"), [("start_ms", 1000), ("Start (s)", 1), ("START [ms]", 1000), ("start_sec", 1), (" Start ", 1)]
)
def test_units_and_spellings(name: str, column: int) -> None:
    assert find_columns([name]) == {"start_s": Column(0, column)}


def test_each_column_has_its_own_unit() -> None:
    columns = find_columns(["offset_ms", "duration (s)"])
    assert columns == {"start_s": Column(0, 1000), "duration_s": Column(1, 1)}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("offset", {}),
        ("start offset", {"start_s": 0}),
        ("offset end", {"end_s": 1}),
        ("start end offset", {"start_s": 0, "end_s": 1}),
        ("start offset duration", {"start_s": 0, "duration_s": 2}),
    ],
)
@pytest.mark.parametrize("are_turns", [False, True])
def test_an_offset_that_may_be_a_start_or_an_end_has_no_meaning(
    header: str, expected: dict[str, int], are_turns: bool
) -> None:
    assert find_columns(header.split(), are_turns=are_turns) == {name: (place, 1) for name, place in expected.items()}


def test_an_offset_does_not_matter_where_times_are_not_asked_for() -> None:
    assert find_columns(["label", "offset"], ["emotion"]) == {"emotion": Column(0)}


@pytest.mark.parametrize(
    "header", ["start onset", "path file", "offset Offset duration", "start_ms start_msec", "onset offset end"]
)
def test_two_columns_with_one_meaning_are_an_error(header: str) -> None:
    with pytest.raises(ValueError, match="both mean"):
        find_columns(header.split())


@pytest.mark.parametrize("header", ["start start_ms end", "start_ms start end"])
def test_times_in_seconds_are_preferred_in_manifests(header: str) -> None:
    names = header.split()
    assert find_columns(names) == {"start_s": Column(names.index("start")), "end_s": Column(2)}
    with pytest.raises(ValueError, match="both mean"):
        find_columns(names, are_turns=True)


@pytest.mark.parametrize("meaning", [meaning for meaning, names in NAMES.items() if names.of_turns])
def test_names_for_turns_have_no_meaning_in_a_manifest(meaning: str) -> None:
    for name in NAMES[meaning].of_turns:
        assert find_columns([name], are_turns=True) == {meaning: Column(0)}
        assert find_columns([name]) == {}


def test_a_name_has_one_meaning() -> None:
    names = [name for row in NAMES.values() for name in (*row.anywhere, *row.of_turns, *row.of_turns_else)]
    assert len(names) == len(set(names))
    assert not {"offset"} & set(names)


def test_the_corners_of_a_box_are_no_times() -> None:
    assert find_columns(["xmin", "xmax"], are_turns=True) == {"start_s": Column(0), "end_s": Column(1)}
    assert find_columns(["xmin", "ymin", "xmax", "ymax"], are_turns=True) == {}


def test_seconds_count_before_the_same_time_as_a_clock_time() -> None:
    begin, end = ("Begin Time - ss.msec", "Begin Time - hh:mm:ss.ms"), ("End Time - hh:mm:ss.ms", "End Time - ss.msec")
    assert find_columns([*begin, *end], are_turns=True) == {"start_s": Column(0), "end_s": Column(3)}
    with pytest.raises(ValueError, match="both mean 'end_s'"):
        find_columns([*begin, "stop_s", end[0]], are_turns=True)


def test_which_names_are_times() -> None:
    assert [name for name in ("start", "offset", "duration_s", "dur", "path", "speech_s") if is_time(name)] == [
        "start",
        "offset",
        "duration_s",
        "dur",
    ]
