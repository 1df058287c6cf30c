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


SHOWN_ALONE = frozenset({"differing-decisions", "differing-statuses"})
"""Kinds of concerns that show what tracks said side by side; they ask nobody, and nothing waits for them."""


class Concern(Lenient):
    """What the merge could not settle alone, or what tracks said differently.

    Attributes:
        kind: What it is about; those of `SHOWN_ALONE` are shown side by side and ask nothing.
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

    @property
    def asks(self) -> bool:
        """Tell whether it is one that a person may settle."""
        return self.kind not in SHOWN_ALONE


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
