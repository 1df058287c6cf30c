"""What is different when a flow runs from a deployment: somebody else asked for it, so it may not name everything."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from uuid import uuid4

from prefect.exceptions import CancelledRun, MissingResult, ObjectNotFound
from prefect.runtime import deployment, flow_run

from contexts.errors import PlaitError
from contexts.leases.record import UPKEEP
from contexts.spec.request import RunRequest
from flows.deployments.own_process import outlive_worker
from flows.deployments.permissions import check_allowed, check_store, read_allowed
from tasks.prefect_ui.markdown import words


def refuse_unless_allowed(request: RunRequest) -> RunRequest:
    """Let a run of one's own do anything, and a deployed one what the worker's owner allows.

    Returns:
        What the run is to go on with: of a deployed run, paths as they were looked at.

    Raises:
        InputError: A deployed run names a spec, store or repository that is not allowed.
    """
    if deployment.id:  # the server's word, however this flow was called: what is allowed hangs on it
        _tell_endings_in_sentences()
        here = Path.cwd()
        return check_allowed(request, read_allowed(os.environ, here), here)
    return request


def refuse_store_unless_allowed(store: str | None) -> str | None:
    """As `refuse_unless_allowed`, for the flows that only name a store.

    Returns:
        The store to open.

    Raises:
        InputError: A deployed run names a store that is not allowed.
    """
    if deployment.id:  # same
        outlive_worker()
        _tell_endings_in_sentences()
        here = Path.cwd()
        return check_store(store, read_allowed(os.environ, here), here)
    return store


_NO_EXCEPTION = re.compile(
    r"Unexpected result for failed state: ContextRef\(.*cannot be resolved into an exception", re.DOTALL
)


class _Sentences(logging.Filter):
    """Takes the traceback from what ends on purpose: whoever watches a worker would take it for a crash."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, PlaitError | CancelledRun):
            record.exc_info = None
            record.msg, record.args = "%s", (words(error, 4_000),)
        elif isinstance(error, MissingResult):
            # The server took the run's end, was not heard, and gave back that state without what belongs to it.
            record.exc_info = None
            record.msg, record.args = "The run ended as its state says, and its context is stored", ()
        elif isinstance(error, ObjectNotFound):
            record.exc_info = None
            record.msg, record.args = "The flow run was deleted in Prefect; what was finished is stored", ()
        elif isinstance(error, TypeError) and _NO_EXCEPTION.fullmatch(str(error)):
            # Prefect looks for an exception in a failed state, where a run's last context is.
            record.exc_info = None
            record.msg, record.args = "The run ended as its state says, and its context is stored", ()
        return True


_SENTENCES = _Sentences()


def _tell_endings_in_sentences() -> None:
    for name in ("prefect.engine", "prefect.flow_runs", "prefect.task_runs"):
        logger = logging.getLogger(name)
        if not logger.isEnabledFor(logging.DEBUG):
            logger.addFilter(_SENTENCES)


def lease_owner() -> str:
    """Name the holder of a lease: the flow run, so that whoever finds the lease finds the run."""
    return str(flow_run.id) if flow_run.id else uuid4().hex


def upkeep_owner() -> str:
    """Name the holder of a lease that does upkeep: its death interrupts nothing of the workflow."""
    return f"{UPKEEP}{lease_owner()}"
