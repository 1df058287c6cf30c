"""Every number of a run follows from recorded times, says how, and is absent where it cannot be known."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.metrics import Metrics, PhaseTimes, TrackCoverage, TrackTimes, compute
from contexts.metrics.records import show
from contexts.metrics.tables import tables

START = datetime(2025, 1, 15, 9, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


def track(task_id: str, start: float, end: float, **fields: object) -> TrackTimes:
    return TrackTimes(task_id=task_id, started_at=at(start), completed_at=at(end), **fields)


def phase(name: str, start: float, end: float, **fields: object) -> PhaseTimes:
    return PhaseTimes(name=name, started_at=at(start), completed_at=at(end), **fields)


# The printed example's times; its own totals (180 minutes, 2.25 times, 91 % on average) do not follow from them.
TRACKS = (
    track("frontend", 5, 50, context_bytes=4800, files=8),
    track("backend", 5, 65, context_bytes=6200, files=6),
    track("e2e", 5, 55, context_bytes=5100, files=5),
)
PHASES = (
    phase("initialize", 0, 5, context_bytes=2100, files=0),
    phase("tracks", 5, 65),
    phase("merge", 65, 65.5, context_bytes=12500, files=19),
    phase("verify", 65.5, 80, context_bytes=8900, files=19),
)
COVERAGE = (
    TrackCoverage(task_id="frontend", percent=87, tests={"unit": 2}),
    TrackCoverage(task_id="backend", percent=94, tests={"unit": 18, "integration": 10}),
    TrackCoverage(task_id="e2e", percent=100, tests={"e2e": 19}),
)


def value(metrics: Metrics, name: str) -> float:
    metric = metrics.get(name)
    assert metric is not None, [absent for absent in metrics.absent if absent.name == name]
    return metric.value


def reason(metrics: Metrics, name: str) -> str:
    assert metrics.get(name) is None
    return next(absent.reason for absent in metrics.absent if absent.name == name)


def test_the_printed_example_is_computed_from_its_times():
    metrics = compute(TRACKS, PHASES, max_parallel=5, coverage=COVERAGE)
    assert value(metrics, "sequential_sum") == 155 * 60
    assert value(metrics, "tracks_wall") == 60 * 60
    assert value(metrics, "critical_path") == 60 * 60
    assert value(metrics, "speedup") == 155 / 60
    assert value(metrics, "parallel_limit") == 155 / 60
    assert value(metrics, "wall_over_critical") == 1
    assert value(metrics, "efficiency") == 100 * (155 / 60) / 3
    assert value(metrics, "wall") == 80 * 60
    assert value(metrics, "overall_sequential") == 175 * 60
    assert value(metrics, "overall_speedup") == 175 / 80
    assert value(metrics, "saved") == 95 * 60
    assert value(metrics, "context_bytes.all_tracks") == 16100
    assert value(metrics, "merged_size_ratio") == 12500 / 16100
    assert value(metrics, "coverage_mean") == (87 + 94 + 100) / 3
    assert metrics.get("speedup").display == "2.58x"


def test_every_metric_has_formula_unit_and_inputs_and_keeps_its_raw_value():
    metrics = compute(TRACKS, PHASES, max_parallel=2, coverage=COVERAGE)
    for metric in metrics.metrics:
        assert metric.formula
        assert metric.unit
        assert metric.inputs
        assert metric.display == show(metric.value, metric.unit)
    assert metrics.get("speedup").inputs == {"ran_sum": 9300, "tracks_wall": 3600}
    assert metrics.get("critical_path").formula.endswith("backend")
    assert Metrics.model_validate_json(metrics.model_dump_json()) == metrics


def test_the_critical_path_follows_needs():
    chain = (track("a", 0, 10), track("b", 10, 30, needs=("a",)), track("c", 0, 25))
    metrics = compute(chain)
    assert value(metrics, "critical_path") == 30 * 60
    assert metrics.get("critical_path").inputs == {"a": 600, "b": 1200}


def test_a_reused_track_keeps_its_time_and_takes_no_part_in_this_runs_clock():
    old = track("old", -500, -400, reused=True)
    metrics = compute((old, track("new", 5, 15), track("last", 15, 20, needs=("old", "new"))), max_parallel=2)
    assert value(metrics, "track_seconds.old") == 6000
    assert "reused" in metrics.get("track_seconds.old").note
    assert value(metrics, "sequential_sum") == 6900
    assert "old" in metrics.get("sequential_sum").note
    assert value(metrics, "ran_sum") == 900
    assert value(metrics, "tracks_wall") == 900
    assert value(metrics, "speedup") == 1
    assert metrics.get("speedup").note == "without reused tracks: old"


def test_a_reused_track_between_two_others_still_orders_them():
    tracks = (track("a", 0, 10), track("b", -60, -50, reused=True, needs=("a",)), track("c", 10, 20, needs=("b",)))
    assert value(compute(tracks), "ran_critical_path") == 1200


def test_a_run_that_reused_everything_has_no_speedup():
    metrics = compute((track("a", 0, 1, reused=True),), max_parallel=1)
    for name in ("speedup", "efficiency", "tracks_wall", "wall_over_critical"):
        assert "every track was reused" in reason(metrics, name)
    assert value(metrics, "sequential_sum") == 60


def test_a_recorded_steady_clock_is_believed_over_timestamps():
    metrics = compute((track("a", 0, 10, seconds=12.5, attempts=2),))
    metric = metrics.get("track_seconds.a")
    assert (metric.value, metric.formula) == (12.5, "recorded by a steady clock")
    assert metric.note == "2 attempts together"


def test_what_was_not_recorded_is_absent_with_the_reason():
    metrics = compute((track("a", 0, 10), TrackTimes(task_id="b", started_at=at(0))))
    assert reason(metrics, "track_seconds.b") == "its end was not recorded"
    assert reason(metrics, "sequential_sum") == "b: its end was not recorded"
    assert "sequential_sum is missing: b: its end" in reason(metrics, "parallel_limit")
    assert "speedup" in reason(metrics, "efficiency") or "max_parallel" in reason(metrics, "efficiency")
    assert reason(metrics, "wall") == "no phases were recorded"
    assert reason(metrics, "coverage_mean") == "no coverage was measured"


def test_an_end_before_its_start_is_no_duration():
    metrics = compute((track("a", 10, 0),), (phase("tracks", 10, 0),))
    assert "before it starts" in reason(metrics, "track_seconds.a")
    assert "before it starts" in reason(metrics, "wall")


def test_no_tracks_and_no_time_divide_nothing():
    assert "no tracks" in reason(compute(()), "speedup")
    metrics = compute((track("a", 0, 0),), (phase("tracks", 0, 0),), max_parallel=1)
    assert reason(metrics, "speedup") == "tracks_wall is 0"
    assert reason(metrics, "parallel_limit") == "critical_path is 0"
    assert reason(metrics, "overall_speedup") == "wall is 0"


def test_coverage_is_weighted_only_where_all_weights_are_known():
    weighed = (
        TrackCoverage(task_id="a", percent=50, statements=300),
        TrackCoverage(task_id="b", percent=100, statements=100),
    )
    metrics = compute((), coverage=weighed)
    assert value(metrics, "coverage_weighted") == 62.5
    assert value(metrics, "coverage_mean") == 75
    assert "unweighted" in metrics.get("coverage_mean").formula
    assert "not known for every track" in reason(compute((), coverage=COVERAGE), "coverage_weighted")
    empty = compute((), coverage=(TrackCoverage(task_id="a", percent=0, statements=0),))
    assert reason(empty, "coverage_weighted") == "there are no statements"


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=8), st.integers(1, 8))
def test_speedup_never_exceeds_the_number_of_tracks_and_the_limit_bounds_it(times, workers):
    tracks = tuple(track(f"t{n}", start, start + length) for n, (start, length) in enumerate(times))
    metrics = compute(tracks, max_parallel=workers)
    speedup, limit = metrics.get("speedup"), metrics.get("parallel_limit")
    if speedup is not None and limit is not None:
        assert speedup.value <= len(tracks) * (1 + 1e-9)
        assert speedup.value <= limit.value * (1 + 1e-6)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0, "s", "0.00 s"),
        (4.516, "s", "4.52 s"),
        (59.999, "s", "1 min"),
        (125, "s", "2 min 5 s"),
        (3600, "s", "1 h"),
        (4800, "s", "1 h 20 min"),
        (3599.9, "s", "1 h"),
        (-90, "s", "-1 min 30 s"),
        (999, "bytes", "999 B"),
        (2100, "bytes", "2.1 KB"),
        (2.25, "x", "2.25x"),
        (93.666, "%", "93.7%"),
        (3, "files", "3 files"),
    ],
)
def test_numbers_are_written_for_people(number, unit, text):
    assert show(number, unit) == text


def displayed(table) -> list[list[str]]:
    return [[cell.display for cell in row] for row in table.rows]


def test_the_tables_are_those_of_the_printed_example():
    metrics = compute(TRACKS, PHASES, max_parallel=5, coverage=COVERAGE)
    times, sizes, coverage = tables(metrics, TRACKS, PHASES, COVERAGE)
    assert times.columns == ("Phase", "Sequential", "Parallel", "Speedup")
    assert displayed(times) == [
        ["initialize", "5 min", "5 min", "1.00x"],
        ["frontend", "45 min", "45 min", "-"],
        ["backend", "1 h", "1 h", "-"],
        ["e2e", "50 min", "50 min", "-"],
        ["All tracks", "2 h 35 min", "1 h", "2.58x"],
        ["merge", "30.00 s", "30.00 s", "1.00x"],
        ["verify", "14 min 30 s", "14 min 30 s", "1.00x"],
        ["Overall", "2 h 55 min", "1 h 20 min", "2.19x"],
    ]
    assert times.notes[0] == "Saved: 1 h 35 min (ran_sum - tracks_wall)"
    assert displayed(sizes) == [
        ["initialize", "2.1 KB", "0"],
        ["frontend (track)", "4.8 KB", "8"],
        ["backend (track)", "6.2 KB", "6"],
        ["e2e (track)", "5.1 KB", "5"],
        ["merge", "12.5 KB", "19"],
        ["verify", "8.9 KB", "19"],
    ]
    assert displayed(coverage) == [
        ["frontend", "2", "-", "-", "87.0%"],
        ["backend", "18", "10", "-", "94.0%"],
        ["e2e", "-", "-", "19", "100.0%"],
        ["Total", "20", "10", "19", "93.7% (unweighted mean)"],
    ]


def test_a_missing_cell_says_why_and_empty_tables_are_left_out():
    lone = (TrackTimes(task_id="a"),)
    times, sizes = tables(compute(lone), lone, ())
    cell = times.rows[0][1]
    assert (cell.value, cell.display, cell.reason) == (None, "-", "its start was not recorded")
    assert sizes.rows[0][1].reason == "it was not recorded"
    assert tables(compute(()), (), ()) == ()


def test_a_reused_track_is_said_to_be_reused_in_the_table():
    tracks = (track("old", -20, -10, reused=True), track("new", 0, 1))
    rows = displayed(tables(compute(tracks), tracks, ())[0])
    assert rows[0] == ["old (reused)", "10 min", "0 s (reused)", "-"]
    assert rows[2] == ["All tracks", "1 min", "1 min", "1.00x"]


def test_raw_values_are_not_rounded():
    tracks = (track("a", 0, 1, seconds=0.1), track("b", 0, 1, seconds=0.2))
    assert value(compute(tracks), "sequential_sum") == math.fsum([0.1, 0.2])
