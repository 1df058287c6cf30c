"""The tables of a report on a run, as data: times compared, sizes through the phases, tests and coverage."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from contexts.metrics.records import (
    TRACKS_PHASE,
    Metric,
    Metrics,
    PhaseTimes,
    TrackCoverage,
    TrackTimes,
    duration,
    elapsed,
    show,
)

NONE = "-"


class Cell(BaseModel):
    """One value of a table: raw, and as text. A missing one is ``-`` and says why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | str | None
    display: str
    reason: str | None = None


class Table(BaseModel):
    """Rows under named columns; notes belong below the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def tables(
    metrics: Metrics,
    tracks: Sequence[TrackTimes],
    phases: Sequence[PhaseTimes],
    coverage: Sequence[TrackCoverage] = (),
) -> tuple[Table, ...]:
    """Build the tables that have rows."""
    built = (_times(metrics, tracks, phases), _sizes(tracks, phases), _coverage(metrics, coverage))
    return tuple(table for table in built if table.rows)


def _text(text: str) -> Cell:
    return Cell(value=text, display=text)


def _number(value: float | str | None, unit: str) -> Cell:
    if value is None or isinstance(value, str):
        return Cell(value=None, display=NONE, reason=value or "it was not recorded")
    return Cell(value=value, display=show(value, unit))


def _metric(metrics: Metrics, name: str) -> Cell:
    metric = metrics.get(name)
    if metric is not None:
        return Cell(value=metric.value, display=metric.display)
    reason = next((absent.reason for absent in metrics.absent if absent.name == name), "it was not computed")
    return Cell(value=None, display=NONE, reason=reason)


def _times(metrics: Metrics, tracks: Sequence[TrackTimes], phases: Sequence[PhaseTimes]) -> Table:
    names = [phase.name for phase in phases]
    split = names.index(TRACKS_PHASE) if TRACKS_PHASE in names else len(names)
    rows = [_phase_row(phase) for phase in phases[:split]]
    for track in tracks:
        seconds = _number(duration(track), "s")
        # A reused track took no time in this run.
        side = Cell(value=0.0, display="0 s (reused)") if track.reused else seconds
        label = f"{track.task_id} (reused)" if track.reused else track.task_id
        rows.append((_text(label), seconds, side, Cell(value=None, display=NONE, reason="one of the parallel tracks")))
    if tracks:
        cells = (_metric(metrics, name) for name in ("ran_sum", "tracks_wall", "speedup"))
        rows.append((_text("All tracks"), *cells))
    rows.extend(_phase_row(phase) for phase in phases[split + 1 :])
    if phases:
        cells = (_metric(metrics, name) for name in ("overall_sequential", "wall", "overall_speedup"))
        rows.append((_text("Overall"), *cells))
    notes = [f"{metric.name}: {metric.note}" for metric in metrics.metrics if metric.note and "." not in metric.name]
    saved = metrics.get("saved")
    if saved is not None:
        notes.insert(0, f"Saved: {saved.display} ({saved.formula})")
    return Table(
        title="Time Comparison",
        columns=("Phase", "Sequential", "Parallel", "Speedup"),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _phase_row(phase: PhaseTimes) -> tuple[Cell, ...]:
    seconds = _number(elapsed(phase.started_at, phase.completed_at), "s")
    same = seconds if seconds.value is None else Cell(value=1.0, display=show(1.0, "x"))
    return (_text(phase.name), seconds, seconds, same)


def _sizes(tracks: Sequence[TrackTimes], phases: Sequence[PhaseTimes]) -> Table:
    def row(name: str, size: int | None, files: int | None) -> tuple[Cell, ...]:
        count = Cell(value=files, display=str(files)) if files is not None else _number(None, "files")
        return (_text(name), _number(size, "bytes"), count)

    rows: list[tuple[Cell, ...]] = []
    own = [row(f"{track.task_id} (track)", track.context_bytes, track.files) for track in tracks]
    placed = False
    for phase in phases:
        if phase.name == TRACKS_PHASE:
            rows += own
            placed = True
        else:
            rows.append(row(phase.name, phase.context_bytes, phase.files))
    if not placed:
        rows += own
    notes = ("1 KB is 1000 bytes of the document as stored, before compression.",) if rows else ()
    columns = ("Phase", "Context Size", "Files Modified")
    return Table(title="Context Size Progression", columns=columns, rows=tuple(rows), notes=notes)


KINDS = (("unit", "Unit Tests"), ("integration", "Integration Tests"), ("e2e", "E2E Tests"))


def _coverage(metrics: Metrics, coverage: Sequence[TrackCoverage]) -> Table:
    def count(value: int | None) -> Cell:
        if value is None:
            return Cell(value=None, display=NONE, reason="no such tests were reported")
        return Cell(value=value, display=str(value))

    rows = [
        (_text(entry.task_id), *(count(entry.tests.get(kind)) for kind, _ in KINDS), _number(entry.percent, "%"))
        for entry in coverage
    ]
    if rows:
        totals = [[entry.tests[kind] for entry in coverage if kind in entry.tests] for kind, _ in KINDS]
        mean = metrics.get("coverage_weighted") or metrics.get("coverage_mean")
        rows.append((_text("Total"), *(count(sum(total) if total else None) for total in totals), _mean(mean)))
    columns = ("Track", *(label for _, label in KINDS), "Coverage")
    return Table(title="Test Coverage", columns=columns, rows=tuple(rows))


def _mean(metric: Metric | None) -> Cell:
    if metric is None:
        return Cell(value=None, display=NONE, reason="no coverage was measured")
    how = "weighted by statements" if metric.name == "coverage_weighted" else "unweighted mean"
    return Cell(value=metric.value, display=f"{metric.display} ({how})")
