"""Notice that a person cancelled or suspended the flow run, wherever it runs, and stop the run for that reason.

A worker sends a signal for a cancellation; for a suspension Prefect only ends the run at its next task, which may be an
hour away, and where there is no worker nobody sends anything. So the run looks for itself.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Generator

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runtime import flow_run

from tasks.run import Run

_LOOK_EVERY = 3.0
"""Seconds between two looks: with the supervisors' ladder, agents are gone within 20 s."""


@contextlib.contextmanager
def heeding_people(run: Run) -> Generator[None]:
    """Stop the run when a person cancels or suspends its flow run."""
    run_id = flow_run.id
    over = threading.Event()

    def look() -> None:
        with get_client(sync_client=True) as client:
            while not over.wait(_LOOK_EVERY):
                try:
                    state = client.read_flow_run(run_id).state
                except (httpx.HTTPError, PrefectHTTPStatusError):
                    continue  # a server that is away has nothing to say; the work goes on without it
                if state is not None and state.is_paused():
                    run.stop("suspended")
                    return
                if state is not None and (state.is_cancelling() or state.is_cancelled()):
                    run.stop("cancelled")
                    return

    # A thread begins with no context of its own, and Prefect keeps there which server it talks to.
    here = contextvars.copy_context()
    thread = threading.Thread(target=here.run, args=(look,), name="plait-heed", daemon=True)
    if run_id is not None:
        thread.start()
    try:
        yield
    finally:
        over.set()
