"""How a track ended in a run: what `run_track` returns to the flow."""

from __future__ import annotations

from dataclasses import dataclass

from contexts.documents.parts import TrackStatus
from contexts.documents.refs import ContextRef
from contexts.errors import TrackFailed


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """How a track ended in this run: a reference to its document and the few facts the summary needs.

    Attributes:
        seconds: Wall time of the track's attempts; for a reused track, of the run that did the work.
        started_at: When its first attempt began; of a recording, what was recorded.
        completed_at: When it was done.
        recorded: The times are those of a recording that was replayed.
    """

    task_id: str
    status: TrackStatus
    ref: ContextRef | None
    reused: bool = False
    attempts: int = 0
    seconds: float = 0.0
    reason: str = ""
    started_at: str | None = None
    completed_at: str | None = None
    recorded: bool = False


@dataclass(eq=False, repr=False, kw_only=True)
class TrackNotCompleted(TrackFailed):
    """A track that ended otherwise than completed, or was not begun; `flows.phases.tracks` takes its outcome.

    Attributes:
        outcome: How it ended.
        retryable: Whether another attempt may succeed.
    """

    outcome: TrackOutcome
    retryable: bool = False
