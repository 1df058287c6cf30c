"""One attempt at a track: what it is made from, what it left, and the record of all attempts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from contexts.documents.base import JsonObject, now
from contexts.documents.context import Context
from contexts.documents.records import Attempt, Execution, Spent
from contexts.documents.refs import BlobRef
from contexts.failpoints import failpoint
from contexts.plan.inputs_digest import Inputs
from contexts.spec.model import Track
from contexts.store.contexts import ContextStore, track_document
from contexts.store.gathered import GatheredObjects
from tasks.agents.backend import Backend, Delivery
from tasks.run import budget as spending
from tasks.run.track_runtime import TrackRuntime
from tasks.track.document import describe_unfinished
from tasks.track.workspace import Work


@dataclass(slots=True)
class Trial:
    """One attempt while it is made; what it leaves is put into ``store``, and gathered there."""

    run: TrackRuntime
    track: Track
    backend: Backend
    inputs: Inputs
    needed: Mapping[str, Context]
    tried: list[Attempt]
    checkpoint: JsonObject | None
    spent: Spent
    started_at: str
    started: float
    store: ContextStore
    gathered: GatheredObjects

    @property
    def number(self) -> int:
        """Its number among the attempts at these inputs, from 1."""
        return len(self.tried) + 1

    def execution(
        self,
        status: str,
        left: JsonObject | None,
        delivery: Delivery | None = None,
        *,
        log: BlobRef | None = None,
        result: str | None = None,
        work: Work | None = None,
    ) -> Execution:
        """Return the record of all attempts with this one as it stands and what the agent has left."""
        spent = spending.add(self.spent, spending.reported((left or {}).get("usage")))
        self.run.ledger.note(self.track.task_id, spent)
        attempt = Attempt(
            number=self.number,
            status=status,
            seconds=round(time.monotonic() - self.started, 3),
            started_at=self.started_at,
            exit_code=delivery.exit_code if delivery else None,
            reason=(delivery.reason or None) if delivery else None,
            log=log,
        )
        attempts = [*self.tried, attempt]
        execution = Execution(
            inputs=self.inputs.digest,
            parts=dict(self.inputs.parts),
            backend=self.backend.name,
            started_at=attempts[0].started_at,
            completed_at=None if status == "running" else now(),
            seconds=round(sum(one.seconds for one in attempts), 3),
            attempts=attempts,
            reason=attempt.reason,
            run_id=self.run.id,
            spent=spent,
        )
        execution = execution.changed(result=result) if result else execution
        return work.recorded_in(execution) if work else execution

    def save_checkpoint(self, left: JsonObject) -> None:
        """Save what the agent has left so far."""
        execution = self.execution("running", left)
        context = describe_unfinished(self.run, self.track, "running", execution, checkpoint=left)
        failpoint("checkpoint.before-save")
        self.run.save(track_document(self.track.task_id), context, at_once=True)
        failpoint("checkpoint.after-save")


def earlier_attempts(earlier: Context | None, inputs: str) -> tuple[list[Attempt], JsonObject | None]:
    """Return the attempts made at the same inputs so far, and the last checkpoint they left."""
    execution = earlier.execution if earlier else None
    if earlier is None or execution is None or earlier.status == "completed" or execution.inputs != inputs:
        return [], None
    return list(execution.attempts), earlier.checkpoint
