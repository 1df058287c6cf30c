"""What a merge adds to a workflow's document."""

from __future__ import annotations

from typing import Any

from contexts.documents.base import Instant, Lenient, Number, Open
from contexts.documents.findings import Source
from contexts.documents.refs import ContextRef


class TaskSummary(Open):
    """One track in the summary of the parallel execution."""

    task_id: str
    agent: str | None = None
    duration_minutes: Number | None = None
    status: str | None = None
    files_count: int | None = None
    test_coverage: Any = None


class ExecutionSummary(Open):
    """When the tracks ran, and how each ended."""

    started_at: Instant | None = None
    completed_at: Instant | None = None
    total_duration_minutes: Number | None = None
    tasks: list[TaskSummary] | None = None


class Settled(Open):
    """What a person chose of a concern."""

    choice: str
    by: str
    why: str
    timestamp: Instant


class Concern(Lenient):
    """What the merge could not settle alone.

    Attributes:
        settlement: What a person chose, where somebody has.
        settled_before: Choices that one superseded, oldest first.
    """

    concern: str
    status: str | None = None
    kind: str | None = None
    tracks: list[str] | None = None
    files: list[str] | None = None
    sources: list[Source] | None = None
    settlement: Settled | None = None
    settled_before: list[Settled] | None = None


class TrackContext(Open):
    """What a merged document says of one track: where its document is, or, expanded, all of it.

    Attributes:
        ref: The track document this was taken from.
        sha256: Checksum of its document, where it is known.
        status: How the track ended.
        context: Everything of the track's document that has no merged list of its own: contract, details, data.
    """

    ref: ContextRef | None = None
    sha256: Any = None
    status: str | None = None
    context: dict[str, Any] | None = None


class Omission(Open):
    """Something a merge did not take over, and why."""

    what: str
    why: str
    task_id: str | None = None
    pointer: str | None = None
    value: Any = None
