"""`plait report`: the HTML report of a workflow, built from the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.session import Given


def report(
    workflow_id: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Where to write it.")] = None,
    force: Annotated[bool, Parameter(negative="", show_default=False, help="Write over an older file.")] = False,
    session: Given,
) -> int:
    """Write one self-contained HTML file about the newest run of a workflow.

    Args:
        workflow_id: The workflow.
    """
    from flows.cli.context_files import write_new
    from flows.cli.lookup import revisions_of
    from tasks.report import build_report

    store = session.contexts()
    revisions_of(store, workflow_id)
    ref, _ = store.require(workflow_id)
    target = output or Path(f"{workflow_id}-report.html")
    write_new(target, build_report(store, ref), force=force)
    if session.as_json:
        session.emit({"workflow_id": workflow_id, "report": str(target.absolute()), "revision": ref.revision})
    else:
        session.out().print(f"report of {ref}: {target}", markup=False, soft_wrap=True)
    return 0
