"""Tag the flow run with its workflow, so that the UI and automations find all runs of one."""

from __future__ import annotations

import logging

from httpx import HTTPError
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError

from tasks.run import Run

_log = logging.getLogger(__name__)


def tag_flow_run(run: Run) -> None:
    """Give the flow run the tags ``plait`` and ``workflow:ID``, and the workflow's name.

    A label is not worth a run: where the server does not take it, that is logged and the run goes on.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    tags = sorted({*context.flow_run.tags, "plait", f"workflow:{run.workflow_id}"})
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run(context.flow_run.id, name=run.workflow_id, tags=tags)
    except (HTTPError, PrefectHTTPStatusError) as error:
        _log.warning("the server did not take the tags of %s: %s", run.workflow_id, error)
