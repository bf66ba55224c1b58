"""Peers are timed in turns on the same clips, and one that fails stays in the table with its reason."""

from pathlib import Path

import pytest

from benchmarks import interleaving
from benchmarks.interleaving import BLOCK, PASSES, Clips, Timed, in_turns
from benchmarks.systems.served import LeftOutError

COUNT = BLOCK + 2
WAVES = [Path(f"{number}.wav") for number in range(COUNT + 1)]
CLIPS = Clips(
    {".wav": WAVES, ".flac": [path.with_suffix(".flac") for path in WAVES]}, [9.0, *[2.0] * (COUNT - 1), 4.0], 1
)


class Fake:
    """A peer that takes so long for each clip."""

    def __init__(self, each_s: float, fails_at: int | None = None) -> None:
        self.each_s = each_s
        self.fails_at = fails_at
        self.asked: list[list[Path]] = []

    def take(self, clips: list[Path]) -> dict[str, float]:
        self.asked.append(list(clips))
        if len(self.asked) == self.fails_at:
            raise LeftOutError("failed: out of memory")
        wall_s = self.each_s * len(clips)
        return {"wall_s": wall_s, "cpu_s": 0.5 * wall_s}


def test_a_round_is_a_block_and_slow_peers_take_it_once() -> None:
    fast, slow = Timed("overtone", Fake(0.01)), Timed("librosa", Fake(1.0))
    in_turns([fast, slow], CLIPS, {})
    counted = [[path] for path in WAVES[1:]]
    assert slow.one.asked == counted
    assert fast.one.asked == counted[:BLOCK] * PASSES + counted[BLOCK:] * PASSES
    assert fast.walls_s == [0.01] * COUNT
    figures = slow.figures(CLIPS, fast.per_clip(CLIPS))
    assert figures["ms"] == pytest.approx(1000)
    assert figures["times_longer"] == pytest.approx(100)
    assert figures["times_real_time"] == pytest.approx((2 * (COUNT - 1) + 4) / COUNT)
    assert figures["hour_s"] == pytest.approx(3600 / figures["times_real_time"])
    assert figures["cpu_share"] == pytest.approx(0.5)


def test_a_list_of_clips_is_shared_out_by_their_lengths() -> None:
    many = Timed("overtone-many", Fake(0.01))
    in_turns([many], CLIPS, {})
    assert all(asked == WAVES[1:] for asked in many.one.asked)
    assert len(many.one.asked) == 2 * PASSES, "in every round, however many clips a round has"
    assert sum(many.per_clip(CLIPS)) == pytest.approx(0.01 * COUNT)
    assert many.per_clip(CLIPS)[-1] == pytest.approx(2 * many.per_clip(CLIPS)[0])


def test_a_peer_is_given_its_form() -> None:
    flac = Timed("overtone-flac", Fake(0.01))
    in_turns([flac], CLIPS, {})
    assert {path.suffix for asked in flac.one.asked for path in asked} == {".flac"}


def test_one_that_fails_is_left_out_and_the_others_go_on() -> None:
    good, bad = Timed("overtone", Fake(1.0)), Timed("librosa", Fake(1.0, fails_at=2))
    left_out: dict[str, str] = {}
    in_turns([bad, good], CLIPS, left_out)
    assert left_out == {"librosa": "failed: out of memory"}
    assert len(good.walls_s) == COUNT
    assert len(bad.one.asked) == 2


def test_rows_hold_figures_or_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def prepared(name: str, folder: Path) -> None:
        if name == "egemaps-svm":
            raise LeftOutError("not installed: opensmile")

    closed = []
    monkeypatch.setattr(Fake, "close", lambda self: closed.append(self), raising=False)
    monkeypatch.setattr(interleaving.served, "prepare", prepared)
    monkeypatch.setattr(interleaving, "Served", lambda name, folder: Fake(0.1, 1 if name == "librosa" else None))
    monkeypatch.setattr(interleaving, "cold", lambda name, clip, folder: {"cold_s": 1.0})
    rows = interleaving.systems(["overtone", "librosa", "egemaps-svm"], CLIPS, tmp_path)
    assert rows["overtone"]["times_longer"] == 1
    assert rows["overtone"]["cold_s"] == 1.0
    assert rows["librosa"]["left_out"] == "failed: out of memory", "in the warm-up"
    assert rows["egemaps-svm"]["left_out"] == "not installed: opensmile"
    assert len(closed) == 2
    with pytest.raises(SystemExit, match=r"overtone: .*nothing written"):
        monkeypatch.setattr(interleaving, "Served", lambda name, folder: Fake(0.1, 1))
        interleaving.systems(["overtone"], CLIPS, tmp_path)


def test_a_cold_start_is_a_process_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Path(__file__).resolve().parents[2] / "examples" / "speech" / "level.flac"
    monkeypatch.setattr(interleaving, "COLD_RUNS", 1)
    measured = interleaving.cold("overtone", clip, tmp_path)
    assert 0 < measured["cold_s"] < 60
    assert 50 < measured["peak_mb"] < 200
    assert 100 < measured["packages_mb"] < 300
    assert measured["model_mb"] == 0
    with pytest.raises(LeftOutError, match="failed as a process of its own"):
        interleaving.cold("overtone", tmp_path / "gone.wav", tmp_path)
