"""A run or its resumption with its progress on the screen: the server it reports to, its end, and what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contexts.spec.request import RunRequest
    from flows.cli.session import Session
    from flows.launch import RunReport

INTERRUPTED = 130


def run_watched(session: Session, title: str, task_ids: Iterable[str], *, ui: bool, **asked: Any) -> int:
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
        return run_watched(session, title, task_ids, ui=ui, **{**asked, "fresh": False, "rerun": ()})
    return report.exit_code


def _answered(session: Session, report: RunReport) -> bool:
    """Ask at a gate, where there is one and somebody to ask; say whether the run can go on."""
    if report.status not in {"waiting-for-approval", "deployment-unknown", "deployment-failed"}:
        return False
    from flows.cli.rulings import ask_here

    return ask_here(session, report.workflow_id)


def _choose_server(session: Session, *, ui: bool) -> bool:
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


def _launch(request: RunRequest, session: Session) -> RunReport:
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

    places = _written_to()
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


def _written_to() -> list[Path]:
    """Return the folders a run writes to, beside its store."""
    import tempfile

    from flows.cli.prefect_server.server import home
    from tasks.run.workspaces import workspaces_folder

    try:
        temporary = [Path(tempfile.gettempdir())]
    except FileNotFoundError:  # none of them takes a file
        temporary = [Path(os.environ.get("TMPDIR") or "/tmp")]  # noqa: S108 it is only looked at
    return [workspaces_folder(), *temporary, home()]
