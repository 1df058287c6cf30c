"""`plait resume`: the whole road again, from the store alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.run_options import Fresh, RepositoryOption, Rerun, Ui
from flows.cli.session import Given


def resume(
    workflow_id: str,
    /,
    *,
    spec_dir: Annotated[Path | None, Parameter(help="The spec's folder, where a program of it must run again.")] = None,
    fresh: Fresh = False,
    rerun: Rerun = (),
    repository: RepositoryOption = None,
    ui: Ui = False,
    session: Given,
) -> int:
    """Run a workflow again from the store alone: its spec is in it.

    Args:
        workflow_id: The workflow.
    """
    from flows.cli.lookup import revisions_of
    from flows.cli.watched_run import run_watched

    if not session.in_block:
        revisions_of(session.contexts(), workflow_id)

    return run_watched(
        session,
        workflow_id,
        (),
        ui=ui,
        workflow_id=workflow_id,
        spec_dir=str(spec_dir.absolute()) if spec_dir else None,
        repository=repository,
        fresh=fresh,
        rerun=rerun,
    )
