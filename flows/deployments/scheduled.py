"""What a run owes to its schedule: the day it was meant for, and when it is better not to run at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Completed

from contexts.errors import LeaseHeld
from flows.deployments.deployment_of import deployment_id
from flows.deployments.own_process import has_moved

_BY_HAND = timedelta(minutes=1)
"""A run that starts at most so long after it was made was started by a person there and then."""


def scheduled_start() -> datetime:
    """Return the moment this run is for, in the time zone of its schedule; now, where nobody scheduled it.

    It stays the same when the run is retried or resumed, on whatever day.
    """
    if not deployment_id():
        return datetime.now(UTC)
    run, deployed = _read()
    return _meant_for(run).astimezone(ZoneInfo(_time_zone(run, deployed)))


def skipped_if_late(minutes: int) -> State[Any] | None:
    """Return how a run ends that begins so long after its scheduled start that it is not wanted any more; else None."""
    if not minutes or not deployment_id():
        return None
    run, _ = _read()
    start = _meant_for(run)
    late = int((datetime.now(UTC) - start).total_seconds() // 60)
    if not _may_be_skipped(run) or late < minutes:
        return None
    return Completed(
        name="Skipped",
        message=f"Not run: it was to start at {start:%Y-%m-%d %H:%M} UTC, {late} minutes ago; skip_after is {minutes}",
    )


def skipped_if_held(held: LeaseHeld) -> State[Any]:
    """Return how a scheduled run ends whose workflow is being run already.

    Raises:
        LeaseHeld: A person started this run, and is told who runs the workflow.
    """
    if not deployment_id() or not _may_be_skipped(_read()[0]):
        raise held
    return Completed(name="Skipped", message=f"Not run: {held.message}")


def _read() -> tuple[FlowRun, DeploymentResponse | None]:
    """Return this run and its deployment, None where that was deleted meanwhile."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(str(flow_run.id)))
        try:
            return run, client.read_deployment(UUID(str(deployment_id())))
        except ObjectNotFound:
            return run, None


def _meant_for(run: FlowRun) -> datetime:
    start = run.expected_start_time or run.created or datetime.now(UTC)
    return datetime.fromtimestamp(start.timestamp(), UTC)


def _may_be_skipped(run: FlowRun) -> bool:
    """Say whether nobody waits for this run: it comes from a schedule, and no person retried or resumed it."""
    made = run.created.timestamp() if run.created else 0.0
    scheduled = bool(run.auto_scheduled) or abs(_meant_for(run).timestamp() - made) > _BY_HAND.total_seconds()
    # The engine that it moved out of has been counted as well.
    return scheduled and run.run_count <= (2 if has_moved() else 1)


def _time_zone(run: FlowRun, deployed: DeploymentResponse | None) -> str:
    """Return the time zone of the schedule that made the run, or of all its deployment's schedules; else UTC."""
    schedules = deployed.schedules if deployed else []
    zones = {one.id: getattr(one.schedule, "timezone", None) or "UTC" for one in schedules}
    maker = run.created_by.id if run.created_by else None
    if maker and maker in zones:
        return zones[maker]
    different = set(zones.values())
    return different.pop() if len(different) == 1 else "UTC"
