import io

import numpy as np
import pytest

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import Prediction
from overtone.formats import table


def make_prediction(
    source: str = "a/clip.wav", emotion: str = "happy", confidence: float = 0.65, **fields: object
) -> Prediction:
    def probabilities(name: str, top: float) -> np.ndarray:
        values = np.full(len(EMOTIONS), (1 - top) / 7)
        values[EMOTIONS.index(name)] = top
        return values

    options = {
        "branches": {"mel": probabilities("happy", 0.5), "prosody": probabilities("angry", 0.4)},
        "prosody": {"pitch_median_hz": 211.6, "speech_rate_hz": 4.06},
        **fields,
    }
    return Prediction(EMOTIONS, probabilities(emotion, confidence), source=source, **options)  # type: ignore[arg-type]


def table_lines(*predictions: Prediction, width: int = 120) -> list[str]:
    stream = io.StringIO()
    table.write(predictions, stream, width)
    return stream.getvalue().splitlines()


def test_a_wide_table() -> None:
    head, row = table_lines(make_prediction())
    assert head.split() == ["file", "emotion", "confidence", "runner-up", "spectrum", "melody", "pitch", "syllables"]
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
    assert head.index("melody") == row.index("angry")


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = "deep/" * 30 + "clip.wav"
    for line in table_lines(
        make_prediction(long), make_prediction("声" * 80 + ".wav"), make_prediction(confidence=1.0), width=width
    ):
        assert table.display_width(line) <= max(width, table.MIN_FILE_WIDTH + 11)
    assert "clip.wav" in table_lines(make_prediction(long), width=width)[1]
    assert "happy" in table_lines(make_prediction(long), width=width)[1]


def test_narrow_terminals_drop_columns_from_the_right() -> None:
    assert "pitch" in table_lines(make_prediction(), width=112)[0]
    assert "pitch" not in table_lines(make_prediction(), width=84)[0]
    assert "spectrum" in table_lines(make_prediction(), width=84)[0]
    assert table_lines(make_prediction(), width=20)[0].split() == ["file", "emotion"]


def test_uncertain_predictions_are_marked() -> None:
    head, certain, uncertain, last = table_lines(
        *(make_prediction(confidence=c, uncertain_below=0.5) for c in (0.5, 0.49, 0.8))
    )
    assert " uncertain (happy)  " in table_lines(make_prediction(speech_s=0.49))[1]
    assert " uncertain" not in table_lines(make_prediction(speech_s=0.5))[1]
    assert [line.split()[1] for line in (certain, last)] == ["happy", "happy"]
    assert " uncertain (happy)  " in uncertain
    assert head.index("confidence") == certain.index("█") == uncertain.index("█")
    assert "uncertain (surprised)" in table_lines(make_prediction(emotion="surprised", uncertain_below=1), width=40)[1]


def test_a_clip_without_speech_has_no_emotion() -> None:
    *_, silent, short = table_lines(make_prediction(speech_s=0.0), make_prediction(speech_s=0.1))
    assert "no speech" in silent and "happy" not in silent.partition("%")[0]
    assert "uncertain (" in short


def test_file_names_cannot_move_the_cursor_or_hide() -> None:
    row = table_lines(make_prediction("a\n\x1b[2J\u202e\udcff\t.wav"), width=140)[1]
    assert row.isprintable()
    assert row.startswith(r"a\n\x1b[2J\u202e\udcff\t.wav ")


def test_display_width() -> None:
    assert [table.display_width(text) for text in ("abc", "声音", "e\u0301", "")] == [3, 4, 1, 0]


def test_columns_are_aligned_after_wide_characters() -> None:
    plain, wide = table_lines(
        make_prediction("abcd.wav"), make_prediction("声音.wav"), make_prediction("e\u0301tude.wav")
    )[1:3]
    assert table.display_width(plain) == table.display_width(wide)
    assert table.display_width(plain[: plain.index("happy")]) == table.display_width(wide[: wide.index("happy")])


def test_a_stream_without_block_characters_gets_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    table.write([make_prediction("deep/" * 40)], stream, 80)
    stream.seek(0)
    text = stream.read()
    assert "#####" in text
    assert "...ep/deep/deep/" in text


def test_missing_measurements_are_dashes() -> None:
    assert table_lines(make_prediction(prosody={}))[1].split()[-2:] == ["-", "-"]


def test_each_branch_has_a_column() -> None:
    uniform = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
    head, row = table_lines(make_prediction(branches={"speech_encoder": uniform, "mel": uniform}))
    assert head.split()[4:6] == ["speech_encoder", "spectrum"]
    assert head.index("pitch") + len("pitch") == row.index("Hz") + len("Hz"), "a long branch name widens its column"


def test_no_predictions_give_no_table() -> None:
    assert table_lines() == []


@pytest.mark.parametrize(
    ("share", "text"), [(0, " " * 8), (1, "█" * 8), (0.5, "█" * 4 + " " * 4), (1 / 64, "▏" + " " * 7)]
)
def test_bars(share: float, text: str) -> None:
    assert table.bar(share) == text


def test_predictions_are_written_as_soon_as_available() -> None:
    stream = io.StringIO()

    def predictions():
        yield make_prediction()
        assert stream.getvalue().count("\n") == 2
        yield make_prediction()

    table.write(predictions(), stream, 100)
    assert stream.getvalue().count("\n") == 3


def test_long_class_names_are_cut_and_columns_stay_aligned() -> None:
    classes = ("angry", "a class with a name of more than one line\u202e", "غاضب")
    rows = [Prediction(classes, np.eye(3)[k] * 0.8 + np.eye(3)[k - 1] * 0.2, source=f"{k}.wav") for k in range(3)]
    heading, *lines = table_lines(*rows)
    column = heading.index("confidence")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines)
    assert "a class with" in lines[1] and "…" in lines[1] and "\u202e" not in lines[1]
