"""Start the feature flow from this process, and say how it ended."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict

from contexts.documents.base import JsonObject
from contexts.documents.records import TrackRecord
from contexts.documents.refs import ContextRef
from contexts.errors import DocumentError, PlaitError, RunStopped, ServerUnreachable
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.url import open_objects
from contexts.verification.open_items import open_items
from contexts.verification.verdict import remarks_on
from tasks.run.progress import SERVER_LOGGER, Progress, report
from tasks.run.run import REPORT, RESULT
from tasks.run.workspaces import workspace_root

_log = logging.getLogger(SERVER_LOGGER)


class TrackLine(BaseModel):
    """One track of a finished run."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    status: str
    reused: bool
    attempts: int
    seconds: float
    reason: str | None = None

    @classmethod
    def of(cls, record: TrackRecord) -> TrackLine:
        """Return what is said of a track at the end."""
        return cls(
            task_id=record.task_id,
            status=record.status,
            reused=record.reused,
            attempts=record.attempts,
            seconds=record.seconds,
            reason=record.reason,
        )


class RunReport(BaseModel):
    """How a run ended.

    Attributes:
        status: The verdict.
        exit_code: As the command line returns it.
        context: The final context.
        report: Where the report is, if one was written.
        reasons: Why the run is not simply verified.
        remarks: What is to be said of checks that passed.
        checks: How many checks ended how, by status; none where none was run.
        branch: The branch delivered to the user's repository.
        result: Folder with the integrated files, where there is no such repository.
        workspace_root: Folder with the workspaces that were kept.
        address: The run's page in the Prefect UI, where a server outlives the run.
        concerns: How many integration concerns are open.
        blocking: Names of the blocking findings that nobody has waived.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    status: str
    exit_code: int
    tracks: tuple[TrackLine, ...]
    context: ContextRef | None
    report: str | None
    reasons: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    checks: tuple[tuple[str, int], ...] = ()
    branch: str | None
    result: str | None = None
    workspace_root: str
    address: str | None = None
    concerns: int = 0
    blocking: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the object ``plait run --json`` prints last."""
        context = self.context
        return {
            "workflow_id": self.workflow_id,
            "status": self.status,
            "tracks": [line.model_dump(exclude={"reason"}) for line in self.tracks],
            "context": context.model_dump(include={"document", "revision", "sha256"}) if context else None,
            "report": self.report,
        }


def launch(request: RunRequest) -> RunReport:
    """Run the feature flow in this process.

    Raises:
        PlaitError: The input or the store cannot be used.
        ServerUnreachable: The run is over, and the server did not take its end.
        RunStopped: Its flow run was suspended or deleted; it can be resumed.
        KeyboardInterrupt: The run was stopped; it can be resumed.
    """
    # Prefect takes seconds to import, and bad input must not wait for it.
    from httpx import HTTPError  # noqa: PLC0415
    from prefect.exceptions import Abort, ObjectNotFound, Pause  # noqa: PLC0415

    from flows.asked import asking  # noqa: PLC0415
    from flows.feature import feature  # noqa: PLC0415
    from flows.phases.ending import known_ending  # noqa: PLC0415

    state: Any = None
    with known_ending() as ending, asking(request) as shown:
        try:
            parameters = {**shown.model_dump(), "rerun": list(shown.rerun)}
            state = feature.with_options(on_running=[_say_where])(**parameters, return_state=True)
        except Pause as pause:
            raise RunStopped(
                "the run was suspended; what was finished is kept, and resuming goes on from it", reason="suspended"
            ) from pause
        except (HTTPError, ObjectNotFound, Abort) as error:
            if ending.stop:
                raise _stopped(ending.stop) from error
            if not ending.final:
                raise
            if isinstance(error, HTTPError):
                raise _unreported(request, ending.final) from error
            _log.warning("the flow run was deleted or ended in Prefect meanwhile, which changes nothing of the result")
    if ending.stop:
        raise _stopped(ending.stop)
    if ending.final:  # of the state's data there may be none: a server that is asked twice gives back its own state
        return describe_run(request, ending.final, address=_address(state.state_details.flow_run_id) if state else None)
    result: Any = state.result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    if state.is_cancelled():
        raise KeyboardInterrupt
    raise PlaitError(f"the run ended as {state.name}: {state.message}")


def _stopped(stop: RunStopped) -> BaseException:
    """Return what a run ends with that a person stopped: Ctrl-C is said by whoever heard it."""
    return stop if stop.reason == "deleted" else KeyboardInterrupt()


def _unreported(request: RunRequest, final: ContextRef) -> ServerUnreachable:
    """Return the error for a run that is over and saved, but whose end the server does not take."""
    from prefect.settings import get_current_settings  # noqa: PLC0415 as above

    where = get_current_settings().api.url or "the one it had started for itself"
    status = ContextStore(open_objects(request.store)).load_context(final).run_record.status
    return ServerUnreachable(
        f"the run is over and saved as {status}, but its end could not be reported: the Prefect server at {where} does "
        f"not answer any more (PREFECT_API_URL); `plait show {final.workflow_id}` has the result"
    )


def _say_where(flow: object, flow_run: Any, state: object) -> None:
    """Report the page of a run that has begun; Prefect calls it."""
    del flow, state
    address = _address(flow_run.id)
    if address:
        report(Progress(flow_run.name, "run", address, "running"))


def _address(flow_run_id: Any) -> str | None:
    from prefect.settings import get_current_settings  # noqa: PLC0415 as above
    from prefect.utilities.urls import url_for  # noqa: PLC0415 as above

    # A server that a run starts for itself has no pages, and is gone afterwards.
    return url_for("flow-run", obj_id=flow_run_id) if flow_run_id and get_current_settings().api.url else None


def describe_run(request: RunRequest, final: ContextRef, *, address: str | None = None) -> RunReport:
    """Return the report of a finished run from its final context."""
    store = ContextStore(open_objects(request.store))
    context = store.load_context(final)
    record = context.run_record
    if record.exit_code is None:
        raise DocumentError(f"{final} does not say how its run ended; run it again", document=str(final))
    root = workspace_root(store, final.workflow_id)
    page, result = root / REPORT, root / RESULT
    still_open = open_items(context)
    return RunReport(
        workflow_id=final.workflow_id,
        status=record.status,
        exit_code=record.exit_code,
        tracks=tuple(TrackLine.of(one) for one in record.tracks or ()),
        context=final,
        report=str(page) if page.is_file() else None,
        reasons=tuple(record.reasons or ()),
        remarks=tuple(remarks_on(context.evidence or ())),
        checks=tuple(sorted(Counter[str](one.status for one in context.evidence or ()).items())),
        branch=record.branch,
        result=str(result) if result.is_dir() and not record.branch else None,
        workspace_root=str(root),
        address=address,
        concerns=sum(one.kind == "concern" for one in still_open),
        blocking=tuple(one.name for one in still_open if one.kind == "finding" and one.status == "blocking"),
    )
