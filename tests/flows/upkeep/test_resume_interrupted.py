"""The sweeper, against a deployment that no worker serves, so that what it starts stays to be counted."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.states import Cancelled, Failed, Running

from contexts.leases.held import held_lease
from contexts.store.local import LocalObjects
from flows.feature import feature
from flows.upkeep.resume_interrupted import NotAllResumed, resume_interrupted
from tests.servers import ROOT, Server

DIE = """
import os, sys
from contextvars import copy_context
from pathlib import Path
from contexts.leases.lease import acquire
from contexts.store.local import LocalObjects
for name in sys.argv[3:]:
    acquire(LocalObjects(Path(sys.argv[1])), name, owner=sys.argv[2])
os._exit(9)
"""


class Sweeping:
    """A store, and a deployment whose runs nobody takes."""

    def __init__(self, client: SyncPrefectClient, store: Path) -> None:
        self.client = client
        self.store = store
        name = f"unserved-{uuid4().hex[:8]}"
        flow_id = client.create_flow(feature)
        self.deployment = client.create_deployment(flow_id=flow_id, name=name)
        self.name = f"feature/{name}"

    def interrupt(self, *workflows: str, owner: str = "somebody") -> None:
        """Leave leases whose process is dead and gave no reason."""
        argv = [sys.executable, "-c", DIE, str(self.store), owner, *workflows]
        done = subprocess.run(argv, cwd=ROOT, check=False)
        assert done.returncode == 9

    def sweep(self, **options: Any) -> dict[str, str]:
        """Sweep once; what was done with each workflow."""
        lines: Any = resume_interrupted(store=str(self.store), deployment=self.name, watch_seconds=0, **options)
        return {one["workflow_id"]: one["action"] for one in lines}

    def started(self) -> list[str]:
        """The workflows of all runs that were started."""
        return sorted(one.parameters["workflow_id"] for one in self.runs())

    def runs(self) -> Any:
        """All runs that were started."""
        mine = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[self.deployment]))
        return self.client.read_flow_runs(flow_run_filter=mine)


@pytest.fixture
def sweeping(prefect_api: Server, tmp_path: Path) -> Iterator[Sweeping]:
    del prefect_api
    with get_client(sync_client=True) as client:
        made = Sweeping(client, tmp_path / "store")
        yield made
        client.delete_deployment(made.deployment)


def test_two_sweepers_at_once_start_each_interrupted_workflow_once(sweeping: Sweeping) -> None:
    names = [f"w{number}" for number in range(4)]
    sweeping.interrupt(*names)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(copy_context().run, sweeping.sweep) for _ in range(2)]
    actions = [one.result() for one in both]
    assert sweeping.started() == names
    for name in names:
        assert sorted(one[name] for one in actions) in (["other-sweeper", "started"], ["started", "waiting"])


def test_a_workflow_is_started_again_at_most_n_times(sweeping: Sweeping) -> None:
    for number in range(1, 4):
        sweeping.interrupt("doomed")
        assert sweeping.sweep(max_restarts=3) == {"doomed": "started"}
        assert len(sweeping.started()) == number
        sweeping.client.set_flow_run_state(_newest(sweeping), Failed(), force=True)
    sweeping.interrupt("doomed")
    assert sweeping.sweep(max_restarts=3) == {"doomed": "given-up"}
    assert len(sweeping.started()) == 3


def test_a_restart_that_never_took_the_lease_counts_too(sweeping: Sweeping) -> None:
    sweeping.interrupt("refused")
    assert sweeping.sweep(max_restarts=2) == {"refused": "started"}
    assert sweeping.sweep(max_restarts=2) == {"refused": "waiting"}
    sweeping.client.set_flow_run_state(_newest(sweeping), Failed(), force=True)
    assert sweeping.sweep(max_restarts=2) == {"refused": "started"}
    sweeping.client.set_flow_run_state(_newest(sweeping), Failed(), force=True)
    assert sweeping.sweep(max_restarts=2) == {"refused": "given-up"}
    assert len(sweeping.started()) == 2


def test_a_finished_cancelled_or_suspended_workflow_is_left_alone(sweeping: Sweeping) -> None:
    objects = LocalObjects(sweeping.store)
    for name in ("finished", "cancelled", "suspended"):
        with held_lease(objects, name, owner="somebody") as lease:
            lease.end_reason = name
    assert sweeping.sweep() == {}
    assert sweeping.started() == []


def test_a_workflow_whose_run_a_person_cancelled_is_left_alone_though_it_was_killed(sweeping: Sweeping) -> None:
    run = sweeping.client.create_flow_run(feature, state=Cancelled())
    sweeping.interrupt("stopped", owner=str(run.id))
    assert sweeping.sweep() == {"stopped": "left-alone"}
    assert sweeping.started() == []


def test_a_running_workflow_is_left_alone(sweeping: Sweeping) -> None:
    with held_lease(LocalObjects(sweeping.store), "busy", owner="somebody"):
        assert sweeping.sweep() == {}
    assert sweeping.started() == []


def test_a_run_that_died_unseen_is_crashed_for_the_server_and_holds_no_place(sweeping: Sweeping) -> None:
    run = sweeping.client.create_flow_run(feature, state=Running())
    sweeping.interrupt("unseen", owner=str(run.id))
    assert sweeping.sweep() == {"unseen": "started"}
    state = sweeping.client.read_flow_run(run.id).state
    assert state
    assert (state.name, "no heartbeat from" in str(state.message)) == ("Crashed", True)


def test_the_run_that_goes_on_finds_the_programs_where_the_one_that_died_was_told_that_its_spec_lies(
    sweeping: Sweeping,
) -> None:
    told: list[dict[str, Any]] = [{"spec": "specs/night/spec.yaml"}, {"workflow_id": "w1", "spec_dir": "specs/night"}]
    for number, parameters in enumerate(told):
        died = sweeping.client.create_flow_run_from_deployment(
            sweeping.deployment, parameters=parameters, state=Running()
        )
        sweeping.interrupt(f"w{number}", owner=str(died.id))
        assert sweeping.sweep()[f"w{number}"] == "started"
        started = next(one for one in sweeping.runs() if one.id == _newest(sweeping))
        assert started.parameters == {
            "workflow_id": f"w{number}",
            "spec_dir": "specs/night",
            "store": str(sweeping.store),
        }


def test_the_run_that_goes_on_is_given_the_same_sources_and_throws_nothing_away_that_was_finished(
    sweeping: Sweeping,
) -> None:
    told = {
        "workflow_id": "w", "repository": "https://example.org/app.git", "replay": "recorded", "fresh": True,
        "rerun": ["api"],
    }  # fmt: skip
    died = sweeping.client.create_flow_run_from_deployment(sweeping.deployment, parameters=told, state=Running())
    sweeping.interrupt("w", owner=str(died.id))
    (line,) = resume_interrupted(store=str(sweeping.store), deployment=sweeping.name, watch_seconds=0)
    assert (line["action"], line["not_repeated"]) == ("started", ["fresh", "rerun"])
    started = sweeping.client.read_flow_run(UUID(line["run"]))
    assert started.parameters == {
        "workflow_id": "w",
        "store": str(sweeping.store),
        "repository": "https://example.org/app.git",
        "replay": "recorded",
    }


def test_a_retry_under_the_same_id_is_not_taken_for_the_run_that_died(sweeping: Sweeping) -> None:
    run = sweeping.client.create_flow_run(feature, state=Running())
    sweeping.interrupt("retried", owner=str(run.id))
    sweeping.client.set_flow_run_state(run.id, Running(message="a retry"), force=True)
    sweeping.sweep()
    assert sweeping.client.read_flow_run(run.id).state_name == "Running"


def test_a_workflow_that_cannot_be_started_again_stops_no_other_and_shows(sweeping: Sweeping) -> None:
    sweeping.interrupt("a", "b")
    (sweeping.store / "restarts").mkdir()
    (sweeping.store / "restarts" / "a").write_text("no folder of marks")
    with pytest.raises(NotAllResumed, match="1 of 2 could not be gone on with: a: ") as told:
        sweeping.sweep()
    said = told.value.lines
    assert [one["action"] for one in said] == ["failed", "started"]
    assert sweeping.started() == ["b"]


def _newest(sweeping: Sweeping) -> UUID:
    return max(sweeping.runs(), key=lambda one: one.created).id
