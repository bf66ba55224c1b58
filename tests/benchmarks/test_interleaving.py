"""Systems run interleaved on the same clips; a system that fails is listed with the reason."""

from pathlib import Path

import pytest

from benchmarks import interleaving
from benchmarks.interleaving import BLOCK, PASSES, Clips, TimedSystem, run_interleaved
from benchmarks.systems.system_process import SystemUnavailableError

COUNT = BLOCK + 2
WAVES = [Path(f"{number}.wav") for number in range(COUNT + 1)]
CLIPS = Clips(
    {".wav": WAVES, ".flac": [path.with_suffix(".flac") for path in WAVES]}, [9.0, *[2.0] * (COUNT - 1), 4.0], 1
)


class FakeSystem:
    """A system that takes `clip_s` for each clip, and fails in call number `fails_at`."""

    def __init__(self, clip_s: float, fails_at: int | None = None) -> None:
        self.clip_s = clip_s
        self.fails_at = fails_at
        self.calls: list[list[Path]] = []

    def run(self, clips: list[Path]) -> dict[str, float]:
        self.calls.append(list(clips))
        if len(self.calls) == self.fails_at:
            raise SystemUnavailableError("failed: out of memory")
        wall_s = self.clip_s * len(clips)
        return {"wall_s": wall_s, "cpu_s": 0.5 * wall_s}


def test_slow_systems_process_each_block_once() -> None:
    fast, slow = TimedSystem("overtone", FakeSystem(0.01)), TimedSystem("librosa", FakeSystem(1.0))
    run_interleaved([fast, slow], CLIPS, {})
    expected = [[path] for path in WAVES[1:]]
    assert slow.system.calls == expected
    assert fast.system.calls == expected[:BLOCK] * PASSES + expected[BLOCK:] * PASSES
    assert fast.walls_s == [0.01] * COUNT
    results = slow.results(CLIPS, fast.per_clip(CLIPS))
    assert results["ms"] == pytest.approx(1000)
    assert results["relative_time"] == pytest.approx(100)
    assert results["times_real_time"] == pytest.approx((2 * (COUNT - 1) + 4) / COUNT)
    assert results["seconds_per_hour"] == pytest.approx(3600 / results["times_real_time"])
    assert results["cpu_share"] == pytest.approx(0.5)


def test_the_time_of_a_list_is_divided_by_duration() -> None:
    whole_list = TimedSystem("overtone-list", FakeSystem(0.01))
    run_interleaved([whole_list], CLIPS, {})
    assert all(call == WAVES[1:] for call in whole_list.system.calls)
    assert len(whole_list.system.calls) == 2 * PASSES, "all clips with every block"
    assert sum(whole_list.per_clip(CLIPS)) == pytest.approx(0.01 * COUNT)
    assert whole_list.per_clip(CLIPS)[-1] == pytest.approx(2 * whole_list.per_clip(CLIPS)[0])


def test_a_system_processes_its_file_format() -> None:
    flac = TimedSystem("overtone-flac", FakeSystem(0.01))
    run_interleaved([flac], CLIPS, {})
    assert {path.suffix for call in flac.system.calls for path in call} == {".flac"}


def test_a_failing_system_is_skipped_and_the_others_continue() -> None:
    good, bad = TimedSystem("overtone", FakeSystem(1.0)), TimedSystem("librosa", FakeSystem(1.0, fails_at=2))
    skipped: dict[str, str] = {}
    run_interleaved([bad, good], CLIPS, skipped)
    assert skipped == {"librosa": "failed: out of memory"}
    assert len(good.walls_s) == COUNT
    assert len(bad.system.calls) == 2


def test_rows_contain_results_or_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def prepare(name: str, folder: Path) -> None:
        if name == "egemaps-svm":
            raise SystemUnavailableError("not installed: opensmile")

    closed = []
    monkeypatch.setattr(FakeSystem, "close", lambda self: closed.append(self), raising=False)
    monkeypatch.setattr(interleaving.system_process, "prepare", prepare)
    monkeypatch.setattr(
        interleaving, "SystemProcess", lambda name, folder: FakeSystem(0.1, 1 if name == "librosa" else None)
    )
    monkeypatch.setattr(interleaving, "measure_cold_start", lambda name, clip, folder: {"cold_s": 1.0})
    rows = interleaving.measure_systems(["overtone", "librosa", "egemaps-svm"], CLIPS, tmp_path)
    assert rows["overtone"]["relative_time"] == 1
    assert rows["overtone"]["cold_s"] == 1.0
    assert rows["librosa"]["skipped"] == "failed: out of memory", "during the warm-up"
    assert rows["egemaps-svm"]["skipped"] == "not installed: opensmile"
    assert len(closed) == 2
    with pytest.raises(SystemExit, match=r"overtone: .*nothing written"):
        monkeypatch.setattr(interleaving, "SystemProcess", lambda name, folder: FakeSystem(0.1, 1))
        interleaving.measure_systems(["overtone"], CLIPS, tmp_path)


def test_a_cold_start_is_a_whole_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Path(__file__).resolve().parents[2] / "examples" / "speech" / "level.flac"
    monkeypatch.setattr(interleaving, "COLD_RUNS", 1)
    measured = interleaving.measure_cold_start("overtone", clip, tmp_path)
    assert 0 < measured["cold_s"] < 60
    assert 50 < measured["peak_mb"] < 200
    assert 100 < measured["packages_mb"] < 300
    assert measured["model_mb"] == 0
    with pytest.raises(SystemUnavailableError, match="failed in a cold start"):
        interleaving.measure_cold_start("overtone", tmp_path / "gone.wav", tmp_path)
