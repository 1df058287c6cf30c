"""Time taken: stated durations against the instants around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.rules.timestamps import SPANS, planned_starts, same_kind
from contexts.audit.sample_documents import merged, parent, track
from contexts.audit.source_document import moment
from contexts.documents.findings import Doubt
from contexts.json.values import mapping, number, sequence, text
from contexts.text.quantities import quantities

_DURATION = re.compile(
    r"(?:total_|actual_|wall_|elapsed_)?(?:duration|elapsed|took)(?:_time)?(?:_(minutes|mins|min|seconds|secs|s|ms|hours|h))?\Z"
)


_SECONDS = {
    "minutes": 60.0,
    "mins": 60.0,
    "min": 60.0,
    "seconds": 1.0,
    "secs": 1.0,
    "s": 1.0,
    "ms": 0.001,
    "hours": 3600.0,
    "h": 3600.0,
}


@claim_rule(
    "time/duration",
    "warning",
    "A stated duration is not the time between its start and end.",
    example=(
        merged(
            parallel_execution_summary={
                "started_at": "2025-03-01T09:00:00Z",
                "completed_at": "2025-03-01T10:00:00Z",
                "total_duration_minutes": 75,
            }
        ),
    ),
    clean=(
        merged(
            parallel_execution_summary={
                "started_at": "2025-03-01T09:00:00Z",
                "completed_at": "2025-03-01T11:00:00+01:00",
                "total_duration_minutes": 60,
            }
        ),
    ),
    yields_to=("time/ends-before-start",),
)
def duration(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare durations with instants in the same object; half of the written unit's last digit is rounding."""
    for document in documents.current:
        for path, members in document.objects:
            for name, value in members.items():
                stated = _duration(name, value)
                span = _span(members) if stated else None
                if stated is None or span is None:
                    continue
                seconds, step = stated
                first, last, exact = span
                if exact >= 0 and abs(seconds - exact) > step:
                    yield doubt(
                        "time/duration",
                        f"{name} says {_minutes(seconds)}, and from {first} to {last} it is {_minutes(exact)}",
                        (
                            document.source((*path, name)),
                            document.source((*path, first)),
                            document.source((*path, last)),
                        ),
                    )


def _duration(name: str, value: Any) -> tuple[float, float] | None:
    """Return a duration in seconds and how far rounding may go; texts name their unit, numbers have it in their key."""
    match = _DURATION.match(name)
    if match is None:
        return None
    plain = number(value)
    if plain is not None and match.group(1):
        unit = _SECONDS[match.group(1)]
        return plain * unit, max(unit if plain == int(plain) else unit / 10, 1.0)
    if isinstance(value, str) and len(value) < 60:
        parts = [q for q in quantities(value) if q.dimension == "time"]
        if parts and len(parts) == len(quantities(value)):
            return sum(q.base for q in parts) / 1000, max(2 * parts[-1].step / 1000, 1.0)
    return None


def _span(members: Mapping[str, object]) -> tuple[str, str, float] | None:
    for first, last in SPANS[:9]:
        start, end = moment(members.get(first)), moment(members.get(last))
        if start and end and same_kind(members[first], members[last]):
            return first, last, (end - start).total_seconds()
    return None


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"


@claim_rule(
    "time/longer-than-elapsed",
    "warning",
    "A track is said to have taken longer than the time between its start and its saved context.",
    example=(
        parent(
            timestamp="2025-03-01T09:30:00Z", parallel_tasks=[{"task_id": "api", "started_at": "2025-03-01T09:30:00Z"}]
        ),
        track("api"),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "duration_minutes": 50}]}),
    ),
    clean=(
        parent(
            timestamp="2025-03-01T09:30:00Z", parallel_tasks=[{"task_id": "api", "started_at": "2025-03-01T09:30:00Z"}]
        ),
        track("api"),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "duration_minutes": 30}]}),
    ),
)
def longer_than_elapsed(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare each task's duration with its planned start and its track's timestamp; a minute is rounding."""
    starts = planned_starts(documents)
    for document in documents.revisions:
        for index, raw in enumerate(sequence(mapping(document.data.get("parallel_execution_summary")).get("tasks"))):
            task = mapping(raw)
            track_document = documents.track.get(text(task.get("task_id")))
            start = starts.get(text(task.get("task_id")))
            if track_document is None or track_document.timestamp is None or start is None:
                continue
            holder, where, begun = start
            elapsed = (track_document.timestamp - begun).total_seconds()
            for name, value in task.items():
                stated = _duration(name, value)
                if stated is not None and stated[0] > elapsed + max(stated[1], 60.0):
                    yield doubt(
                        "time/longer-than-elapsed",
                        f"{name} says {_minutes(stated[0])}, and only {_minutes(elapsed)} passed until it was saved",
                        (
                            document.source(("parallel_execution_summary", "tasks", index, name)),
                            holder.source(where),
                            track_document.source(("timestamp",)),
                        ),
                    )
