"""Notice that a person cancelled or suspended the flow run, wherever it runs, and stop the run for that reason.

A worker sends a signal for a cancellation; for a suspension Prefect only ends the run at its next task, which may be an
hour away, and where there is no worker nobody sends anything. So the run looks for itself.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from contextvars import copy_context
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

_LOOK_EVERY = 3.0
"""Seconds between two looks: with the supervisors' ladder, agents are gone within 20 s."""
_ANSWER_WITHIN = 5.0
"""Seconds for the server to answer a look."""
_END_WITHIN = 10.0
"""Seconds a run that is over waits for its last look: Prefect's client sleeps as long as a server in trouble says."""


@contextlib.contextmanager
def heeding_people(stop: Callable[[str], None], *, every: float = _LOOK_EVERY) -> Generator[None]:
    """Stop the run when a person cancels or suspends its flow run.

    Args:
        stop: Called once, from a thread, with ``cancelled`` or ``suspended``.
        every: Seconds between two looks at the flow run.
    """
    if flow_run.id is None:
        yield
        return
    run_id = UUID(flow_run.id)
    over = threading.Event()
    # A thread begins with an empty context, and so without this run's settings: it would ask another server, or start
    # a temporary one where the environment names none.
    thread = threading.Thread(
        target=copy_context().run, args=(_look, run_id, stop, over, every), name="plait-heed", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_END_WITHIN)


def _look(run_id: UUID, stop: Callable[[str], None], over: threading.Event, every: float) -> None:
    # A client of its own: the run's retries for minutes, and is closed by whoever opened it. Each look is one try.
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(httpx_settings={"timeout": _ANSWER_WITHIN}, sync_client=True) as client,
    ):
        while not over.wait(every):
            state = _read_state(client, run_id)
            if state is not None and state.is_paused():
                stop("suspended")
                return
            if state is not None and (state.is_cancelling() or state.is_cancelled()):
                stop("cancelled")
                return


def _read_state(client: SyncPrefectClient, run_id: UUID) -> State | None:
    """Return the flow run's state; None where the server has nothing to say, and the work goes on without it."""
    try:
        return client.read_flow_run(run_id).state
    except (httpx.HTTPError, ObjectNotFound, ValueError):  # away or in trouble; the run was deleted; no Prefect answers
        return None
