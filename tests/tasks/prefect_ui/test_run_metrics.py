"""What a run's metrics take from its evidence."""

from typing import Any

from tasks.prefect_ui.run_metrics import measure


def covered(check: str, **tracks: Any) -> dict[str, Any]:
    return {"check": check, "kind": "coverage", "status": "passed", "result": {"coverage": {"tracks": tracks}}}


def share(percent: float, total: int) -> dict[str, Any]:
    return {"percent": percent, "lines": {"covered": round(percent * total / 100), "total": total}}


def value(document: dict[str, Any], name: str) -> float | None:
    metric = measure(document)[0].get(name)
    return metric.value if metric else None


def test_the_coverage_of_tracks_is_weighted_by_their_statements() -> None:
    document = {"evidence": [covered("unit", api=share(50, 300), page=share(100, 100))]}
    assert value(document, "coverage_mean") == 75
    assert value(document, "coverage_weighted") == 62.5


def test_a_track_that_two_checks_measured_counts_once_with_the_less() -> None:
    document = {"evidence": [covered("all", api=share(80, 100)), covered("unit", api=share(90, 100))]}
    computed, shown = measure(document)
    mean = computed.get("coverage_mean")
    assert mean is not None
    assert mean.inputs == {"api": 80}
    assert [row[0].display for table in shown for row in table.rows].count("api") == 1


def test_a_track_that_failed_after_a_minute_counts_with_its_minute() -> None:
    def line(task_id: str, status: str, seconds: float, attempts: int = 1) -> dict[str, Any]:
        return {"task_id": task_id, "status": status, "seconds": seconds, "attempts": attempts, "reused": False}

    tracks = [line("api", "completed", 20), line("docs", "failed", 60), line("page", "blocked", 0, 0)]
    phase = {"name": "tracks", "started_at": "2026-01-15T09:00:00Z", "completed_at": "2026-01-15T09:01:00Z"}
    document = {"run": {"tracks": tracks, "phases": [phase], "max_parallel": 5}}
    assert value(document, "critical_path") == 60
    assert value(document, "sequential_sum") == 80
    assert value(document, "speedup") == 80 / 60
    assert value(document, "saved") == 20
