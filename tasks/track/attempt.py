"""One attempt at a track: what it is made from, what it left, and the record of all attempts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contexts.documents.base import JsonObject, now
from contexts.documents.records import Attempt, Execution, Spent
from contexts.failpoints import failpoint
from contexts.json.values import section
from contexts.plan.inputs_digest import Inputs
from contexts.spec.model import Track
from contexts.store.contexts import ContextStore, track_document
from contexts.store.gathered import GatheredObjects
from tasks.agents.backend import Backend, Delivery
from tasks.run import budget as spending
from tasks.run.run import Run
from tasks.track.document import describe_unfinished


@dataclass(slots=True)
class Trial:
    """One attempt while it is made; what it leaves is put into ``store``, and gathered there."""

    run: Run
    track: Track
    backend: Backend
    inputs: Inputs
    needed: Mapping[str, JsonObject]
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
        self, status: str, left: JsonObject | None, delivery: Delivery | None = None, **more: Any
    ) -> Execution:
        """Return the record of all attempts with this one as it stands and what the agent has left."""
        spent = spending.add(self.spent, spending.reported(left))
        self.run.ledger.note(self.track.task_id, spent)
        attempt = Attempt(
            number=self.number,
            status=status,
            seconds=round(time.monotonic() - self.started, 3),
            started_at=self.started_at,
            exit_code=delivery.exit_code if delivery else None,
            reason=(delivery.reason or None) if delivery else None,
            log=more.pop("log", None),
        )
        attempts = [*self.tried, attempt]
        return Execution(
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
            **more,
        )

    def save_checkpoint(self, left: JsonObject) -> None:
        """Save what the agent has left so far."""
        document = describe_unfinished(
            self.run, self.track, "running", self.execution("running", left), checkpoint=left
        )
        failpoint("checkpoint.before-save")
        self.run.save(track_document(self.track.task_id), document, at_once=True)
        failpoint("checkpoint.after-save")


def earlier_attempts(earlier: JsonObject | None, inputs: str) -> tuple[list[Attempt], JsonObject | None]:
    """Return the attempts made at the same inputs so far, and the last checkpoint they left."""
    execution = section(earlier or {}, "execution")
    if not earlier or earlier.get("status") == "completed" or execution.get("inputs") != inputs:
        return [], None
    return [Attempt.model_validate(one) for one in execution["attempts"]], earlier.get("checkpoint")
