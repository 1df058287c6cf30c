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
from prefect.states import AwaitingRetry, Cancelling, Crashed, Pending, Running, Scheduled

from contexts.leases.held import held_lease
from contexts.leases.interrupted import interrupted
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.store.local import LocalObjects
from contexts.verification.save_ruling import amend
from flows.feature import feature
from flows.upkeep.resume_interrupted import NotAllResumed, resume_interrupted
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

    def at_work(self, workflow_id: str, ended: str, production: dict[str, str] | None = None) -> UUID:
        """Make a run that did its tasks, and saved and gave back the lease, and of whose end the server never heard."""
        run = self.run(Pending(), Running())
        self.client.create_task_run(_some_task, run, dynamic_key="0")
        objects = LocalObjects(self.store)
        with held_lease(objects, workflow_id, owner=str(run)) as lease:
            document = {
                "workflow_id": workflow_id,
                "version": "1.0",
                "timestamp": "2026-01-01T00:00:00Z",
                "current_agent": "a",
                "phase": "p",
                "deployment_readiness": {"production": production or {}},
            }
            ContextStore(objects).save(document, workflow_id=workflow_id, name=CONTEXT, after=0)
            lease.end_reason = ended
        return run

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
    with pytest.raises(NotAllResumed, match="1 of 3 could not be gone on with") as told:
        waiting.sweep()
    said = told.value.lines
    lines = {one["workflow_id"]: one for one in said}
    names = {run: waiting.client.read_flow_run(run).name for run in (refused, fine)}
    assert lines[names[refused]]["action"] == "failed"
    assert "409" in lines[names[refused]]["why"]
    assert {lines[names[fine]]["action"], lines["asked"]["action"]} == {"started"}
    assert waiting.sweep() == {"asked": "waiting"}, "it is marked: nobody tries it every five minutes for a day"
    assert waiting.state(refused) == "Crashed"


def test_a_run_that_gave_its_lease_back_and_was_lost_before_its_end_gives_its_place_back_too(waiting: Queue) -> None:
    lost = waiting.at_work("done", "finished")
    assert waiting.sweep() == {}, "it may be about to report its end: one look tells nothing"
    assert waiting.state(lost) == "Running"
    assert list(waiting.sweep().values()) == ["closed"]
    state = waiting.client.read_flow_run(lost).state
    assert state
    assert state.is_crashed()
    assert "holds its workflow's lease no more" in str(state.message)
    assert waiting.sweep() == {}
    assert waiting.others(lost) == []


def test_a_run_without_a_lease_is_looked_at_anew_after_anything_has_happened_to_it(waiting: Queue) -> None:
    alive = waiting.at_work("alive", "finished")
    assert waiting.sweep() == {}
    with held_lease(LocalObjects(waiting.store), "alive", owner=str(alive)):
        assert waiting.sweep() == {}
    assert waiting.sweep() == {}
    assert waiting.state(alive) == "Running"
    waiting.client.set_flow_run_state(alive, Cancelling(), force=True)
    assert waiting.sweep() == {}
    assert waiting.state(alive) == "Cancelling"


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("end", ["lost", "crashed"])
def test_a_run_that_was_lost_at_its_gate_goes_on_under_its_own_id_a_few_times_at_most(
    waiting: Queue, end: str, answered: bool
) -> None:
    lost = waiting.at_work("gate", "suspended", production={"status": "waiting", "gate": "go"})
    waiting.client.update_flow_run(lost, tags=["workflow:gate"])
    if answered:
        amend(ContextStore(LocalObjects(waiting.store)), "gate", lambda document, _: document)
    for _ in range(2):
        if end == "crashed":
            waiting.client.set_flow_run_state(lost, Crashed(), force=True)
        else:
            assert waiting.sweep(max_restarts=2) == {}
        assert list(waiting.sweep(max_restarts=2).values()) == ["started"]
        assert waiting.state(lost) == "AwaitingRetry"
        assert waiting.sweep(max_restarts=2) == {}
        waiting.client.set_flow_run_state(lost, Running(), force=True)
    waiting.client.set_flow_run_state(lost, Crashed(), force=True)
    assert list(waiting.sweep(max_restarts=1).values()) == ["given-up"]
    assert waiting.sweep() == {}
    assert waiting.others(lost) == []


def test_a_run_whose_workflow_another_one_has_taken_over_does_not_go_on(waiting: Queue) -> None:
    before = waiting.at_work("taken", "suspended", production={"status": "waiting", "gate": "go"})
    with held_lease(LocalObjects(waiting.store), "taken", owner="another run") as lease:
        lease.end_reason = "suspended"
    waiting.client.update_flow_run(before, tags=["workflow:taken"])
    assert waiting.sweep() == {}
    assert list(waiting.sweep().values()) == ["closed"]
    assert waiting.state(before) == "Crashed"
