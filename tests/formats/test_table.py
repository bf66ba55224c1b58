import io

import numpy as np
import pytest

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import Prediction
from overtone.formats import table


def answer(source: str = "a/clip.wav", emotion: str = "happy", confidence: float = 0.65, **more: object) -> Prediction:
    def peaked(name: str, top: float) -> np.ndarray:
        values = np.full(len(EMOTIONS), (1 - top) / 7)
        values[EMOTIONS.index(name)] = top
        return values

    options = {
        "branches": {"mel": peaked("happy", 0.5), "prosody": peaked("angry", 0.4)},
        "prosody": {"pitch_median_hz": 211.6, "speech_rate_hz": 4.06},
        **more,
    }
    return Prediction(EMOTIONS, peaked(emotion, confidence), source=source, **options)  # type: ignore[arg-type]


def lines(*answers: Prediction, width: int = 120) -> list[str]:
    stream = io.StringIO()
    table.write(answers, stream, width)
    return stream.getvalue().splitlines()


def test_a_wide_table() -> None:
    head, row = lines(answer())
    assert head.split() == ["file", "emotion", "confidence", "runner-up", "mel", "prosody", "pitch", "syllables"]
    assert row.split() == [
        "a/clip.wav",
        "happy",
        "█████▎",
        "65%",
        "surprised",
        "5%",
        "happy",
        "angry",
        "212",
        "Hz",
        "4.1",
        "/s",
    ]
    assert head.index("emotion") == row.index("happy")
    assert head.index("prosody") == row.index("angry")


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = "deep/" * 30 + "clip.wav"
    for line in lines(answer(long), answer("声" * 80 + ".wav"), answer(confidence=1.0), width=width):
        assert table.cells_of(line) <= max(width, table.NARROWEST_FILE + 11)
    assert "clip.wav" in lines(answer(long), width=width)[1]
    assert "happy" in lines(answer(long), width=width)[1]


def test_narrow_terminals_lose_columns_from_the_right() -> None:
    assert "pitch" in lines(answer(), width=100)[0]
    assert "pitch" not in lines(answer(), width=72)[0]
    assert "mel" in lines(answer(), width=72)[0]
    assert lines(answer(), width=20)[0].split() == ["file", "emotion"]


def test_uncertain_answers_say_so() -> None:
    head, sure, unsure, last = lines(*(answer(confidence=c, uncertain_below=0.5) for c in (0.5, 0.49, 0.8)))
    assert [line.split()[1] for line in (sure, last)] == ["happy", "happy"]
    assert " uncertain (happy)  " in unsure
    assert head.index("confidence") == sure.index("█") == unsure.index("█")
    assert "uncertain (surprised)" in lines(answer(emotion="surprised", uncertain_below=1), width=40)[1]


def test_file_names_cannot_move_the_cursor_or_hide() -> None:
    row = lines(answer("a\n\x1b[2J\u202e\udcff\t.wav"))[1]
    assert row.isprintable()
    assert row.startswith(r"a\n\x1b[2J\u202e\udcff\t.wav ")


def test_cells_of_characters() -> None:
    assert [table.cells_of(text) for text in ("abc", "声音", "e\u0301", "")] == [3, 4, 1, 0]


def test_columns_stay_aligned_beside_wide_characters() -> None:
    plain, wide = lines(answer("abcd.wav"), answer("声音.wav"), answer("e\u0301tude.wav"))[1:3]
    assert table.cells_of(plain) == table.cells_of(wide)
    assert table.cells_of(plain[: plain.index("happy")]) == table.cells_of(wide[: wide.index("happy")])


def test_a_stream_without_block_characters_gets_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    table.write([answer("deep/" * 40)], stream, 80)
    stream.seek(0)
    text = stream.read()
    assert "#####" in text
    assert "...eep/deep/" in text


def test_what_was_not_measured_is_a_dash() -> None:
    assert lines(answer(prosody={}))[1].split()[-2:] == ["-", "-"]


def test_no_answer_no_table() -> None:
    assert lines() == []


@pytest.mark.parametrize(
    ("share", "drawn"), [(0, " " * 8), (1, "█" * 8), (0.5, "█" * 4 + " " * 4), (1 / 64, "▏" + " " * 7)]
)
def test_bars(share: float, drawn: str) -> None:
    assert table.bar(share) == drawn


def test_answers_are_written_as_they_come() -> None:
    stream = io.StringIO()

    def coming():
        yield answer()
        assert stream.getvalue().count("\n") == 2
        yield answer()

    table.write(coming(), stream, 100)
    assert stream.getvalue().count("\n") == 3
