"""A request to end is heard where it can be answered: it neither strands a run at its gate nor undoes one that is over."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.exceptions import Pause, TerminationSignal
from prefect.states import Suspended

from contexts.leases.interrupted import interrupted
from contexts.leases.record import INTERRUPTED, read_lease
from contexts.spec.request import RunRequest
from flows import feature as flow
from flows.deployments.concurrency import backend_tag
from flows.launch import launch
from flows.phases import interruption, through_gate
from flows.phases.signals import Hearing
from tasks.prefect_ui import ornaments
from tasks.prefect_ui.ornaments import Ornaments
from tests.flows.gate import Place
from tests.flows.specs import LEAVE, write_spec
from tests.servers import Server
from tests.waiting import wait_until

server = pytest.mark.usefixtures("prefect_api", "workspaces")


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Hear Ctrl-C, also where the tests were started in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def survives() -> Iterator[None]:
    """Let this process live through the SIGTERM that Prefect sends on when one ended its flow."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def deployed(survives: None, prefect_api: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs take themselves for deployed ones, which alone ask a person and are ended by a worker."""
    del survives, prefect_api
    with get_client(sync_client=True) as client:
        client.create_concurrency_limit(tag=backend_tag("command"), concurrency_limit=4)
        made = client.create_deployment(client.create_flow(flow.feature), name="feature")
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", str(made))
    monkeypatch.setenv("PLAIT_ALLOWED_SPECS", str(tmp_path))
    monkeypatch.setenv("PLAIT_STORE", str(tmp_path / "store"))


def end_of(place: Place) -> str | None:
    """Return how the lease ended."""
    lease = read_lease(place.store.objects, "shop")
    return lease and lease.end_reason


def swept(place: Place) -> list[str]:
    """Return what the sweep would start again."""
    found = interrupted(place.store.objects, now=datetime.now(UTC), watch=0, sleep=time.sleep)
    return [one.workflow_id for one in found]


def gated(folder: Path) -> Place:
    place = Place(folder)
    place.spec = place.write(deployment={"production": {"argv": place.note("production"), "gate": "go"}})
    return place


@server
def test_a_request_between_the_answer_and_the_deployment_leaves_a_run_that_is_gone_on_with(
    deployed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = gated(tmp_path)

    def answered(*_: object) -> None:
        place.answer("approve")
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(through_gate, "ask", answered)
        state = flow.feature(spec=place.spec, return_state=True)
    assert state.is_crashed(), state
    assert (end_of(place), swept(place), place.times("production")) == (INTERRUPTED, ["shop"], 0)
    state = flow.feature(workflow_id="shop", return_state=True)
    assert (state.is_completed(), end_of(place), place.times("production")) == (True, "finished", 1)


@server
def test_a_request_while_a_run_is_being_suspended_leaves_it_suspended(
    deployed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = gated(tmp_path)

    def suspended(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise Pause(state=Suspended())

    monkeypatch.setattr(through_gate, "ask", suspended)
    with pytest.raises(Pause):
        flow.feature(spec=place.spec, return_state=True)
    assert (end_of(place), place.times("production")) == ("suspended", 0)


@server
def test_a_run_that_cannot_ask_at_its_gate_is_gone_on_with(
    deployed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = gated(tmp_path)

    def away(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise httpx.ConnectError("the server is away")

    monkeypatch.setattr(through_gate, "ask", away)
    state = flow.feature(spec=place.spec, return_state=True)
    assert state.is_failed(), state
    assert (end_of(place), swept(place)) == (INTERRUPTED, ["shop"])


@pytest.fixture
def slow_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Have every run show one thing more, which the server does not take, and be asked to end while it waits for that."""
    answers = threading.Event()
    monkeypatch.setattr(ornaments, "END_WITHIN", 3600.0)
    number = signal.SIGTERM
    real: Any = flow.publish

    def publish(run: Any, final: Any, versions: Any, shown: Ornaments) -> None:
        real(run, final, versions, shown)

        def never() -> None:
            wait_until("the run waits", lambda: shown._closed)  # pyright: ignore[reportPrivateUsage]
            os.kill(os.getpid(), number if os.environ.get("PREFECT__RUNTIME__DEPLOYMENT__ID") else signal.SIGINT)
            answers.wait()

        shown.add("never", never)

    monkeypatch.setattr(flow, "publish", publish)
    yield answers
    answers.set()


@server
def test_a_deployed_run_that_is_over_is_not_undone_by_a_request_while_it_waits_for_the_server(
    deployed: None, slow_server: threading.Event, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    place.spec = write_spec(tmp_path, "shop", {"api": LEAVE})
    state = flow.feature(spec=place.spec, return_state=True)
    assert (state.is_completed(), end_of(place), swept(place)) == (True, "finished", [])


@server
def test_a_run_at_a_terminal_that_is_over_is_not_undone_by_ctrl_c_which_ends_its_wait_for_the_server(
    slow_server: threading.Event, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    place.spec = write_spec(tmp_path, "shop", {"api": LEAVE})
    report = launch(RunRequest(spec=place.spec, store=str(tmp_path / "store")))
    assert (report.exit_code, end_of(place)) == (0, "finished")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_was_noted_is_answered_once_it_is_heard_again() -> None:
    hearing = Hearing()
    hearing.hold()
    hearing.hold()
    signal.raise_signal(signal.SIGINT)
    assert hearing.hurried
    with pytest.raises(KeyboardInterrupt):
        hearing.release()
    assert not hearing.hurried
    hearing.release()
    hearing.hold()
    signal.raise_signal(signal.SIGINT)
    hearing.forget()
    assert (hearing.hurried, signal.getsignal(signal.SIGINT)) == (False, signal.default_int_handler)


@pytest.mark.parametrize("reason", ["interrupted", "cancelled"])
def test_what_still_runs_is_told_to_stop_before_anybody_is_asked_why(
    monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    run: Any = SimpleNamespace(workflow_id="w", cancel=threading.Event(), lease=SimpleNamespace(end_reason=None))
    heard: list[bool] = []

    def who() -> str:
        heard.append(run.cancel.is_set())
        return reason

    monkeypatch.setattr(interruption, "_who_ends_it", who)
    interruption.stopped(run, TerminationSignal(signal=signal.SIGTERM))
    assert (heard, run.lease.end_reason) == ([True], reason)
