"""Why a run ends before its end: because a person wants it to, or because something ended it.

The difference decides what comes after: what a person stopped is left to people; what was ended by a signal, a lost
machine or a defect is started again by the sweeper. A worker sends the same signal for both, so the server is asked.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound, Pause, TerminationSignal
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Crashed, Suspended

from contexts.errors import PlaitError, RunStopped
from contexts.leases.record import INTERRUPTED
from flows.deployments.deployment_of import is_deployed
from flows.phases.ending import note_stop
from tasks.run.run import Run

_TRIES = 3
_ANSWER_WITHIN = 3.0
"""Seconds for one answer of the server: whoever asked the run to end may kill it soon."""
_BETWEEN_TRIES = 0.5
_TO_BE_CHANGED = frozenset({1, 2})
"""Exit codes of errors that come back however often a run is started: a person has to change something first."""


def reason_of(error: BaseException) -> str:
    """Return what the lease of a run ends with that an exception ends."""
    if isinstance(error, Pause):
        return "suspended"
    if isinstance(error, KeyboardInterrupt | TerminationSignal):
        return _who_ends_it()
    if isinstance(error, PlaitError) and error.exit_code in _TO_BE_CHANGED:
        return "failed"
    # Whoever types `plait run` sees it fail; nobody watches a deployed run.
    return INTERRUPTED if is_deployed() else "failed"


def reason_without_gate(error: Exception) -> str:
    """Return what the lease of a run ends with that could not ask at its gate, or not keep the answer."""
    return reason_of(error) if isinstance(error, PlaitError) else _who_ends_it()


def stopped(run: Run, stop: BaseException) -> State[Any]:
    """Return how the flow run ends that was stopped, and leave with its lease what is to come after.

    Raises:
        Pause: It was suspended, by a person or by Prefect itself at the start or end of a task.
    """
    run.cancel.set()  # at once: asking the server may take longer than whoever asked for the end lets the run live
    run.lease.end_reason = stop.end_reason if isinstance(stop, RunStopped) else reason_of(stop)
    if run.lease.end_reason == "suspended":
        raise stop if isinstance(stop, Pause) else Pause(state=Suspended()) from stop
    if isinstance(stop, RunStopped):
        note_stop(stop)
        return Cancelled(message=stop.message)
    if run.lease.end_reason == "cancelled":
        note_stop(RunStopped(f"{run.workflow_id} was stopped", reason="cancelled"))  # the server may not take the state
        return Cancelled(message=f"Stopped; what was finished is kept: run {run.workflow_id} again to go on")
    return Crashed(
        message=f"Asked to end while {run.workflow_id} was at work, and not by a person: its worker or machine goes "
        "down. What was finished is kept, and the sweeper starts it again"
    )


def _who_ends_it() -> str:
    """Return the end of the lease: a person ends a run at a terminal, a deployed one by Cancel, Suspend or Delete."""
    if not is_deployed():
        return "cancelled"
    for _ in range(_TRIES):
        try:
            with (
                temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
                get_client(httpx_settings={"timeout": _ANSWER_WITHIN}, sync_client=True) as client,
            ):
                state = client.read_flow_run(UUID(str(flow_run.id))).state
        except ObjectNotFound:
            return "cancelled"
        except (httpx.HTTPError, ValueError):  # away or in trouble, or no Prefect answers
            time.sleep(_BETWEEN_TRIES)
        else:
            if state is not None and (state.is_cancelling() or state.is_cancelled()):
                return "cancelled"
            return "suspended" if state is not None and state.is_paused() else INTERRUPTED
    return INTERRUPTED
