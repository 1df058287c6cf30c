"""A flow run that a person cancels or deletes in Prefect while it works: the run stops, says so, and can go on."""

import signal

import httpx
import pytest

from contexts.leases.record import read_lease
from tests.chaos.running import Place, fork, living, plait, wait_until
from tests.servers import ask

PATIENCE = 180.0


def flow_run(place: Place) -> str:
    """Return the id of the flow run of this case, which has the path of its spec among its parameters."""
    found = ask(place.server.url, "POST", "flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 50})
    return next(run["id"] for run in found if str(place.spec) in str(run["parameters"]))


@pytest.fixture
def working(place: Place) -> Place:
    place.write_spec({"one": ["stubborn", "sleep=600"], "two": []}, max_parallel=1)
    return place


def end_reason(place: Place) -> str | None:
    lease = read_lease(place.store.objects, "feature")
    assert lease is not None
    return lease.end_reason


def assert_goes_on(place: Place) -> None:
    assert not living(place)
    assert place.started() == ["one"]
    assert end_reason(place) == "cancelled"
    place.write_spec({"one": [], "two": []}, max_parallel=1)
    assert plait(place, "run", place.spec).code == 0


def test_a_deleted_flow_run_stops_its_run_as_a_cancellation_does_and_no_new_agent_starts(working: Place) -> None:
    run = fork(working, "run", working.spec)
    wait_until("its agent works", working.started, PATIENCE)
    ask(working.server.url, "DELETE", f"flow_runs/{flow_run(working)}")
    ended = run.wait(PATIENCE)
    assert ended.code == 128 + signal.SIGINT, ended.err
    (said,) = [line for line in ended.err.splitlines() if "deleted" in line]
    assert "was deleted in Prefect; what was finished is kept" in said
    assert "defect" not in ended.err
    assert "Traceback" not in ended.err
    assert_goes_on(working)


@pytest.mark.parametrize("kind", ["CANCELLING", "CANCELLED"])
def test_a_run_that_is_cancelled_in_prefect_stops_and_keeps_its_own_message(working: Place, kind: str) -> None:
    """Without a worker nobody sends a signal; a person's tool may also set the last state at once."""
    run = fork(working, "run", working.spec)
    wait_until("its agent works", working.started, PATIENCE)
    run_id = flow_run(working)
    ask(working.server.url, "POST", f"flow_runs/{run_id}/set_state", {"state": {"type": kind}, "force": True})
    ended = run.wait(PATIENCE)
    assert ended.code == 128 + signal.SIGINT, ended.err
    assert "defect" not in ended.err
    assert "Traceback" not in ended.err
    state = httpx.get(f"{working.server.url}/flow_runs/{run_id}", timeout=PATIENCE).json()["state"]
    assert state["type"] == "CANCELLED"
    if kind == "CANCELLING":
        assert "was cancelled; what was finished is kept" in state["message"]
    assert_goes_on(working)
