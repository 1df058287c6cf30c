"""Time: instants in the wrong order, and durations that the instants do not allow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import merged, parent, track
from contexts.audit.source_document import SourceDocument, is_data, moment
from contexts.documents.findings import Doubt
from contexts.json.values import Path, mapping, sequence, text

SPANS = (
    ("started_at", "completed_at"),
    ("started_at", "finished_at"),
    ("started_at", "ended_at"),
    ("start", "end"),
    ("start_time", "end_time"),
    ("started", "completed"),
    ("started", "finished"),
    ("started", "ended"),
    ("begin", "end"),
    ("created_at", "updated_at"),
    ("created_at", "completed_at"),
    ("queued_at", "started_at"),
    ("from", "until"),
)
_PLANNED = re.compile(
    r"estimat|plan|schedul|due|deadline|expir|until|next|eta|target|valid|retain|start_after|not_before|expected|window",
    re.IGNORECASE,
)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d")
_DATED = re.compile(r"\n\d{4}-\d")
_TIME_KEY = re.compile(r"(?:_at|timestamp|_time|date|^at|^on|^time)\Z", re.IGNORECASE)


@claim_rule(
    "time/ends-before-start",
    "warning",
    "Something ends before it starts.",
    example=(
        merged(
            parallel_execution_summary={"started_at": "2025-03-01T10:00:00Z", "completed_at": "2025-03-01T09:00:00Z"}
        ),
    ),
    clean=(
        merged(
            parallel_execution_summary={
                "started_at": "2025-03-01T10:00:00+02:00",
                "completed_at": "2025-03-01T09:00:00Z",
            }
        ),
    ),
)
def ends_before_start(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare start and end in the same object, in their own time zones."""
    for document in documents.current:
        for path, members in document.objects:
            if is_data(path):
                continue
            for first, last in SPANS:
                if first not in members or last not in members:
                    continue
                start, end = moment(members[first]), moment(members[last])
                if start and end and end < start and same_kind(members[first], members[last]):
                    yield doubt(
                        "time/ends-before-start",
                        f"{last} {members[last]} is before {first} {members[first]}",
                        (document.source((*path, last)), document.source((*path, first))),
                    )


def same_kind(one: Any, other: Any) -> bool:
    """Tell whether both instants carry an offset, or neither: a mixture cannot be ordered."""
    return _zoned(text(one)) == _zoned(text(other))


def _zoned(value: str) -> bool:
    return value.endswith(("Z", "z")) or "+" in value[10:] or "-" in value[10:]


@claim_rule(
    "time/saved-before-reported",
    "warning",
    "A document was saved before something it reports as done.",
    example=(
        track("api", error_log=[{"timestamp": "2025-03-01T10:30:00Z", "agent": "a", "error": "e", "resolved": True}]),
    ),
    clean=(
        track(
            "api", error_log=[{"timestamp": "2025-03-01T11:30:00+02:00", "agent": "a", "error": "e", "resolved": True}]
        ),
    ),
    yields_to=("time/ends-before-start",),
)
def saved_before_reported(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare the document's own timestamp with every past instant in it."""
    for document in documents.current:
        saved, shown = document.timestamp, document.data.get("timestamp")
        if saved is None:
            continue
        later = [
            path
            for path, value in document.holding(_DATED)
            if not is_data(path) and path != ("timestamp",) and _reports(path, value) and _is_after(value, saved, shown)
        ]
        if later:
            yield doubt(
                "time/saved-before-reported",
                f"the document was saved at {shown}, before what it reports",
                (*(document.source(path) for path in later[:20]), document.source(("timestamp",))),
                # A plan may name the start it intends; a result cannot lie ahead.
                "note" if all(path[0] == "parallel_tasks" and path[-1] == "started_at" for path in later) else None,
            )


def _reports(path: Path, value: str) -> bool:
    if len(value) > 40 or not _INSTANT.match(value):
        return False
    keys = [part for part in path if isinstance(part, str)]
    fixture = any(
        word in " ".join(keys).lower() for word in ("test_data", "fixture", "example", "sample", "mock", "seed")
    )
    timely = bool(keys) and bool(
        _TIME_KEY.search(keys[-1]) or keys[-1] in {last for _, last in SPANS} | {first for first, _ in SPANS}
    )
    return timely and not fixture and not any(_PLANNED.search(k) for k in keys)


def _is_after(value: str, saved: datetime, shown: Any) -> bool:
    instant = moment(value)
    return instant is not None and instant > saved and same_kind(value, shown)


@claim_rule(
    "time/merged-before-track",
    "warning",
    "A merge or verification was saved before a document it is made of.",
    example=(track("api", timestamp="2025-03-01T11:30:00Z"), merged(decisions=[])),
    clean=(track("api", timestamp="2025-03-01T12:30:00+02:00"), merged(decisions=[])),
)
def merged_before_track(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare a later document's timestamp with those of the documents it builds on."""
    for stage, before in (
        ("merged", documents.tracks),
        ("verified", (*documents.at_stage("merged"), *documents.tracks)),
    ):
        for document in documents.at_stage(stage):  # pyright: ignore[reportArgumentType] - the two literals above
            saved, shown = document.timestamp, document.data.get("timestamp")
            early = [d for d in before if saved and _is_after(text(d.data.get("timestamp")), saved, shown)]
            reworked = stage == "verified" and any(d.timestamp and d.stage == "merged" for d in early if not d.task_id)
            if early and (stage == "merged" or reworked or not documents.at_stage("merged")):
                yield doubt(
                    "time/merged-before-track",
                    f"saved at {shown}, before {', '.join(d.name for d in early[:4])}, which it builds on",
                    (document.source(("timestamp",)), *(d.source(("timestamp",)) for d in early)),
                )


def planned_starts(documents: DocumentSet) -> Mapping[str, tuple[SourceDocument, Path, datetime]]:
    """Return when the plan says each track began: the planning document, the place in it, and the instant."""
    if documents.plan is None:
        return {}
    found_starts: dict[str, tuple[SourceDocument, Path, datetime]] = {}
    for index, raw in enumerate(sequence(documents.plan.data.get("parallel_tasks"))):
        begun = moment(mapping(raw).get("started_at"))
        if begun:
            task_id = text(mapping(raw).get("task_id"))
            found_starts[task_id] = (documents.plan, ("parallel_tasks", index, "started_at"), begun)
    return found_starts


@claim_rule(
    "time/track-before-start",
    "warning",
    "A track's document was saved before the track, or its workflow, began.",
    example=(
        parent(
            parallel_tasks=[{"task_id": "api", "started_at": "2025-03-01T10:30:00Z"}], timestamp="2025-03-01T10:30:00Z"
        ),
        track("api"),
    ),
    clean=(
        parent(
            parallel_tasks=[{"task_id": "api", "started_at": "2025-03-01T09:30:00Z"}], timestamp="2025-03-01T09:30:00Z"
        ),
        track("api"),
    ),
)
def track_before_start(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare every track's timestamp with its planned start."""
    starts = planned_starts(documents)
    for document in documents.tracks:
        start = starts.get(document.task_id)
        if start is None or document.timestamp is None:
            continue
        holder, where, begun = start
        if document.timestamp < begun and same_kind(document.data.get("timestamp"), holder.source(where).quote):
            yield doubt(
                "time/track-before-start",
                f"{document.name} was saved before its track began",
                (document.source(("timestamp",)), holder.source(where)),
            )


@claim_rule(
    "time/unreadable",
    "warning",
    "A timestamp is no instant of the calendar.",
    example=(track("api", timestamp="2025-02-30T10:00:00Z"),),
    clean=(track("api", timestamp="2025-02-28T10:00:00Z"),),
)
def unreadable(documents: DocumentSet) -> Iterator[Doubt]:
    """Try every member that looks like an ISO 8601 instant."""
    for document in documents.current:
        wrong = [
            path
            for path, value in document.holding(_DATED)
            if not is_data(path) and path and isinstance(path[-1], str) and _TIME_KEY.search(path[-1])
            and len(value) <= 40 and re.match(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}|\Z)", value)
            and moment(value) is None
        ]  # fmt: skip
        if wrong:
            yield doubt("time/unreadable", "no instant of the calendar", (document.source(path) for path in wrong[:20]))
