"""Start workflows again whose run ended without a person's will: a crash, a lost machine, a kill, a drained node.

A cancelled, suspended or finished workflow's lease says so and is left alone; so is one whose flow run a person is
cancelling or has suspended, whatever its lease says. Runs that died before they had a lease are found by
`flows.upkeep.never_started`.

A flow run that died with its machine stays Running for the server. It is marked Crashed here, or it would hold its
place in the queue for good.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed
from pydantic import BaseModel, ConfigDict

from contexts.errors import InputError, PlaitError
from contexts.leases.interrupted import Mark, interrupted, leave_mark, marks, restarts_in_a_row
from contexts.leases.record import INTERRUPTED, LeaseRecord, read_lease
from contexts.store.objects import ObjectStore
from contexts.store.url import open_objects
from flows.deployments.deployed_run import refuse_store_unless_allowed
from flows.deployments.form import DeploymentName, MaxRestarts, PendingMinutes, StoreName, WatchSeconds
from flows.upkeep.never_started import MAY_FAIL, RESTART, Settled, mark_continued, settle_never_started
from tasks.prefect_ui.artifacts import publish_table
from tasks.prefect_ui.markdown import words
from tasks.prefect_ui.ornaments import show

_LEAVE_ALONE = {StateType.CANCELLING, StateType.CANCELLED, StateType.PAUSED}


class Sweep(BaseModel):
    """What a sweep did with one interrupted workflow.

    Attributes:
        action: ``started``; ``waiting``: an earlier restart has not taken the lease yet; ``other-sweeper``: another
            one is starting it; ``left-alone``: a person cancelled or suspended it; ``given-up``: too many restarts;
            ``failed``: the server or the store did not take it, and the next sweep tries again.
        run: The flow run that continues it.
        why: What was said where it failed.
        not_repeated: What the run that died was asked to do anew (``fresh``, ``rerun``), and the one that continues it
            is not: that would throw away what was finished. A person asks again for what is left of it.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    action: Literal["started", "waiting", "other-sweeper", "left-alone", "given-up", "failed"]
    restarts: int
    run: UUID | None = None
    why: str | None = None
    not_repeated: tuple[str, ...] = ()


@dataclass(eq=False, repr=False, kw_only=True)
class NotAllResumed(PlaitError):
    """Something could not be gone on with; everything else was.

    Attributes:
        lines: What was done with each, as the flow returns it where all went well.
    """

    lines: list[dict[str, Any]]


@flow(name="resume-interrupted", validate_parameters=True)
def resume_interrupted(
    store: StoreName = None,
    deployment: DeploymentName = "feature/feature",
    max_restarts: MaxRestarts = 3,
    watch_seconds: WatchSeconds = 20.0,
    pending_minutes: PendingMinutes = 10.0,
) -> list[dict[str, Any]]:
    """Find interrupted workflows and start each again.

    Args:
        store: Where contexts are kept. Empty for the worker's own.
        deployment: FLOW/DEPLOYMENT that goes on with a workflow.
        max_restarts: How often in a row a workflow is started again before it is left for a person to look at.
        watch_seconds: How long to watch a silent run of another machine before it counts as dead.
        pending_minutes: How long a run that a worker took may take to begin, before nobody is thought to work on it.

    Returns:
        One line per interrupted workflow, and one per run that never began.

    Raises:
        NotAllResumed: Something could not be gone on with; everything else was.
    """
    store = refuse_store_unless_allowed(store)
    objects = open_objects(store)
    found = interrupted(objects, now=datetime.now(UTC), watch=watch_seconds, sleep=time.sleep)
    with get_client(sync_client=True) as client:
        deployed = _find(client, deployment)
        lines = [_resume_or_say_why(client, objects, record, store, deployed, max_restarts) for record in found]
        never = _never_started(client, objects, deployed, timedelta(minutes=pending_minutes), max_restarts)
    rows = [line.model_dump(mode="json") for line in lines]
    rows += [{"workflow_id": line.name, **line.model_dump(mode="json", exclude={"name"})} for line in never]
    if rows:
        description = "Interrupted workflows and what was done"
        show("table", "resume-interrupted", lambda: publish_table("plait-resume-interrupted", rows, description))
    if failed := [row for row in rows if row["action"] == "failed"]:
        told = "; ".join(f"{row['workflow_id']}: {row['why']}" for row in failed)
        raise NotAllResumed(f"{len(failed)} of {len(rows)} could not be gone on with: {told}", lines=rows)
    return rows


def _resume_or_say_why(
    client: SyncPrefectClient,
    objects: ObjectStore,
    record: LeaseRecord,
    store: str | None,
    deployed: DeploymentResponse,
    most: int,
) -> Sweep:
    """Go on with one workflow; what the server or the store says against it is said of it alone."""
    logger = get_run_logger()
    try:
        line = _resume(client, objects, record, store, deployed, most)
    except MAY_FAIL as error:
        line = Sweep(workflow_id=record.workflow_id, action="failed", restarts=0, why=words(error, 500))
        logger.warning("%s: failed (%s)", line.workflow_id, line.why)
    else:
        logger.info("%s: %s (restarts in a row: %d)", line.workflow_id, line.action, line.restarts)
    if line.not_repeated:
        asked = " and ".join(line.not_repeated)
        logger.warning("%s: the run that died was asked for %s; what it finished is kept", line.workflow_id, asked)
    return line


def _resume(
    client: SyncPrefectClient,
    objects: ObjectStore,
    record: LeaseRecord,
    store: str | None,
    deployed: DeploymentResponse,
    most: int,
) -> Sweep:
    workflow_id = record.workflow_id
    known = marks(objects, workflow_id)
    count = restarts_in_a_row(known, record.epoch)
    died = _run_of(client, record.owner)
    if died and died.state and died.state.type in _LEAVE_ALONE:
        return Sweep(workflow_id=workflow_id, action="left-alone", restarts=count)
    if died:
        _mark_crashed(client, died, record)
    more = {**({"store": store} if store else {}), **_as_told(died)}
    mine = [mark for mark in known if mark.epoch == record.epoch]
    if mine:
        # The one that left the mark may have died before it started the run: starting under one key twice is one run.
        run = _start(client, objects, mine[-1], more, deployed)
        if run.state is None or not run.state.is_final():
            return Sweep(workflow_id=workflow_id, action="waiting", restarts=count, run=run.id)
    if count >= most:
        return Sweep(workflow_id=workflow_id, action="given-up", restarts=count)
    if read_lease(objects, workflow_id) != record:  # an earlier restart has finished, or is at work, since we looked
        return Sweep(workflow_id=workflow_id, action="waiting", restarts=count)
    mark = Mark(workflow_id, record.epoch, len(mine) + 1)
    if not leave_mark(objects, mark, by=str(flow_run.id or "a person"), now=datetime.now(UTC)):
        return Sweep(workflow_id=workflow_id, action="other-sweeper", restarts=count)
    run = _start(client, objects, mark, more, deployed)
    left = _not_repeated(died)
    return Sweep(workflow_id=workflow_id, action="started", restarts=count + 1, run=run.id, not_repeated=left)


def _as_told(died: FlowRun | None) -> dict[str, str]:
    """Return what a deployed run was told that no store knows: where the programs of its spec lie, and its sources.

    They are names as they were given; the worker looks again at whether they are allowed.
    """
    given = died.parameters if died and died.deployment_id else {}
    told = {name: str(given[name]) for name in ("repository", "replay") if given.get(name)}
    if given.get("spec"):
        return {"spec_dir": str(Path(str(given["spec"])).parent), **told}
    return {**({"spec_dir": str(given["spec_dir"])} if given.get("spec_dir") else {}), **told}


def _not_repeated(died: FlowRun | None) -> tuple[str, ...]:
    given = died.parameters if died else {}
    return tuple(name for name in ("fresh", "rerun") if given.get(name))


def _start(
    client: SyncPrefectClient, objects: ObjectStore, mark: Mark, more: dict[str, str], deployed: DeploymentResponse
) -> FlowRun:
    """Start the run of a mark, or find the one that was; asking the API itself, which knows no subflow or timeout."""
    return client.create_flow_run_from_deployment(
        deployed.id,
        parameters={"workflow_id": mark.workflow_id, **more},
        idempotency_key=f"plait-{sha256(objects.identity.encode()).hexdigest()[:16]}-{mark.key}",
        tags=[RESTART],
    )


def _find(client: SyncPrefectClient, deployment: str) -> DeploymentResponse:
    try:
        return client.read_deployment_by_name(deployment)
    except ObjectNotFound as error:
        raise InputError(f"there is no deployment {deployment}: run `make deploy`, or name another") from error


def _never_started(
    client: SyncPrefectClient, objects: ObjectStore, deployed: DeploymentResponse, after: timedelta, most: int
) -> list[Settled]:
    logger = get_run_logger()
    try:
        lines = settle_never_started(client, deployed, after=after, most=most, objects=objects)
    except MAY_FAIL as error:
        lines = [Settled(name="runs that never began", action="failed", restarts=0, why=words(error, 500))]
    for line in lines:
        if line.action == "failed":
            logger.warning("%s: failed (%s)", line.name, line.why)
        else:
            logger.info("%s: nobody works on it, %s (restarts in a row: %d)", line.name, line.action, line.restarts)
    return lines


def _run_of(client: SyncPrefectClient, owner: str) -> FlowRun | None:
    """Return the flow run that held a lease; None where the server knows of none."""
    try:
        return client.read_flow_run(UUID(owner))
    except (ValueError, ObjectNotFound):
        return None


def _mark_crashed(client: SyncPrefectClient, run: FlowRun, record: LeaseRecord) -> None:
    """Tell the server what it could not see: the run ended with its process or machine.

    A run that began after the lease was taken is a retry under the same id, which is about to take the lease over.
    """
    state = run.state
    if state is not None and state.is_crashed():
        mark_continued(client, run)
    if state is None or state.type not in {StateType.RUNNING, StateType.PENDING} or state.timestamp > record.acquired:
        return
    mark_continued(client, run)
    told = "it was interrupted on" if record.end_reason == INTERRUPTED else "no heartbeat from"
    message = f"{told} {record.machine} since {record.renewed:%Y-%m-%d %H:%M:%S} UTC; the work goes on anew"
    client.set_flow_run_state(run.id, Crashed(message=message))
