"""The metrics of a run, computed from what its final document recorded."""

from __future__ import annotations

from collections.abc import Sequence

from contexts.documents.base import JsonObject, parse_instant
from contexts.documents.refs import ContextRef
from contexts.json.values import entries, section
from contexts.metrics import Metrics, PhaseTimes, TrackCoverage, TrackTimes, compute
from contexts.metrics.records import TRACKS_PHASE
from contexts.metrics.tables import Table, tables


def measure(document: JsonObject, sizes: Sequence[tuple[str, ContextRef]] = ()) -> tuple[Metrics, tuple[Table, ...]]:
    """Return every metric a run allows, and the tables people read.

    Args:
        document: The workflow's merged or final context; times are those its ``run`` recorded.
        sizes: The contexts the phases saved, by phase.
    """
    run = section(document, "run")
    # A track that failed took its time as well: without it the run would seem slower than its tracks.
    lines = [
        one for one in entries(run, "tracks") if one["status"] == "completed" or (one["attempts"] and one["seconds"])
    ]
    replayed = bool(lines) and all(one.get("recorded") for one in lines)
    tracks = _tracks(document, lines, replayed=replayed)
    by_phase = dict(sizes)
    files = len(entries(document, "files_modified"))
    phases = [
        PhaseTimes(
            name=one["name"],
            started_at=one["started_at"],
            completed_at=one["completed_at"],
            context_bytes=by_phase[one["name"]].size if one["name"] in by_phase else None,
            files=0 if one["name"] == "initialize" else files,
        )
        for one in entries(run, "phases")
    ]
    coverage = _coverage(document)
    if replayed:
        # A recording is read in no time; what is compared are the times it recorded, and they are of another day than
        # those of the phases around it.
        nothing = {"started_at": None, "completed_at": None}
        phases = [
            _recorded(one, lines) if one.name == TRACKS_PHASE else one.model_copy(update=nothing) for one in phases
        ]
    computed = compute(tracks, phases, max_parallel=run.get("max_parallel"), coverage=coverage)
    return computed, tables(computed, tracks, phases, coverage)


def _recorded(phase: PhaseTimes, lines: Sequence[JsonObject]) -> PhaseTimes:
    start = min((one["started_at"] for one in lines), key=parse_instant)
    end = max((one["completed_at"] for one in lines), key=parse_instant)
    return phase.model_copy(update={"started_at": start, "completed_at": end})


def _tracks(document: JsonObject, lines: Sequence[JsonObject], *, replayed: bool) -> list[TrackTimes]:
    planned = {one["task_id"]: one for one in entries(document, "parallel_tasks")}
    summary = {one["task_id"]: one for one in entries(section(document, "parallel_execution_summary"), "tasks")}
    refs = {name: section(one, "ref") for name, one in section(document, "track_contexts").items()}
    return [
        TrackTimes(
            task_id=one["task_id"],
            started_at=one.get("started_at"),
            completed_at=one.get("completed_at"),
            seconds=one["seconds"],
            attempts=one["attempts"],
            reused=not replayed and (one["reused"] or bool(one.get("recorded"))),
            needs=tuple(entries(planned.get(one["task_id"], {}), "needs")),
            context_bytes=refs.get(one["task_id"], {}).get("size"),
            files=summary.get(one["task_id"], {}).get("files_count"),
        )
        for one in lines
    ]


def _coverage(document: JsonObject) -> list[TrackCoverage]:
    """Return each track's coverage once: the least, where several checks measured it."""
    least: dict[str, TrackCoverage] = {}
    for one in entries(document, "evidence"):
        for task_id, share in section(section(section(one, "result"), "coverage"), "tracks").items():
            found = TrackCoverage(
                task_id=task_id, percent=share["percent"], statements=section(share, "lines").get("total")
            )
            if task_id not in least or found.percent < least[task_id].percent:
                least[task_id] = found
    return list(least.values())
