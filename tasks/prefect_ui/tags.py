"""Tag the flow run with its workflow, so that the UI and automations find all runs of one."""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext

from tasks.prefect_ui.ornaments import Ornaments


def tag_flow_run(workflow_id: str, ornaments: Ornaments) -> None:
    """Give the flow run the tags ``plait`` and ``workflow:ID``, and the workflow's name, as soon as the server can."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    flow_run = context.flow_run
    tags = sorted({*flow_run.tags, "plait", f"workflow:{workflow_id}"})

    def send() -> None:
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, name=workflow_id, tags=tags)

    ornaments.add("tags", send)
