"""What a run's metrics take from its evidence."""

from contexts.documents.context import Context
from contexts.documents.figures import CheckFigures, Coverage, Covered, TrackShare
from contexts.documents.records import PhaseRecord, RunRecord, TrackRecord
from contexts.documents.verification import Evidence
from tasks.prefect_ui.run_metrics import measure
from tests.tasks.report.stored import context


def covered(check: str, **tracks: TrackShare) -> Evidence:
    figures = CheckFigures(coverage=Coverage(tracks=tracks))
    return Evidence(check=check, kind="coverage", status="passed", argv=["cov"], seconds=1, result=figures)


def share(percent: float, total: int) -> TrackShare:
    lines = Covered(covered=round(percent * total / 100), total=total)
    return TrackShare(percent=percent, lines=lines, measured=1)


def value(document: Context, name: str) -> float | None:
    metric = measure(document)[0].get(name)
    return metric.value if metric else None


def test_the_coverage_of_tracks_is_weighted_by_their_statements() -> None:
    document = context().changed(evidence=[covered("unit", api=share(50, 300), page=share(100, 100))])
    assert value(document, "coverage_mean") == 75
    assert value(document, "coverage_weighted") == 62.5


def test_a_track_that_two_checks_measured_counts_once_with_the_less() -> None:
    evidence = [covered("all", api=share(80, 100)), covered("unit", api=share(90, 100))]
    computed, shown = measure(context().changed(evidence=evidence))
    mean = computed.get("coverage_mean")
    assert mean is not None
    assert mean.inputs == {"api": 80}
    assert [row[0].display for table in shown for row in table.rows].count("api") == 1


def test_a_track_that_failed_after_a_minute_counts_with_its_minute() -> None:
    tracks = [
        TrackRecord(task_id="api", status="completed", reused=False, attempts=1, seconds=20),
        TrackRecord(task_id="docs", status="failed", reused=False, attempts=1, seconds=60),
        TrackRecord(task_id="page", status="blocked", reused=False, attempts=0, seconds=0),
    ]
    phase = PhaseRecord(name="tracks", started_at="2026-01-15T09:00:00Z", completed_at="2026-01-15T09:01:00Z")
    run = RunRecord(status="partial", tracks=tracks, phases=[phase], max_parallel=5)
    document = context().changed(run=run)
    assert value(document, "critical_path") == 60
    assert value(document, "sequential_sum") == 80
    assert value(document, "speedup") == 80 / 60
    assert value(document, "saved") == 20
