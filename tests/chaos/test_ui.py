"""What a person does in the UI, with a real server and a real worker: cancel, suspend, resume, retry."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from contexts.leases.record import read_lease
from tests.chaos.deployment import Ui, deployed, worker_of
from tests.chaos.running import Place, living, torn, wait_until
from tests.servers import Server


@pytest.fixture(scope="module")
def shared(prefect_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Ui]]:
    place = Place(tmp_path_factory.mktemp("ui"), prefect_server)
    with deployed(place, "ui") as (ui, _):
        yield place, ui


@pytest.fixture
def ui(shared: tuple[Place, Ui]) -> Ui:
    return shared[1]


@pytest.fixture
def case(shared: tuple[Place, Ui], request: pytest.FixtureRequest) -> Iterator[Place]:
    """The worker's place with a workflow of this test's own."""
    place = Place(shared[0].folder, shared[0].server, workflow_id=request.node.name.replace("_", "-")[:60].rstrip("-"))
    yield place
    assert not living(place)


def end_reason(place: Place) -> str | None:
    lease = read_lease(place.store.objects, place.workflow_id)
    assert lease is not None
    return lease.end_reason


def at_work(place: Place, ui: Ui) -> str:
    """Start a workflow with one quick track and two agents that ignore signals; return when all are at work."""
    place.write_spec({"quick": [], "one": ["stubborn", "sleep=600"], "two": ["stubborn", "sleep=600"]})
    run_id = ui.start(spec=str(place.spec))
    wait_until("the agents work", lambda: len(place.lines()) == 5 and place.completed() == {"quick"})
    return run_id


def finish_after_edit(place: Place, ui: Ui) -> None:
    place.write_spec({"quick": [], "one": [], "two": []})
    again = ui.start(spec=str(place.spec))
    assert ui.wait_for_state(again, "Completed", "Failed", "Crashed", "Partial") == "Completed", ui.message(again)
    assert ui.task_states(again) == {"quick": "Reused", "one": "Completed", "two": "Completed"}
    assert place.started().count("quick") == 1


def test_cancel_ends_all_agents_and_the_lease(case: Place, ui: Ui) -> None:
    run_id = at_work(case, ui)
    ui.cancel(run_id)
    wait_until("all agents are gone", lambda: not living(case))
    assert ui.wait_for_state(run_id, "Cancelled", "Crashed") == "Cancelled"
    wait_until("the lease has ended", lambda: end_reason(case))
    assert end_reason(case) == "cancelled"
    assert torn(case.store) == []
    finish_after_edit(case, ui)


def test_suspend_ends_all_agents_and_resume_goes_on(case: Place, ui: Ui) -> None:
    gate = case.folder / f"gate-{case.workflow_id}"
    case.write_spec({"quick": [], "waits": ["stubborn", f"wait={gate}"], "after": []},
                    settings={"after": {"needs": ["waits"]}})  # fmt: skip
    run_id = ui.start(spec=str(case.spec))
    wait_until("the agents work", lambda: len(case.lines()) == 3 and case.completed() == {"quick"})
    ui.suspend(run_id)
    wait_until("all agents are gone", lambda: not living(case))
    wait_until("the lease has ended", lambda: end_reason(case))
    assert end_reason(case) == "suspended"
    time.sleep(2)
    assert ui.state(run_id) == "Suspended"
    assert torn(case.store) == []
    gate.touch()
    ui.resume(run_id)
    assert ui.wait_for_state(run_id, "Completed", "Failed", "Crashed", "Partial") == "Completed", ui.message(run_id)
    assert sorted(case.started()) == ["after", "quick", "waits", "waits"]


def test_retry_runs_only_what_failed(case: Place, ui: Ui) -> None:
    case.write_spec({"fails": ["fail-first"], "fine": [], "after": []}, settings={"after": {"needs": ["fails"]}})
    run_id = ui.start(spec=str(case.spec))
    assert ui.wait_for_state(run_id, "Partial", "Completed", "Failed", "Crashed") == "Partial"
    ui.retry(run_id)
    assert ui.wait_for_state(run_id, "Completed", "Failed", "Crashed") == "Completed", ui.message(run_id)
    assert sorted(case.started()) == ["after", "fails", "fails", "fine"]


def test_a_killed_flow_process_is_resumed_by_a_new_deployed_run(case: Place, ui: Ui) -> None:
    run_id = at_work(case, ui)
    lease = read_lease(case.store.objects, case.workflow_id)
    assert lease is not None
    os.kill(lease.pid, signal.SIGKILL)
    wait_until("all agents are gone", lambda: not living(case), 10)
    assert ui.wait_for_state(run_id, "Crashed") == "Crashed"
    assert end_reason(case) is None
    finish_after_edit(case, ui)


def test_a_killed_worker_takes_no_finished_work_with_it(place: Place) -> None:
    # At this level the run prints lines to its worker all the time, which then break a pipe.
    place = replace(place, settings={**place.settings, "PREFECT_LOGGING_LEVEL": "INFO"})
    gate = place.folder / "gate"
    place.write_spec({"quick": [], "waits": [f"wait={gate}"]})
    with deployed(place, "killed-worker") as (ui, worker):
        run_id = ui.start(spec=str(place.spec))
        wait_until("the agents work", lambda: len(place.lines()) == 2 and place.completed() == {"quick"})
        worker.kill()
        worker.wait(10)
        gate.touch()
        time.sleep(1)
        with worker_of(place, "killed-worker", "second"):
            first = ui.wait_for_state(run_id, "Completed", "Crashed", "Failed", "Cancelled")
            again = ui.start(spec=str(place.spec))
            assert ui.wait_for_state(again, "Completed", "Failed", "Crashed") == "Completed", ui.message(again)
    print(f"after kill -9 of its worker the run ended {first}")
    assert first == "Completed"
    assert place.started().count("quick") == 1
    assert torn(place.store) == []
