"""The metrics of a run, computed from what its final document recorded."""

from __future__ import annotations

from collections.abc import Sequence

from contexts.documents.base import parse_instant
from contexts.documents.context import Context
from contexts.documents.records import TrackRecord
from contexts.documents.refs import ContextRef
from contexts.metrics import Metrics, PhaseTimes, TrackCoverage, TrackTimes, compute
from contexts.metrics.records import TRACKS_PHASE
from contexts.metrics.tables import Table, tables


def measure(context: Context, sizes: Sequence[tuple[str, ContextRef]] = ()) -> tuple[Metrics, tuple[Table, ...]]:
    """Return every metric a run allows, and the tables people read.

    Args:
        context: The workflow's merged or final context; times are those its ``run`` recorded.
        sizes: The contexts the phases saved, by phase.
    """
    run = context.run
    # A track that failed took its time as well: without it the run would seem slower than its tracks.
    recorded = (run.tracks if run else None) or ()
    lines = [one for one in recorded if one.status == "completed" or (one.attempts and one.seconds)]
    replayed = bool(lines) and all(one.recorded for one in lines)
    tracks = _tracks(context, lines, replayed=replayed)
    by_phase = dict(sizes)
    files = len(context.files_modified or ())
    phases = [
        PhaseTimes(
            name=one.name,
            started_at=one.started_at,
            completed_at=one.completed_at,
            context_bytes=by_phase[one.name].size if one.name in by_phase else None,
            files=0 if one.name == "initialize" else files,
        )
        for one in (run.phases if run else None) or ()
    ]
    coverage = _coverage(context)
    if replayed:
        # A recording is read in no time; what is compared are the times it recorded, and they are of another day than
        # those of the phases around it.
        nothing = {"started_at": None, "completed_at": None}
        phases = [
            _recorded(one, lines) if one.name == TRACKS_PHASE else one.model_copy(update=nothing) for one in phases
        ]
    computed = compute(tracks, phases, max_parallel=run.max_parallel if run else None, coverage=coverage)
    return computed, tables(computed, tracks, phases, coverage)


def _recorded(phase: PhaseTimes, lines: Sequence[TrackRecord]) -> PhaseTimes:
    starts = [one.started_at for one in lines if one.started_at]
    ends = [one.completed_at for one in lines if one.completed_at]
    times = {
        "started_at": min(starts, key=parse_instant, default=None),
        "completed_at": max(ends, key=parse_instant, default=None),
    }
    return phase.model_copy(update=times)


def _tracks(context: Context, lines: Sequence[TrackRecord], *, replayed: bool) -> list[TrackTimes]:
    planned = {one.task_id: one for one in context.parallel_tasks or ()}
    summary = context.parallel_execution_summary
    files = {one.task_id: one.files_count for one in (summary.tasks if summary else None) or ()}
    refs = {name: one.ref for name, one in (context.track_contexts or {}).items() if one.ref}
    return [
        TrackTimes(
            task_id=one.task_id,
            started_at=one.started_at,
            completed_at=one.completed_at,
            seconds=one.seconds,
            attempts=one.attempts,
            reused=not replayed and (one.reused or bool(one.recorded)),
            needs=planned[one.task_id].needs if one.task_id in planned else (),
            context_bytes=refs[one.task_id].size if one.task_id in refs else None,
            files=files.get(one.task_id),
        )
        for one in lines
    ]


def _coverage(context: Context) -> list[TrackCoverage]:
    """Return each track's coverage once: the least, where several checks measured it."""
    least: dict[str, TrackCoverage] = {}
    for one in context.evidence or ():
        measured = one.figures.coverage
        for task_id, share in ((measured.tracks if measured else None) or {}).items():
            if share.percent is None:
                continue
            statements = share.lines.total if share.lines else None
            found = TrackCoverage(task_id=task_id, percent=share.percent, statements=statements)
            if task_id not in least or found.percent < least[task_id].percent:
                least[task_id] = found
    return list(least.values())
