"""Notice that a person cancelled, suspended or deleted the flow run, wherever it runs, and stop the run for it.

A worker sends a signal for a cancellation; for a suspension Prefect only ends the run at its next task, which may be an
hour away; for a deletion, and where there is no worker, nobody sends anything. So the run looks for itself.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator
from contextvars import copy_context
from enum import Enum
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from contexts.errors import StopReason
from contexts.json.values import mapping
from tasks.run.joining import join, nobody_hurries
from tasks.run.progress import SERVER_LOGGER

_log = logging.getLogger(SERVER_LOGGER)
_LOOK_EVERY = 3.0
"""Seconds between two looks: with the supervisors' ladder, agents are gone within 20 s."""
_ANSWER_WITHIN = 5.0
"""Seconds for the server to answer a look."""
_END_WITHIN = 10.0
"""Seconds a run that is over waits for its last look: Prefect's client sleeps as long as a server in trouble says."""


_TIMES_UNKNOWN = 2
"""Looks in a row at which the server must not know the flow run before that counts."""
_SILENT_SECONDS = 60.0
"""How long the server may be silent before that is said."""


@contextlib.contextmanager
def watch_cancellation(
    stop: Callable[[StopReason], None], hurried: Callable[[], bool] = nobody_hurries, *, every: float = _LOOK_EVERY
) -> Generator[None]:
    """Stop the run when a person cancels, suspends or deletes its flow run.

    Args:
        stop: Called once, from a thread, with what was done. A server that has lost its database knows no flow run
            either, and counts as one where it was deleted: nothing could be reported to it.
        hurried: Says when to wait no longer for the last look, once the block is over.
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
        join(thread, _END_WITHIN, hurried)


def _look(run_id: UUID, stop: Callable[[StopReason], None], over: threading.Event, every: float) -> None:
    # A client of its own: the run's retries for minutes, and is closed by whoever opened it. Each look is one try.
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(httpx_settings={"timeout": _ANSWER_WITHIN}, sync_client=True) as client,
    ):
        unknown = 0
        heard = time.monotonic()
        while not over.wait(every):
            found = _read_state(client, run_id)
            unknown = unknown + 1 if found is _Answer.UNKNOWN_RUN else 0
            if unknown >= _TIMES_UNKNOWN:
                stop("deleted")
                return
            if isinstance(found, _Answer):
                heard = _complain_once(client, heard) if found is _Answer.NONE else time.monotonic()
                continue
            heard = time.monotonic()
            if found.is_paused():
                stop("suspended")
                return
            if found.is_cancelling() or found.is_cancelled():
                stop("cancelled")
                return


class _Answer(Enum):
    """What a look found where it found no state."""

    NONE = "the server is away, in trouble, or no Prefect"
    UNKNOWN_RUN = "the server knows no such flow run"


def _complain_once(client: SyncPrefectClient, heard: float) -> float:
    if time.monotonic() - heard < _SILENT_SECONDS:
        return heard
    _log.warning(
        "the Prefect server at %s has not answered for a minute; the run goes on and saves what is finished, and is to "
        "report its end there (PREFECT_API_URL)",
        str(client.api_url).rstrip("/"),
    )
    return float("inf")


def _read_state(client: SyncPrefectClient, run_id: UUID) -> State | _Answer:
    """Return the flow run's state; or that there is no answer, and the work goes on without it."""
    try:
        return client.read_flow_run(run_id).state or _Answer.NONE
    except ObjectNotFound as error:
        return _Answer.UNKNOWN_RUN if _is_prefects(error.http_exc) else _Answer.NONE
    except (httpx.HTTPError, ValueError):
        return _Answer.NONE


def _is_prefects(error: Exception) -> bool:
    """Say whether Prefect itself answered "not found", not a proxy whose server is being started."""
    try:
        answer: Any = error.response.json() if isinstance(error, httpx.HTTPStatusError) else None
    except ValueError:
        return False
    return "not found" in str(mapping(answer).get("detail")).lower()
