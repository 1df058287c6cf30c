"""The feature flow: initialize, tracks side by side, merge, verify, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import allow_failure, flow, unmapped
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from contexts.model.base import JsonObject
from contexts.model.refs import BlobRef, ContextRef
from contexts.model.request import RunRequest
from flows.deployed import lease_owner, refuse_unless_allowed
from flows.form import Fresh, InlineSpec, Recordings, RepositoryName, SpecPath, StoreName, TrackIds, WorkflowId
from flows.schedule import Tracks, run_tracks
from tasks.initialize import initialize
from tasks.merge_contexts import is_stored, merge_contexts
from tasks.publish import publish
from tasks.run import Run, open_run
from tasks.run_check import run_check
from tasks.verify import verify


def run_name() -> str:
    """Name the flow run after what it builds: the stored workflow, the inline spec's id, or the spec's path."""
    parameters: dict[str, Any] = flow_run.parameters
    inline: dict[str, Any] = parameters.get("inline") or {}
    spec: str | None = parameters.get("spec")
    file = Path(spec).parent.name + "/" + Path(spec).name if spec else ""
    return str(parameters.get("workflow_id") or inline.get("workflow_id") or file or "feature")


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
    with open_run(request, lease_owner) as run:
        parent = initialize(run)
        tracks = run_tracks(run)
        merged = _merge(run, parent, tracks)
        evidence = _check(run, merged)
        final = verify(run, merged, evidence, tracks.outcomes)
        publish(run, final, [parent, merged, final])
        return _final_state(run, final)


def _merge(run: Run, parent: ContextRef, tracks: Tracks) -> ContextRef:
    waits = [allow_failure(future) for future in tracks.futures]
    merged = merge_contexts.submit(run, parent, tracks.completed, tracks.gaps, wait_for=waits).result()
    if is_stored(run, merged):
        return merged
    return merge_contexts.with_options(refresh_cache=True)(run, parent, tracks.completed, tracks.gaps)


def _check(run: Run, merged: ContextRef) -> list[BlobRef]:
    evidence: dict[str, BlobRef] = {}
    checks = run.spec.verification.checks
    together = [check.id for check in checks if check.parallel]
    futures = run_check.map(unmapped(run), unmapped(merged), together)
    for check in checks:
        if not check.parallel:
            evidence[check.id] = run_check(run, merged, check.id)
    evidence.update(zip(together, futures.result(), strict=True))
    return [evidence[check.id] for check in checks]


def _final_state(run: Run, final: ContextRef) -> State[Any]:
    document: JsonObject = run.store.load(final)
    record: JsonObject = document["run"]
    message = "; ".join(record["reasons"]) or document["context_summary"]
    if record["exit_code"] == 0:
        return Completed(message=message, data=final)
    names = {"partial": "Partial", "verification-failed": "VerificationFailed"}
    return Failed(name=names.get(record["status"], "VerificationIncomplete"), message=message[:2000], data=final)
