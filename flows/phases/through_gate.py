"""A run at its gate: it asks without the lease, and deploys what was approved."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.exceptions import Pause, TerminationSignal

from contexts.documents.deployment import ProductionReadiness
from contexts.documents.refs import ContextRef
from contexts.errors import RunStopped
from contexts.spec.request import RunRequest
from flows.phases.deploy import deploy
from flows.phases.ending import final_state
from flows.phases.gate import ask, resume_request, waits_at_gate
from flows.phases.interruption import reason_without_gate, stopped
from flows.phases.opened import opened
from flows.phases.signals import Hearing
from tasks.publish import publish
from tasks.run.run import Run


def through_gate(
    request: RunRequest, run: Run, final: ContextRef, waiting: ProductionReadiness, hearing: Hearing
) -> State[Any]:
    """Ask, without the lease; then deploy what was approved, or say why not.

    Until the lease is held again, requests to end are held back: it says "suspended", or that an answer was saved, and
    a run that ended there would be gone on with by nobody.
    """
    while True:
        try:
            request = resume_request(request, run)
            ask(run.store, final, waiting)
        except Exception as error:
            with opened(request, hearing) as (unasked, _):
                unasked.lease.end_reason = reason_without_gate(error)
                raise
        with opened(request, hearing) as (again, ornaments):
            try:
                hearing.release()
                newest, _ = again.store.require(run.workflow_id)
                again.ensure_going()
                final = deploy(again, newest)
                publish(again, final, [("verify", final)], ornaments)
                again.ensure_going()
                production = waits_at_gate(again.store.load_context(final))
                state = final_state(again, final)
                hearing.hold()
                again.lease.end_reason = "suspended" if production else "finished"
                if not production:
                    return state
                waiting = production
            except (RunStopped, Pause, KeyboardInterrupt, TerminationSignal) as stop:
                hearing.hold()
                return stopped(again, stop)
