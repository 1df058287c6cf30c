"""The feature flow: initialize, tracks side by side, merge, verify, deploy, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause, TerminationSignal
from prefect.runtime import flow_run

from contexts.errors import LeaseHeld, RunStopped
from contexts.json.values import mapping, section
from contexts.spec.request import RunRequest
from flows.asked import meant
from flows.deployments.deployed_run import refuse_unless_allowed
from flows.deployments.form import (
    Fresh,
    InlineSpec,
    Recordings,
    RepositoryName,
    SkipAfter,
    SpecFolder,
    SpecPath,
    StoreName,
    TrackIds,
    WorkflowId,
)
from flows.deployments.own_process import move_out
from flows.deployments.scheduled import skipped_if_held, skipped_if_late
from flows.phases.checks import contract_file_evidence, run_checks
from flows.phases.deploy import deploy
from flows.phases.ending import final_state
from flows.phases.gate import waits_at_gate
from flows.phases.interruption import stopped
from flows.phases.merge import merge_all
from flows.phases.opened import opened
from flows.phases.signals import Hearing, hearing_requests
from flows.phases.through_gate import through_gate
from flows.phases.tracks import run_tracks
from tasks.initialize import initialize
from tasks.prefect_ui.live_progress import live_progress
from tasks.prefect_ui.markdown import words
from tasks.prefect_ui.tags import tag_flow_run
from tasks.publish import publish
from tasks.run_check import run_check
from tasks.verify import verify


def run_name() -> str:
    """Return what the flow run is called in the UI: the workflow, as far as its parameters tell."""
    given = mapping(flow_run.parameters)
    spec = Path(str(given.get("spec") or "feature"))
    named = given.get("workflow_id") or section(given, "inline").get("workflow_id")
    return words(named or (spec.parent.name if spec.stem == "spec" else spec.stem) or spec.stem, 200)


@flow(name="feature", flow_run_name=run_name, validate_parameters=True)
def feature(
    spec: SpecPath = None,
    workflow_id: WorkflowId = None,
    inline: InlineSpec = None,
    spec_dir: SpecFolder = None,
    store: StoreName = None,
    replay: Recordings = None,
    repository: RepositoryName = None,
    fresh: Fresh = False,
    rerun: TrackIds = None,
    skip_after: SkipAfter = 0,
) -> State[Any]:
    """Run one feature as parallel agent tracks, or go on with it.

    Args:
        spec: Path of the spec file, YAML or JSON, as the worker sees it; relative to the folder of the code. Give this,
            or a stored workflow, or an inline spec.
        workflow_id: Id of a workflow that is already in the store: go on with it, doing only what is unfinished.
        inline: A whole spec as an object. Workers refuse it unless they were started with PLAIT_ALLOW_INLINE=1.
        spec_dir: Folder of the stored workflow's spec, as the worker sees it, where something must run whose program
            lies there. Usually empty.
        store: Where contexts are kept: a folder, s3://BUCKET/PREFIX, or block:s3-contexts/NAME. Empty for the worker's
            own.
        replay: Folder of recorded track documents that stand in for agents. Usually empty.
        repository: Path or URL of the repository, where the spec's own does not exist on the worker. Usually empty.
        fresh: Do not use what is already in the store.
        rerun: Names of tracks to run again although they are done.
        skip_after: A scheduled run that begins more than so many minutes late is skipped. 0 for never.

    Returns:
        Completed only when every required track, check and criterion is done and good; Skipped where a scheduled run
        comes too late, or its workflow is being run already.
    """
    request = RunRequest(
        spec=spec, workflow_id=workflow_id, inline=inline, spec_dir=spec_dir, store=store, replay=replay,
        repository=repository, fresh=fresh, rerun=tuple(rerun or ()),
    )  # fmt: skip
    request = refuse_unless_allowed(meant(request))
    if skipped := skipped_if_late(skip_after):
        return skipped
    move_out()
    with hearing_requests() as hearing:
        try:
            return _go_through(request, hearing)
        except LeaseHeld as held:
            return skipped_if_held(held)


def _go_through(request: RunRequest, hearing: Hearing) -> State[Any]:
    with opened(request, hearing) as (run, ornaments):
        try:
            tag_flow_run(run.workflow_id, ornaments)
            with run.phase("initialize"):
                parent = initialize(run)
            with run.phase("tracks"):
                tracks = run_tracks(run, live_progress(run, ornaments))
            with run.phase("merge"):
                merged = merge_all(run, parent, tracks)
            with run.phase("checks"):
                evidence = run_checks(run_check, run, merged, run.spec.verification.checks)
                evidence += contract_file_evidence(run, merged)
            verified = verify(run, parent, merged, evidence, tracks.outcomes)
            run.ensure_going()
            final = deploy(run, verified)
            publish(run, final, [("initialize", parent), ("merge", merged), ("verify", final)], ornaments)
            run.ensure_going()
            production = waits_at_gate(run.store.load_context(final))
            state = final_state(run, final)
            hearing.hold()
            run.lease.end_reason = "suspended" if production else "finished"
        except (RunStopped, Pause, KeyboardInterrupt, TerminationSignal) as stop:
            hearing.hold()
            return stopped(run, stop)
    return through_gate(request, run, final, production, hearing) if production else state
