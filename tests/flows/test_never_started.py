"""Runs that a worker took and never began, put there through the API as a worker does; nobody serves the deployment."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.states import AwaitingRetry, Crashed, Pending, Running, Scheduled

from contexts.errors import PlaitError
from contexts.held_lease import held_lease
from contexts.interrupted import interrupted
from contexts.local import LocalObjects
from flows.feature import feature
from flows.resume_interrupted import resume_interrupted
from tests.servers import Server


@task
def _some_task() -> None:
    """What a run did before."""


class Queue:
    """A deployment whose runs nobody takes, and the sweeper that looks after it."""

    def __init__(self, client: SyncPrefectClient, store: Path, name: str) -> None:
        self.client = client
        self.store = store
        self.deployment = client.create_deployment(flow_id=client.create_flow(feature), name=name)
        self.name = f"feature/{name}"

    def run(self, *states: Any, **more: Any) -> UUID:
        """Make a run, and take it through some states as a worker and its process do."""
        made = self.client.create_flow_run_from_deployment(self.deployment, parameters={"spec": "some.yaml"}, **more)
        for state in states:
            self.client.set_flow_run_state(made.id, state, force=True)
        return made.id

    def schema(self, schema: dict[str, Any]) -> None:
        """Deploy again, with another schema of parameters."""
        flow_id = self.client.read_deployment(self.deployment).flow_id
        name = self.name.partition("/")[2]
        self.client.create_deployment(
            flow_id=flow_id, name=name, parameter_openapi_schema=schema, enforce_parameter_schema=True
        )

    def sweep(self, **options: Any) -> dict[str, str]:
        given = {"watch_seconds": 0, "pending_minutes": 0, **options}
        lines = resume_interrupted(store=str(self.store), deployment=self.name, **given)
        return {one["workflow_id"]: one["action"] for one in lines}

    def others(self, *known: UUID) -> list[FlowRun]:
        mine = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[self.deployment]))
        return [one for one in self.client.read_flow_runs(flow_run_filter=mine) if one.id not in known]

    def state(self, run: UUID) -> str:
        return str(self.client.read_flow_run(run).state_name)


@pytest.fixture
def waiting(prefect_api: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Queue]:
    del prefect_api
    with get_client(sync_client=True) as client:
        made = Queue(client, tmp_path / "store", request.node.name)
        yield made
        client.delete_deployment(made.deployment)


@pytest.mark.parametrize("left", [[Pending()], [Pending(), Running()], [Pending(), Running(), Crashed()]])
def test_a_run_that_was_taken_and_never_began_gives_its_place_back_and_is_started_again_once(
    waiting: Queue, left: list[Any]
) -> None:
    day = datetime.now(UTC) - timedelta(days=2)
    lost = waiting.run(*left, state=Scheduled(scheduled_time=day))
    assert list(waiting.sweep().values()) == ["started"]
    assert waiting.sweep() == {}
    state = waiting.client.read_flow_run(lost).state
    assert state
    assert state.is_crashed()
    if not left[-1].is_crashed():
        assert "nobody works on it" in str(state.message)
    (again,) = waiting.others(lost)
    assert again.parameters["spec"] == "some.yaml"
    assert again.expected_start_time
    assert abs(again.expected_start_time - day) < timedelta(seconds=1), "it is for the day that the first one was for"


def test_a_run_that_never_begins_is_started_again_at_most_n_times(waiting: Queue) -> None:
    known = {waiting.run(Pending())}
    for _ in range(2):
        assert list(waiting.sweep(max_restarts=2).values()) == ["started"]
        (again,) = waiting.others(*known)
        waiting.client.set_flow_run_state(again.id, Pending(), force=True)
        known.add(again.id)
    assert list(waiting.sweep(max_restarts=2).values()) == ["given-up"]
    assert waiting.sweep(max_restarts=2) == {}
    assert waiting.others(*known) == []
    assert {waiting.state(one) for one in known} == {"Crashed"}


def test_a_run_that_was_at_work_before_goes_on_under_its_own_id(waiting: Queue) -> None:
    resumed = waiting.run(Pending(), Running())
    waiting.client.create_task_run(_some_task, resumed, dynamic_key="0")
    waiting.client.set_flow_run_state(resumed, AwaitingRetry(scheduled_time=datetime.now(UTC)), force=True)
    waiting.client.set_flow_run_state(resumed, Pending(), force=True)
    assert list(waiting.sweep().values()) == ["started"]
    assert waiting.state(resumed) == "AwaitingRetry"
    assert waiting.others(resumed) == []


def test_a_run_that_may_still_begin_or_works_is_left_alone(waiting: Queue) -> None:
    young = waiting.run(Pending())
    assert waiting.sweep(pending_minutes=30) == {}
    assert waiting.state(young) == "Pending"
    works = waiting.run(Pending(), Running())
    with held_lease(LocalObjects(waiting.store), "works", owner=str(works)):
        waiting.sweep()
    assert waiting.state(works) == "Running"


@pytest.mark.usefixtures("waiting")
def test_a_run_that_says_that_it_was_interrupted_is_found_by_its_lease(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "store")
    with held_lease(objects, "asked", owner="somebody") as lease:
        lease.end_reason = "interrupted"
    found = interrupted(objects, now=datetime.now(UTC), watch=0, sleep=lambda _: None)
    assert [one.workflow_id for one in found] == ["asked"]


def test_a_run_that_the_server_refuses_to_start_again_stops_no_other_and_is_not_tried_every_time(
    waiting: Queue, tmp_path: Path
) -> None:
    refused, fine = waiting.run(Pending()), waiting.run(Pending())
    schema = {"type": "object", "properties": {"spec": {"type": "string", "enum": ["some.yaml"]}}}
    waiting.client.update_flow_run(refused, parameters={"spec": "of another schema"})
    waiting.schema(schema)
    with held_lease(LocalObjects(tmp_path / "store"), "asked", owner="somebody") as lease:
        lease.end_reason = "interrupted"
    with pytest.raises(PlaitError, match="1 of 3 could not be gone on with") as told:
        waiting.sweep()
    lines = {one["workflow_id"]: one for one in told.value.details["lines"]}
    names = {run: waiting.client.read_flow_run(run).name for run in (refused, fine)}
    assert lines[names[refused]]["action"] == "failed"
    assert "409" in lines[names[refused]]["why"]
    assert {lines[names[fine]]["action"], lines["asked"]["action"]} == {"started"}
    assert waiting.sweep() == {"asked": "waiting"}, "it is marked: nobody tries it every five minutes for a day"
    assert waiting.state(refused) == "Crashed"
