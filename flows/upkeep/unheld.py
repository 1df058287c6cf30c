"""Runs that got to work, hold no lease, and are at work for the server: is anybody there, and is anything left to do.

A run gives its lease back before it asks at a gate and before it reports its end. Where its machine or the server is
lost in between, it stays Running for good and holds a place in its queue, and no open lease tells of it. A living run
is in the same position for moments, so that one look tells nothing: the first leaves a tag with the run, and only a
later one that finds the run and its workflow's lease unchanged counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from contexts.leases.record import UPKEEP, LeaseRecord, read_lease
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.store.objects import ObjectStore

_WORKFLOW = "workflow:"
"""How the tag begins that says which workflow a run works on; see `tasks.prefect_ui.tags`."""
_SEEN = "plait-unheld:"
_LEFT_OPEN = frozenset({"suspended", "edited"})
"""How a lease ends before a gate: by the run, and by whoever answered at a terminal."""
_NOT_PASSED = frozenset({"waiting", "unknown", "failed"})
"""How far production is where a run has yet to ask, or to do what was answered; see `flows.phases.gate`."""


def lease_of(objects: ObjectStore, run: FlowRun, leases: Iterable[LeaseRecord]) -> LeaseRecord | None:
    """Return the present lease of the workflow that a run works on; None where none is known."""
    known = tuple(leases)
    named = {tag.removeprefix(_WORKFLOW) for tag in run.tags if tag.startswith(_WORKFLOW)}
    named |= {str(run.parameters.get("workflow_id"))}
    held = [one for one in known if one.owner == str(run.id)] or [one for one in known if one.workflow_id in named]
    return read_lease(objects, held[0].workflow_id) if held else None


def unchanged_for(client: SyncPrefectClient, run: FlowRun, lease: LeaseRecord | None, after: timedelta) -> bool:
    """Say whether an earlier look found a run and its workflow's lease as they are now; else leave one with the run."""
    now = int(datetime.now(UTC).timestamp())
    at_lease = f"{lease.epoch}.{lease.heartbeat}" if lease else "none"
    seen = f"{_SEEN}{run.state.id if run.state else ''}:{at_lease}@"
    times = [tag.removeprefix(seen) for tag in run.tags if tag.startswith(seen)]
    if times and times[0].isdecimal():
        return now - int(times[0]) >= after.total_seconds()
    client.update_flow_run(run.id, tags=[*without_looks(run.tags), f"{seen}{now}"])
    return False


def without_looks(tags: Iterable[str]) -> list[str]:
    """Return the tags of a run without those of earlier looks."""
    return [tag for tag in tags if not tag.startswith(_SEEN)]


def has_more_to_do(client: SyncPrefectClient, objects: ObjectStore, run: FlowRun, lease: LeaseRecord | None) -> bool:
    """Say whether a run that holds no lease is to go on: it was resumed, or its workflow has yet to pass its gate.

    Raises:
        PlaitError: The store does not tell.
    """
    if lease is None or not _held_it_last(client, run, lease):
        return False
    running = run.state is not None and run.state.is_running()
    if running and run.state and lease.ended and run.state.timestamp > lease.ended:
        return True
    if lease.end_reason not in _LEFT_OPEN:
        return False
    found = ContextStore(objects).latest(lease.workflow_id, CONTEXT)
    readiness = found.context.deployment_readiness if found else None
    production = readiness.production if readiness else None
    return production is not None and production.status in _NOT_PASSED


def _held_it_last(client: SyncPrefectClient, run: FlowRun, lease: LeaseRecord) -> bool:
    """Say whether no other run has worked on the workflow since; upkeep and people's rulings are no runs."""
    if not lease.owner.startswith(UPKEEP):
        return lease.owner == str(run.id)
    of_it = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"{_WORKFLOW}{lease.workflow_id}"]))
    newest = client.read_flow_runs(flow_run_filter=of_it, sort=FlowRunSort.START_TIME_DESC, limit=1)
    return all(one.id == run.id for one in newest)
