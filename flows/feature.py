"""The feature flow: initialize, tracks side by side, merge, verify, publish."""

from __future__ import annotations

from typing import Any, cast

from prefect import allow_failure, flow, unmapped
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.states import Cancelled, Completed, Failed

from contexts.model.base import JsonObject
from contexts.model.refs import BlobRef, ContextRef
from contexts.model.request import RunRequest
from contexts.verdict import STATE_NAMES
from flows.schedule import Tracks, run_tracks
from tasks.initialize import initialize
from tasks.merge_contexts import is_stored, merge_contexts
from tasks.publish import publish
from tasks.run import Run, open_run
from tasks.run_check import run_check
from tasks.verify import verify


@flow(name="feature", flow_run_name="{spec}{workflow_id}", validate_parameters=True)
def feature(
    spec: str | None = None,
    workflow_id: str | None = None,
    inline: dict[str, Any] | None = None,
    store: str | None = None,
    replay: str | None = None,
    repository: str | None = None,
    fresh: bool = False,
    rerun: list[str] | None = None,
) -> State[Any]:
    """Run one feature as parallel agent tracks, or go on with it.

    Args:
        spec: Path of the spec file.
        workflow_id: A workflow that is already in the store, instead of a spec.
        inline: A whole spec as an object, instead of a path.
        store: Where contexts are kept: a folder, ``s3://bucket/prefix``, or ``block:s3-contexts/NAME``.
        replay: Folder of recorded track documents that stand in for agents.
        repository: Path or URL of the repository, where the spec's own does not exist here.
        fresh: Run every track again.
        rerun: Tracks to run again.

    Returns:
        Completed only when every required track, check and criterion is done and good.
    """
    request = RunRequest(
        spec=spec, workflow_id=workflow_id, inline=inline, store=store, replay=replay, repository=repository,
        fresh=fresh, rerun=tuple(rerun or ()),
    )  # fmt: skip
    with open_run(request) as run:
        try:
            parent = initialize(run)
            tracks = run_tracks(run)
            merged = _merge(run, parent, tracks)
            evidence = _check(run, merged)
            final = verify(run, merged, evidence, tracks.outcomes)
            publish(run, final, [parent, merged, final])
            return _final_state(run, final)
        except (KeyboardInterrupt, TerminationSignal):
            run.lease.end_reason = "cancelled"
            return Cancelled(message=f"Stopped; what was finished is kept: run {run.workflow_id} again to go on")


def _merge(run: Run, parent: ContextRef, tracks: Tracks) -> ContextRef:
    waits = [allow_failure(future) for future in tracks.futures]
    submit = cast("Any", merge_contexts).submit  # its overloads do not know allow_failure
    merged: ContextRef = submit(run, parent, tracks.completed, tracks.gaps, wait_for=waits).result()
    if is_stored(run, merged):
        return merged
    return merge_contexts.with_options(refresh_cache=True)(run, parent, tracks.completed, tracks.gaps)


def _check(run: Run, merged: ContextRef) -> list[BlobRef]:
    checks = run.spec.verification.checks
    together = [check.id for check in checks if check.parallel]
    futures = run_check.map(unmapped(run), unmapped(merged), together)
    evidence: dict[str, BlobRef] = dict(zip(together, futures.result(), strict=True))
    for check in checks:  # one that is not to run beside others (a load, say) waits for them
        if not check.parallel:
            evidence[check.id] = run_check(run, merged, check.id)
    return [evidence[check.id] for check in checks]


def _final_state(run: Run, final: ContextRef) -> State[Any]:
    document: JsonObject = run.store.load(final)
    record: JsonObject = document["run"]
    message = "; ".join(record["reasons"]) or document["context_summary"]
    if record["exit_code"] == 0:
        return Completed(message=message, data=final)
    return Failed(name=STATE_NAMES[record["status"]], message=message[:2000], data=final)
