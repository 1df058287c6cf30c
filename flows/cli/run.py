"""`plait run` and `plait resume`: the whole road, watched."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.model.spec import Spec

INTERRUPTED = 130
_Rerun = Annotated[
    tuple[str, ...],
    Parameter(negative="", show_default=False, help="Do this track again; may be given several times."),
]
_Fresh = Annotated[bool, Parameter(negative="", show_default=False, help="Do everything again.")]
_Repository = Annotated[str | None, Parameter(help="Folder or URL of the repository, instead of the spec's.")]


def run(
    spec: Path,
    /,
    *,
    replay: Annotated[Path | None, Parameter(help="Play back the context files of this folder.")] = None,
    fresh: _Fresh = False,
    rerun: _Rerun = (),
    repository: _Repository = None,
    session: Given,
) -> int:
    """Run or resume a workflow here: what is finished and unchanged is reused.

    Args:
        spec: The spec, YAML or JSON.
    """
    from contexts.specfile import load_spec

    loaded = load_spec(spec)
    _check_tracks(rerun, loaded.spec)

    return _watch(
        session,
        loaded.spec.workflow_id,
        [track.task_id for track in loaded.spec.parallel_tasks],
        spec=str(spec.absolute()),
        replay=str(replay.absolute()) if replay else None,
        repository=repository,
        fresh=fresh,
        rerun=rerun,
    )


def resume(
    workflow_id: str,
    /,
    *,
    fresh: _Fresh = False,
    rerun: _Rerun = (),
    repository: _Repository = None,
    session: Given,
) -> int:
    """Run a workflow again from the store alone: its spec is in it.

    Args:
        workflow_id: The workflow.
    """
    from flows.cli.finding import revisions_of

    revisions_of(session.contexts(), workflow_id)

    return _watch(session, workflow_id, (), workflow_id=workflow_id, repository=repository, fresh=fresh, rerun=rerun)


def _check_tracks(task_ids: Iterable[str], spec: Spec) -> None:
    from contexts.errors import InputError

    known = [track.task_id for track in spec.parallel_tasks]
    for task_id in task_ids:
        if task_id not in known:
            near = get_close_matches(task_id, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known[:12])}"
            raise InputError(f"--rerun {task_id}: the spec has no such track; {hint}", task_id=task_id)


def _watch(session: Given, title: str, task_ids: Iterable[str], **asked: Any) -> int:
    """Run with the progress on the screen, then say what came of it."""
    from contexts.model.request import RunRequest
    from flows.cli.watching import watched

    if not session.debug:
        # Read when Prefect is first imported, which happens inside the block below.
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    console = None if session.as_json else session.out()
    name = ""
    try:
        with watched(title, task_ids, console) as board:
            try:
                # Inside, because Prefect takes seconds to import and may log while it does.
                from flows.launch import launch

                report = launch(RunRequest(store=session.store_url, **asked))
            finally:
                name = board.workflow_id
    except KeyboardInterrupt:
        hint = f"`plait resume {name}` goes on from there" if name else "nothing had begun"
        session.note(f"plait: interrupted; what was finished is kept, and {hint}")
        return INTERRUPTED
    if session.as_json:
        session.emit(report.to_json())
    else:
        from flows.cli.summary import print_summary

        print_summary(session.out(), report, store_url=session.store_url)
    return report.exit_code
