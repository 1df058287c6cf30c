"""When everything happened: phases, tracks and checks of a run on one axis, from recorded times alone.

A reused track or check took no time in this run and gets no bar. Tracks that were played back from recordings are shown
when they were recorded, without the phases of today. Without any recorded time the axis has no length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from contexts.documents.context import Context
from contexts.documents.records import Attempt, TrackRecord
from contexts.documents.verification import Evidence
from contexts.text.amounts import duration
from tasks.report.data import Row, Span, Timeline
from tasks.report.text import instant, number
from tasks.report.values import Listed

MOST_ROWS = 60
"""Tracks that get a row each; of more, the critical path, what went wrong and the longest do."""
SHOWN_OF_MANY = 40
MOST_CHECKS = 20
_EARLY = 1.0
"""Seconds by which a start may lie before the run's own (clocks are read apart) and still belong to it."""
_MOMENT = 0.02
"""Seconds below which a wait is not worth a mark."""


def build_timeline(context: Context, tracks: Iterable[Context], merged_at: str | None = None) -> Timeline:
    """Return the timeline of a run.

    Args:
        context: The final context.
        tracks: Documents of its tracks, those there are.
        merged_at: When the merge was saved, where known.
    """
    run = context.run
    documents = {one.task_id or "": one for one in tracks}
    records = [one for one in (run.tracks if run else None) or () if one.task_id]
    needs = {one.task_id: one.needs for one in context.parallel_tasks or ()}
    if any(one.recorded for one in records):
        recorded = _recorded(records, needs)
        if recorded:
            return recorded
    started = instant(run.started_at if run else None) or _first(documents.values())
    if started is None:
        return Timeline(None, 0.0, (), Listed(), Listed())
    work = {one.task_id: _attempts(documents.get(one.task_id), started) for one in records if not one.reused}
    ends = {name: spans[-1].end for name, spans in work.items() if spans}
    first = min((spans[0].start for spans in work.values() if spans), default=0.0)
    last = max(ends.values(), default=first)
    critical = _critical_path(work, ends, needs)
    rows = [_track_row(one, work, ends, needs, first=first, last=last, critical=critical) for one in records]
    checks = [_check_row(one, started) for one in context.evidence or () if one.check]
    phases = _phases(context, started, (first, last) if ends else None, checks, merged_at)
    seconds = max((span.end for row in (*phases, *rows, *checks) for span in row.spans), default=0.0)
    return Timeline(
        started,
        seconds,
        tuple(phases),
        _chosen(rows),
        Listed(tuple(checks[:MOST_CHECKS]), len(checks)),
        critical,
        _running(work) if len(rows) > MOST_ROWS else (),
    )


def _recorded(records: Sequence[TrackRecord], needs: Mapping[str, Sequence[str]]) -> Timeline | None:
    """Return the timeline of a run that only played recordings back: when the work was done, on the day it was."""
    times: dict[str, tuple[datetime, datetime]] = {}
    for one in records:
        begin, end = instant(one.started_at), instant(one.completed_at)
        if one.status != "completed":
            continue
        if not (one.recorded and begin and end and begin <= end):
            return None
        times[one.task_id] = begin, end
    if not times:
        return None
    zero = min(begin for begin, _ in times.values())
    work = {
        name: (Span((begin - zero).total_seconds(), (end - zero).total_seconds()),)
        for name, (begin, end) in times.items()
    }
    ends = {name: spans[-1].end for name, spans in work.items()}
    critical = _critical_path(work, ends, needs)
    plain_records = [one.changed(reused=False, recorded=False) for one in records]
    rows = [
        _track_row(one, work, ends, needs, first=0.0, last=max(ends.values()), critical=critical)
        for one in plain_records
    ]
    running = _running(work) if len(rows) > MOST_ROWS else ()
    return Timeline(zero, max(ends.values()), (), _chosen(rows), Listed(), critical, running, played_back=True)


def _first(documents: Iterable[Context]) -> datetime | None:
    known = [instant(one.execution.started_at) for one in documents if one.execution]
    return min((one for one in known if one), default=None)


def _span(one: Attempt | Evidence, started: datetime) -> Span | None:
    begin = instant(one.started_at)
    if begin is None:
        return None
    start = (begin - started).total_seconds()
    if start < -_EARLY:
        return None
    start = max(0.0, start)
    kind = "failed" if one.status in ("failed", "cancelled") else "work"
    return Span(start, start + max(0.0, number(one.seconds)), kind)


def _attempts(track: Context | None, started: datetime) -> tuple[Span, ...]:
    tried = track.execution.attempts if track and track.execution else ()
    spans = [span for span in (_span(one, started) for one in tried) if span]
    return tuple(sorted(spans, key=lambda span: span.start))


def _critical_path(
    work: Mapping[str, Sequence[Span]], ends: Mapping[str, float], needs: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the chain that ends with the last track: before each, the prerequisite that ended last."""
    path: list[str] = []
    here = max(ends, key=lambda name: ends[name], default=None)
    while here is not None and here not in path:
        path.insert(0, here)
        before = [name for name in needs.get(here, ()) if name in work and name in ends]
        here = max(before, key=lambda name: ends[name], default=None)
    return tuple(path)


def _track_row(
    record: TrackRecord,
    work: Mapping[str, Sequence[Span]],
    ends: Mapping[str, float],
    needs: Mapping[str, Sequence[str]],
    *,
    first: float,
    last: float,
    critical: Sequence[str],
) -> Row:
    name, said = record.task_id, record.status
    spans = work.get(name) or ()
    ready = max((ends[need] for need in needs.get(name, ()) if need in ends), default=first)
    if record.reused:
        return Row(name, note="reused, not run again")
    if not spans:
        waits = (Span(ready, last, "blocked"),) if said == "blocked" and last - ready > _MOMENT else ()
        return Row(name, waits, said or "no time recorded")
    shown: list[Span] = []
    since = ready
    for span in spans:
        if span.start - since > _MOMENT:
            shown.append(Span(since, span.start, "waiting"))
        shown.append(span)
        since = span.end
    note = duration(sum(span.seconds for span in spans))
    return Row(name, tuple(shown), note if said == "completed" else f"{note}, {said}", name in critical)


def _check_row(one: Evidence, started: datetime) -> Row:
    name, said = one.check, one.status
    span = None if one.reused else _span(one, started)
    if span is None:
        return Row(name, note="reused, not run again" if one.reused else said)
    return Row(name, (span,), duration(span.seconds) + ("" if said == "passed" else f", {said}"))


def _phases(
    context: Context,
    started: datetime,
    worked: tuple[float, float] | None,
    checks: Sequence[Row],
    merged_at: str | None,
) -> list[Row]:
    """Return the phases as recorded (``run.phases``), or else as the times of what happened in them tell."""
    run = context.run
    recorded: list[Row] = []
    for one in (run.phases if run else None) or ():
        begin, end = instant(one.started_at), instant(one.completed_at)
        if begin and end:
            span = _between((begin - started).total_seconds(), (end - started).total_seconds())
            recorded.append(Row(one.name or "phase", (span,), duration(span.seconds)))
    if recorded:
        return recorded
    ended = instant(run.completed_at if run else None) or instant(context.timestamp)
    if ended is None or (ended - started).total_seconds() < 0:
        return []
    end = (ended - started).total_seconds()
    ran = [span for row in checks for span in row.spans]
    first, last = worked or (0.0, 0.0)
    merged = _offset(merged_at, started)
    if merged is None or not last <= merged <= end:
        merged = min((span.start for span in ran), default=end if not worked else last)
    bounds = [("initialize", 0.0, first), ("tracks", first, last)] if worked else []
    bounds += [("merge", last, merged), ("verify", merged, end)]
    return [Row(name, (_between(a, b),), duration(max(0.0, b - a))) for name, a, b in bounds]


def _between(start: float, end: float) -> Span:
    start = max(0.0, start)
    return Span(start, max(start, end))


def _offset(text: str | None, started: datetime) -> float | None:
    moment = instant(text)
    return (moment - started).total_seconds() if moment else None


def _chosen(rows: Sequence[Row]) -> Listed[Row]:
    if len(rows) <= MOST_ROWS:
        return Listed(tuple(rows), len(rows))

    def interest(place: int) -> tuple[bool, bool, float]:
        row = rows[place]
        wrong = any(span.kind in {"failed", "blocked"} for span in row.spans)
        return row.critical, wrong, row.worked

    chosen = sorted(sorted(range(len(rows)), key=interest, reverse=True)[:SHOWN_OF_MANY])
    return Listed(tuple(rows[place] for place in chosen), len(rows))


def _running(work: Mapping[str, Sequence[Span]]) -> tuple[tuple[float, int], ...]:
    changes = sorted(
        change for spans in work.values() for span in spans for change in ((span.start, 1), (span.end, -1))
    )
    steps: list[tuple[float, int]] = []
    count = 0
    for second, by in changes:
        count += by
        if steps and steps[-1][0] == second:
            steps[-1] = (second, count)
        else:
            steps.append((second, count))
    return tuple(steps)
