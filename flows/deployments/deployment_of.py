"""Which deployment a flow run is of, as its process knows.

Prefect's runtime asks the server for it each time, with a client made for that. A run that is being stopped does not
wait for a server, which may be gone.
"""

from __future__ import annotations

import os

from prefect.context import FlowRunContext
from prefect.runtime import deployment

_OVERRIDE = "PREFECT__RUNTIME__DEPLOYMENT__ID"
"""Prefect's own variable for what its runtime says instead."""


def is_deployed() -> bool:
    """Say whether this process runs a flow run of a deployment."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return bool(os.environ.get(_OVERRIDE) or (run and run.deployment_id))


def deployment_id() -> str | None:
    """Return the id of the deployment this flow run is of; a flow that another one called is of that one's."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or run.parent_task_run_id or os.environ.get(_OVERRIDE):
        return deployment.id
    return str(run.deployment_id) if run.deployment_id else None
