"""Settle runs that a worker took and never began: nobody works on them, and each holds a place in its queue for good.

A worker puts a run into Pending and starts its process. When it is killed in between, or its machine goes down, the run
stays Pending, or Running without having done anything; no other worker takes it. Where the process came to its end
while it still loaded, the run is Crashed, and no lease tells of it. In none of these has the run touched its workflow,
so that no lease is left to find it by; it is found here by what the server knows, marked Crashed, and started again.

One that got to work and is Running although nobody holds its workflow's lease is lost as well: it is marked Crashed,
and goes on under its own id where its workflow has yet to pass a gate (`flows.upkeep.unheld`).

What a person cancelled, suspended or deleted is in another state and is left alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Literal
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse, SetStateStatus
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.states import AwaitingRetry, Crashed, Scheduled
from pydantic import BaseModel, ConfigDict

from contexts.errors import PlaitError
from contexts.leases.interrupted import all_leases
from contexts.leases.record import LeaseRecord
from contexts.store.objects import ObjectStore
from flows.upkeep.unheld import has_more_to_do, lease_of, unchanged_for, without_looks
from tasks.prefect_ui.markdown import words

TAG = "plait"
"""What all deployments of prefect.yaml carry, and what runs in the same queues."""
RESTART = "plait-restart"
"""What a run carries that a sweep started."""
CONTINUED = "plait-continued"
"""What a run carries that ended too early and whose work is seen to."""
_COUNT = "plait-restarts:"
_LOOK_BACK = timedelta(days=1)
"""How old a run may be that crashed before it began: what is older was left for a person, or before plait looked."""
_AT_A_TIME = 200
_WHY_AT_MOST = 500
MAY_FAIL = (httpx.HTTPError, PrefectException, PlaitError)
"""What the server or the store may answer for one run or workflow, without a word about the others."""
_MAY_BE_TAKEN_LATER = frozenset(
    {
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)  # fmt: skip
"""Refusals that say nothing of the run: a login that has ended, or too much at a time."""


class Settled(BaseModel):
    """What was done with one run that never began.

    Attributes:
        name: The run's.
        action: ``started`` again; ``closed``: marked Crashed, and somebody else sees to it that the work is done;
            ``given-up``: it was started too often; ``failed``: the server did not take it.
        restarts: How often in a row.
        run: The run that does its work now.
        why: What the server said where it failed.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    action: Literal["started", "closed", "given-up", "failed"]
    restarts: int
    run: UUID | None = None
    why: str | None = None


def settle_never_started(
    client: SyncPrefectClient, started_by: DeploymentResponse, *, after: timedelta, most: int, objects: ObjectStore
) -> list[Settled]:
    """Find runs that nobody works on although they count as taken, mark them Crashed, and start them again.

    Args:
        client: The server.
        started_by: The deployment that goes on with workflows; runs of its flow are started again.
        after: How long nothing must have happened to a run: a worker may be about to start it.
        most: How often in a row a run is started again.
        objects: The store: runs that hold an open lease there are at work, or are gone on with by it.

    Raises:
        httpx.HTTPError: The server did not list its runs. What it does with one run never stops the others.
        PrefectException: The same.
        PlaitError: The store did not list its leases.
    """
    deployments = {one.id: one for one in _ours(client)} | {started_by.id: started_by}
    leases = all_leases(objects)
    owners = {record.owner for record in leases if record.of_open_run}
    settled: list[Settled] = []
    for run in _taken_or_crashed(client, list(deployments), before=datetime.now(UTC) - after):
        deployed = deployments.get(run.deployment_id) if run.deployment_id else None
        works, held = deployed is not None and deployed.flow_id == started_by.flow_id, str(run.id) in owners
        try:
            began = _has_tasks(client, run)
            if works and began and not held and not _is(run, StateType.PENDING):
                done = _settle_unheld(client, run, lease_of(objects, run, leases), objects, after=after, most=most)
            else:
                done = _settle(client, run, works=works, began=began, held=held, most=most)
        except MAY_FAIL as error:
            done = _failed(client, run, error)
        if done:
            settled.append(done)
    return settled


def _settle(
    client: SyncPrefectClient, run: FlowRun, *, works: bool, began: bool, held: bool, most: int
) -> Settled | None:
    pending, crashed = _is(run, StateType.PENDING), _is(run, StateType.CRASHED)
    if (crashed and CONTINUED in run.tags) or (not pending and (not works or began or held)):
        return None
    if not crashed and not _close(client, run, "and never began"):
        return None
    if works and not held and not (RESTART in run.tags and _restarts(run) is None):
        return _start_again(client, run, most, itself=began)
    # Its schedule starts the next one, or whoever looks at leases starts the next restart.
    return None if crashed else Settled(name=run.name, action="closed", restarts=0)


def _settle_unheld(
    client: SyncPrefectClient,
    run: FlowRun,
    lease: LeaseRecord | None,
    objects: ObjectStore,
    *,
    after: timedelta,
    most: int,
) -> Settled | None:
    """Close a run that got to work and holds no lease, and let it go on where something is left to do."""
    crashed = _is(run, StateType.CRASHED)
    taken_again = lease is not None and lease.of_open_run and lease.owner == str(run.id)
    if taken_again or (crashed and CONTINUED in run.tags):
        return None
    if not crashed and not unchanged_for(client, run, lease, after):
        return None
    goes_on = has_more_to_do(client, objects, run, lease)
    if not crashed and not _close(client, run, "and holds its workflow's lease no more"):
        return None
    if goes_on:
        return _start_again(client, run, most, itself=True)
    return None if crashed else Settled(name=run.name, action="closed", restarts=0)


def _failed(client: SyncPrefectClient, run: FlowRun, error: Exception) -> Settled:
    """Say that a run could not be settled; one that the server will never take is not tried again for a day."""
    why = words(error, _WHY_AT_MOST)
    if _for_good(error):
        try:
            mark_continued(client, run)
        except MAY_FAIL as second:
            why = f"{why}; and {words(second, _WHY_AT_MOST)}"
    return Settled(name=run.name, action="failed", restarts=_restarts(run) or 0, why=why)


def _for_good(error: Exception) -> bool:
    """Say whether the server understood and refused: another schema of parameters, a deployment that is gone."""
    if not isinstance(error, httpx.HTTPStatusError):
        return isinstance(error, ObjectNotFound)
    status = error.response.status_code
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _MAY_BE_TAKEN_LATER


def mark_continued(client: SyncPrefectClient, run: FlowRun) -> None:
    """Note at a run that ended too early that its work is seen to."""
    client.update_flow_run(run.id, tags=sorted({*run.tags, CONTINUED}))


def _ours(client: SyncPrefectClient) -> list[DeploymentResponse]:
    return client.read_deployments(deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])))


def _taken_or_crashed(client: SyncPrefectClient, deployments: list[UUID], *, before: datetime) -> list[FlowRun]:
    of_them = FlowRunFilterDeploymentId(any_=deployments)
    taken = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING]))
    crashed = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED]))
    since = datetime.now(UTC) - _LOOK_BACK
    found = [
        *client.read_flow_runs(flow_run_filter=FlowRunFilter(deployment_id=of_them, state=taken), limit=_AT_A_TIME),
        *client.read_flow_runs(
            flow_run_filter=FlowRunFilter(deployment_id=of_them, state=crashed),
            sort=FlowRunSort.END_TIME_DESC,
            limit=_AT_A_TIME,
        ),
    ]
    return [
        run
        for run in found
        if run.state and (run.state.timestamp >= since if run.state.is_crashed() else run.state.timestamp <= before)
    ]


def _is(run: FlowRun, kind: StateType) -> bool:
    return run.state is not None and run.state.type == kind


def _has_tasks(client: SyncPrefectClient, run: FlowRun) -> bool:
    """Say whether a run got as far as its first task, which it begins under its lease."""
    of_it = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[run.id]))
    return bool(client.read_task_runs(task_run_filter=of_it, limit=1))


def _close(client: SyncPrefectClient, run: FlowRun, but: str) -> bool:
    """Mark a run Crashed that is still as it was found; false where something has happened to it meanwhile."""
    state, now = run.state, client.read_flow_run(run.id).state
    if state is None or now is None or now.id != state.id:
        return False
    since = f"{state.timestamp:%Y-%m-%d %H:%M:%S} UTC"
    message = f"nobody works on it: it was taken by a worker, is {state.name} since {since}, {but}"
    return client.set_flow_run_state(run.id, Crashed(message=message)).status == SetStateStatus.ACCEPT


def _restarts(run: FlowRun) -> int | None:
    """Return how many restarts led to a run that was started here; None for any other."""
    counts = [int(tag.removeprefix(_COUNT)) for tag in run.tags if tag.removeprefix(_COUNT).isdecimal()]
    return counts[0] if counts else None


def _start_again(client: SyncPrefectClient, run: FlowRun, most: int, *, itself: bool) -> Settled:
    """Start a run again: ``itself``, if it was at work before and a person may have answered it; else a new one."""
    count = _restarts(run) or 0
    if count >= most or run.deployment_id is None:
        mark_continued(client, run)
        return Settled(name=run.name, action="given-up", restarts=count)
    counted = f"{_COUNT}{count + 1}"
    if itself:
        now = client.read_flow_run(run.id).state
        if now is None or not now.is_crashed():  # another sweeper has
            return Settled(name=run.name, action="closed", restarts=count)
        kept = [tag for tag in without_looks(run.tags) if not tag.startswith(_COUNT)]
        client.update_flow_run(run.id, tags=[*kept, counted])
        client.set_flow_run_state(run.id, AwaitingRetry(scheduled_time=datetime.now(UTC)), force=True)
        return Settled(name=run.name, action="started", restarts=count + 1, run=run.id)
    # Under one key twice is one run, of several sweepers too. It is for the day that the first one was for.
    again = client.create_flow_run_from_deployment(
        run.deployment_id,
        parameters=run.parameters,
        state=Scheduled(scheduled_time=run.expected_start_time),
        idempotency_key=f"{RESTART}-{run.id}",
        tags=[RESTART, counted],
    )
    mark_continued(client, run)
    return Settled(name=run.name, action="started", restarts=count + 1, run=again.id)
