"""Save a person's ruling as the next revision of a workflow's context, under the workflow's lease."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from contexts.documents.base import now
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.errors import InputError, LeaseHeld, RunInterrupted
from contexts.leases.held import held_lease
from contexts.leases.record import UPKEEP
from contexts.store.contexts import CONTEXT, ContextStore


def amend(store: ContextStore, workflow_id: str, change: Callable[[Context, str], Context]) -> ContextRef:
    """Change the newest context by a ruling, and save it.

    Args:
        store: The store.
        workflow_id: The workflow.
        change: Takes the newest context and the present instant, and returns the new context.

    Raises:
        LeaseHeld: A run owns the workflow; nothing was changed.
        RunInterrupted: The last run died before its end, and whoever restarts such runs must go on seeing that.
        InputError: The ruling does not fit the document, or a run is needed first.
        NotFound: The workflow is not in the store.
    """
    store.require(workflow_id)  # a lease on something that is not there would only leave an object behind
    try:
        owner = f"{UPKEEP}edit-{uuid4().hex[:12]}"
        with held_lease(store.objects, workflow_id, owner=owner, only_ended=True) as lease:
            lease.end_reason = lease.before.end_reason if lease.before else None
            newest = store.require(workflow_id)
            context = newest.context
            if context.phase == "parallel-execution":
                raise InputError(
                    f"the last run of {workflow_id} did not get to its end, so there is nothing to decide on yet: run "
                    "it again"
                )
            at = now()
            changed = change(context, at)
            lease.ensure_held_locally()
            saved = store.save(changed, workflow_id=workflow_id, name=CONTEXT, after=newest.ref.revision)
            lease.end_reason = "edited"
            return saved
    except RunInterrupted:
        raise
    except LeaseHeld as error:
        raise error.anew(
            f"{workflow_id} is being run, and a run decides by what it read at its start: {error.message}"
        ) from error
