"""`plait run` and `plait resume`: the whole road, watched."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.spec.model import Spec
    from contexts.spec.request import RunRequest
    from flows.launch import RunReport

INTERRUPTED = 130
Rerun = Annotated[
    tuple[str, ...],
    Parameter(negative="", show_default=False, help="Do this track again; may be given several times."),
]
Fresh = Annotated[bool, Parameter(negative="", show_default=False, help="Do everything again.")]
_Ui = Annotated[
    bool,
    Parameter(
        negative="",
        show_default=False,
        help="Show it in Prefect's UI: use the server here, or start one that stays.",
    ),
]
RepositoryOption = Annotated[str | None, Parameter(help="Folder or URL of the repository, instead of the spec's.")]


def run(
    spec: Path,
    /,
    *,
    replay: Annotated[Path | None, Parameter(help="Play back the context files of this folder.")] = None,
    fresh: Fresh = False,
    rerun: Rerun = (),
    repository: RepositoryOption = None,
    ui: _Ui = False,
    session: Given,
) -> int:
    """Run or resume a workflow here: what is finished and unchanged is reused.

    Args:
        spec: The spec, YAML or JSON.
    """
    from contexts.spec.load import load_spec

    loaded = load_spec(spec)
    check_tracks(rerun, loaded.spec)

    return _watch(
        session,
        loaded.spec.workflow_id,
        [track.task_id for track in loaded.spec.parallel_tasks],
        ui=ui,
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
    spec_dir: Annotated[Path | None, Parameter(help="The spec's folder, where a program of it must run again.")] = None,
    fresh: Fresh = False,
    rerun: Rerun = (),
    repository: RepositoryOption = None,
    ui: _Ui = False,
    session: Given,
) -> int:
    """Run a workflow again from the store alone: its spec is in it.

    Args:
        workflow_id: The workflow.
    """
    from flows.cli.lookup import revisions_of

    if not session.in_block:
        revisions_of(session.contexts(), workflow_id)

    return _watch(
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


def check_tracks(task_ids: Iterable[str], spec: Spec) -> None:
    """Make sure that the spec has these tracks."""
    from contexts.errors import InputError

    known = [track.task_id for track in spec.parallel_tasks]
    for task_id in task_ids:
        if task_id not in known:
            near = get_close_matches(task_id, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known[:12])}"
            raise InputError(f"--rerun {task_id}: the spec has no such track; {hint}", name=task_id)


def _watch(session: Given, title: str, task_ids: Iterable[str], *, ui: bool, **asked: Any) -> int:
    """Run with the progress on the screen, then say what came of it."""
    from contexts.spec.request import RunRequest
    from flows.cli.startup import prepare_for_prefect
    from flows.cli.terminal.streams import LossyStream
    from flows.cli.terminal.watch import prefect_kept_apart, said_afterwards, watched
    from tasks.run.preflight import check_early

    request = RunRequest(store=session.store_url, **asked)
    check_early(request)  # Prefect takes seconds to import, its server more, and bad input must not wait for them
    prepare_for_prefect()
    out = LossyStream(sys.stdout)  # a pager that is closed ends no run
    console = None if session.as_json else session.out(out)
    name = ""
    try:
        starting = "starting" if _choose_server(session, ui=ui) else "starting a Prefect server first (some 20 s)"
    except KeyboardInterrupt:
        session.note("plait: interrupted; nothing had begun")
        return INTERRUPTED
    try:
        with said_afterwards() as later, watched(title, task_ids, console, starting) as board:
            try:
                # Inside, because Prefect takes seconds to import.
                with prefect_kept_apart(console, debug=session.debug, later=later):
                    report = _launch(request, session)
            finally:
                name = board.workflow_id
    except KeyboardInterrupt:
        hint = f"`plait resume {name}` goes on from there" if name else "nothing had begun"
        session.note(f"plait: interrupted; what was finished is kept, and {hint}")
        return INTERRUPTED
    if console is None:
        session.emit(report.to_json())
    else:
        from flows.cli.terminal.summary import print_summary

        print_summary(console, report, store_url=session.store_url)
    if out.error:
        raise out.error
    if _answered(session, report):
        return _watch(session, title, task_ids, ui=ui, **{**asked, "fresh": False, "rerun": ()})
    return report.exit_code


def _answered(session: Given, report: RunReport) -> bool:
    """Ask at a gate, where there is one and somebody to ask; say whether the run can go on."""
    if report.status not in {"waiting-for-approval", "deployment-unknown", "deployment-failed"}:
        return False
    from flows.cli.commands.approve import ask_here

    return ask_here(session, report.workflow_id)


def _choose_server(session: Given, *, ui: bool) -> bool:
    """Decide which Prefect server the run reports to, and say so where it is not the configured one.

    Returns:
        Whether there is one; else the run is to start its own.

    Raises:
        ServerUnreachable: The configured server is not there, or a new one did not start.
    """
    from flows.cli.prefect_server.server import check_answers, configured, running_here, start_or_reuse

    def say(text: str) -> None:
        if not session.as_json:
            session.note(f"plait: {text}")

    url = configured()
    if url:
        check_answers(url)
        return True
    url = running_here()
    if not url and ui:
        url, started = start_or_reuse(lambda: say("starting a Prefect server in the background"))
        if started:
            say("it keeps running, and keeps the history of every run; `prefect server stop` ends it")
    if url:
        os.environ["PREFECT_API_URL"] = url
    else:
        say(
            "no Prefect server: this run starts one for itself and stops it; "
            "to see runs in a browser and keep their history at hand, add --ui"
        )
    return bool(url)


def _start_server() -> None:
    from flows.cli.prefect_server.temporary import start_where_needed

    start_where_needed()


def _launch(request: RunRequest, session: Given) -> RunReport:
    """Run, and say in our own terms that a disk is full, or that Prefect's server cannot be reached.

    Raises:
        NotFound: A block's store lacks the workflow to resume.
        StoreError: A disk is full.
        ServerUnreachable: The server did not answer or did not start.
    """
    from httpx import HTTPError
    from prefect.exceptions import ObjectNotFound

    from contexts.errors import ServerUnreachable
    from contexts.full_disk import full, is_full, without_room
    from flows.cli.lookup import revisions_of
    from flows.cli.prefect_server.server import configured, home
    from flows.launch import launch

    places = written_to()
    advice = (
        "start one with `prefect server start` and name it in PREFECT_API_URL, or unset that; `plait doctor` checks"
    )
    try:
        if not configured() and without_room([home()]):
            raise full([home()], "the Prefect server of this run keeps its database there")
        _start_server()
        if request.workflow_id is not None and session.in_block:
            revisions_of(session.contexts(), request.workflow_id)
        return launch(request)
    except OSError as error:
        # Where no name is left for a temporary file, Python says that there is no folder for one.
        nowhere = isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error)
        if is_full(error) or (nowhere and without_room(places)):
            raise full([*([Path(str(error.filename))] if error.filename else []), *places]) from error
        raise
    except (HTTPError, ObjectNotFound) as error:
        if not configured() and without_room([home()]):
            raise full([home()], "the Prefect server of this run keeps its database there") from error
        where = f" at {configured()}" if configured() else ""
        said = str(error) or type(error).__name__
        raise ServerUnreachable(f"the Prefect server{where} does not answer as it should ({said}); {advice}") from error
    except RuntimeError as error:
        # Prefect has no class of its own for these two.
        if "Prefect API server" in str(error) or "Failed to reach API" in str(error):
            raise ServerUnreachable(f"the Prefect server cannot be reached; {advice}") from error
        raise


def written_to() -> list[Path]:
    """Return the folders a run writes to, beside its store."""
    import tempfile

    from flows.cli.prefect_server.server import home
    from tasks.run.workspaces import workspaces_folder

    try:
        temporary = [Path(tempfile.gettempdir())]
    except FileNotFoundError:  # none of them takes a file
        temporary = [Path(os.environ.get("TMPDIR") or "/tmp")]  # noqa: S108 it is only looked at
    return [workspaces_folder(), *temporary, home()]
