"""The feature flow: initialize, tracks side by side, merge, verify, deploy, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause, TerminationSignal
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed, Suspended

from contexts.errors import RunStopped
from contexts.model.base import JsonObject
from contexts.model.refs import ContextRef
from contexts.model.request import RunRequest
from contexts.verdict import STATE_NAMES, WAITING
from flows.checks import run_checks
from flows.deployed import lease_owner, refuse_unless_allowed
from flows.deploying import deploy
from flows.form import Fresh, InlineSpec, Recordings, RepositoryName, SpecPath, StoreName, TrackIds, WorkflowId
from flows.gate import ask, going_on, waits_at_gate
from flows.merging import merge_all
from flows.schedule import run_tracks
from flows.stopping import heeding_people
from tasks.initialize import initialize
from tasks.live_progress import live_progress
from tasks.publish import publish
from tasks.run import Run, open_run
from tasks.run_check import run_check
from tasks.tagging import tag_flow_run
from tasks.verify import verify


def run_name() -> str:
    """Return what the flow run is called in the UI: the workflow, as far as its parameters tell."""
    given: dict[str, Any] = flow_run.parameters
    inline: dict[str, Any] = given.get("inline") or {}
    spec = Path(str(given.get("spec") or "feature"))
    named = given.get("workflow_id") or inline.get("workflow_id")
    return str(named or (spec.parent.name if spec.stem == "spec" else spec.stem) or spec.stem)


@flow(name="feature", flow_run_name=run_name, validate_parameters=True)
def feature(
    spec: SpecPath = None,
    workflow_id: WorkflowId = None,
    inline: InlineSpec = None,
    store: StoreName = None,
    replay: Recordings = None,
    repository: RepositoryName = None,
    fresh: Fresh = False,
    rerun: TrackIds = None,
) -> State[Any]:
    """Run one feature as parallel agent tracks, or go on with it.

    Args:
        spec: Path of the spec file, YAML or JSON, as the worker sees it; relative to the folder of the code. Give this,
            or a stored workflow, or an inline spec.
        workflow_id: Id of a workflow that is already in the store: go on with it, doing only what is unfinished.
        inline: A whole spec as an object. Workers refuse it unless they were started with PLAIT_ALLOW_INLINE=1.
        store: Where contexts are kept: a folder, s3://BUCKET/PREFIX, or block:s3-contexts/NAME. Empty for the worker's
            own.
        replay: Folder of recorded track documents that stand in for agents. Usually empty.
        repository: Path or URL of the repository, where the spec's own does not exist on the worker. Usually empty.
        fresh: Do not use what is already in the store.
        rerun: Names of tracks to run again although they are done.

    Returns:
        Completed only when every required track, check and criterion is done and good.
    """
    request = RunRequest(
        spec=spec, workflow_id=workflow_id, inline=inline, store=store, replay=replay, repository=repository,
        fresh=fresh, rerun=tuple(rerun or ()),
    )  # fmt: skip
    refuse_unless_allowed(request)
    with open_run(request, lease_owner) as run, heeding_people(run.stop):
        try:
            tag_flow_run(run)
            with run.phase("initialize"):
                parent = initialize(run)
            with run.phase("tracks"), live_progress(run) as ended:
                tracks = run_tracks(run, ended)
            with run.phase("merge"):
                merged = merge_all(run, parent, tracks)
            with run.phase("checks"):
                evidence = run_checks(run_check, run, merged, run.spec.verification.checks)
            verified = verify(run, parent, merged, evidence, tracks.outcomes)
            final = deploy(run, verified)
            publish(run, final, [("initialize", parent), ("merge", merged), ("verify", final)])
            if not waits_at_gate(run.store.load(final)):
                return _final_state(run, final)
            run.lease.end_reason = "suspended"
        except RunStopped as stop:
            run.lease.end_reason = str(stop.details["reason"])
            if run.lease.end_reason == "suspended":
                raise Pause(state=Suspended()) from stop
            return Cancelled(message=stop.message)
        except Pause:  # Prefect's own way out of a suspended run, at the start or end of a task
            run.lease.end_reason = "suspended"
            raise
        except (KeyboardInterrupt, TerminationSignal):
            return _stopped(run)
    return _through_gate(request, run, final)


def _through_gate(request: RunRequest, run: Run, final: ContextRef) -> State[Any]:
    """Ask, without the lease; then deploy what was approved, or say why not."""
    while production := waits_at_gate(run.store.load(final)):
        request = going_on(request, run)
        ask(run.store, final, production)
        with open_run(request, lease_owner) as again:
            try:
                newest, _ = again.store.require(run.workflow_id)
                final = deploy(again, newest)
                publish(again, final, [("verify", final)])
                again.lease.end_reason = "suspended" if waits_at_gate(again.store.load(final)) else None
            except (KeyboardInterrupt, TerminationSignal):
                return _stopped(again)
    return _final_state(run, final)


def _stopped(run: Run) -> State[Any]:
    run.lease.end_reason = "cancelled"
    return Cancelled(message=f"Stopped; what was finished is kept: run {run.workflow_id} again to go on")


def _final_state(run: Run, final: ContextRef) -> State[Any]:
    document: JsonObject = run.store.load(final)
    record: JsonObject = document["run"]
    message = "; ".join(record["reasons"]) or document["context_summary"]
    if record["exit_code"] in {0, WAITING}:
        # Waiting for a person is no failure; the name says that it is not the end either.
        return Completed(name=STATE_NAMES[record["status"]], message=message, data=final)
    return Failed(name=STATE_NAMES[record["status"]], message=message[:2000], data=final)
