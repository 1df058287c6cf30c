"""Ctrl-C, SIGTERM and a lost lease: everything ends soon, nothing is left alive, and the next run goes on."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from contexts.leases.record import read_lease
from tests.chaos.running import Place, living, plait, torn, wait_until
from tests.servers import ROOT, client_environment, descendants, free_port
from tests.waiting import PATIENCE

PLAIT = "import sys; from flows.cli import main; sys.exit(main(sys.argv[1:]))"


def last_flow_state(place: Place) -> str:
    """Return the name of the newest flow run's state of this case, which is named after its workflow."""
    found = httpx.post(
        f"{place.server.url}/flow_runs/filter", json={"sort": "START_TIME_DESC", "limit": 20}, timeout=PATIENCE
    ).json()
    return next(run["state_name"] for run in found if str(place.spec) in str(run["parameters"]))


@pytest.fixture
def stubborn(place: Place) -> Place:
    """A workflow with one finished track, two agents that ignore signals, and children in sessions of their own."""
    place.write_spec({"quick": [], "one": ["stubborn", "sleep=600"], "two": ["stubborn", "sleep=600"]})
    return place


def started(place: Place) -> subprocess.Popen[str]:
    """Start the command line from a fresh interpreter, as a terminal does, and wait until all agents are at work."""
    with (place.folder / "errors").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", PLAIT, "run", str(place.spec)],
            env=place.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    wait_until("the agents work", lambda: len(place.lines()) == 5 and place.completed() == {"quick"})
    return process


def errors_of(place: Place) -> str:
    """Return what a started run has said on stderr so far."""
    return (place.folder / "errors").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nobody_alive_and_can_go_on(stubborn: Place, number: signal.Signals) -> None:
    process = started(stubborn)
    family = descendants(process.pid)
    process.send_signal(number)
    process.communicate()
    assert not living(stubborn)
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert process.returncode == 130
    assert "goes on from there" in errors_of(stubborn)
    assert last_flow_state(stubborn) == "Cancelled"
    lease = read_lease(stubborn.store.objects, "feature")
    assert lease is not None
    assert lease.end_reason == "cancelled"
    assert torn(stubborn.store) == []
    # The edited tracks run; the one that was finished before is not touched.
    stubborn.write_spec({"quick": [], "one": [], "two": []})
    ended = plait(stubborn, "run", stubborn.spec, "--json")
    assert ended.code == 0, ended.err
    assert stubborn.started().count("quick") == 1


def test_a_second_ctrl_c_ends_it_too(stubborn: Place) -> None:
    process = started(stubborn)
    process.send_signal(signal.SIGINT)
    wait_until("the first one was heard", lambda: "stopping" in errors_of(stubborn))
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode in {130, -signal.SIGINT}
    wait_until("nobody is left", lambda: not living(stubborn))


def left_by(place: Place) -> list[str]:
    """Return what agents have left as their context so far."""
    return [path.read_text(encoding="utf-8") for path in (place.folder / "workspaces").rglob("context.json")]


def test_an_interrupted_agent_leaves_its_last_words(place: Place, new_place: Callable[[str], Place]) -> None:
    place.write_spec({"long": ["leave=half", "sleep=600"]})
    process = subprocess.Popen(
        [sys.executable, "-c", PLAIT, "run", str(place.spec)], env=place.environment, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_until("the agent has left something", lambda: '{"done": "half"}' in left_by(place))
    process.terminate()
    assert process.wait(30) == 130
    document = place.store.require("feature", "tracks/long")[1]
    assert (document["status"], document["checkpoint"]) == ("cancelled", {"done": "half"})


def track_states(place: Place) -> list[str]:
    """Return the names of the states of this case's tracks, as the server knows them."""
    found = httpx.post(f"{place.server.url}/task_runs/filter", json={"limit": 200}, timeout=PATIENCE).json()
    runs = httpx.post(f"{place.server.url}/flow_runs/filter", json={"limit": 200}, timeout=PATIENCE).json()
    mine = {run["id"] for run in runs if str(place.spec) in str(run["parameters"])}
    return [
        one["state_name"] for one in found if one["flow_run_id"] in mine and one["task_key"].startswith("run_track")
    ]


def test_a_run_that_waits_for_another_attempt_stops_at_once(place: Place) -> None:
    place.write_spec(
        {"fails": ["fail-first"]}, settings={"fails": {"retries": 1}}, policy={"retry_backoff_seconds": 600}
    )
    process = subprocess.Popen(
        [sys.executable, "-c", PLAIT, "run", str(place.spec)], env=place.environment, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_until("it waits for the second attempt", lambda: "Retrying" in track_states(place))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert plait(place, "run", place.spec).code == 0
    assert place.started() == ["fails", "fails"]


def left_of(family: set[psutil.Process]) -> list[psutil.Process]:
    """Return which of these processes are alive."""
    return [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def end_reason(place: Place) -> str | None:
    """Return why the case's lease ended."""
    lease = read_lease(place.store.objects, "feature")
    assert lease is not None
    return lease.end_reason


def test_a_second_sigterm_a_moment_later_changes_nothing(stubborn: Place) -> None:
    process = started(stubborn)
    family = descendants(process.pid)
    process.terminate()
    time.sleep(0.2)  # what is tested: it comes while the first one is being answered
    process.terminate()
    process.communicate()
    assert process.returncode == 130
    assert "goes on from there" in errors_of(stubborn)
    assert "Traceback" not in errors_of(stubborn)
    wait_until("nobody is left", lambda: not living(stubborn) and not left_of(family))
    assert end_reason(stubborn) == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_only_starting_ends_at_once(place: Place, number: signal.Signals) -> None:
    place.write_spec({"one": ["sleep=600"]})
    process = subprocess.Popen(
        [sys.executable, "-c", PLAIT, "run", str(place.spec)], env=place.environment, cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert "starting" in process.stdout.readline()
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said == "plait: interrupted; what was finished is kept, and nothing had begun\n"
    assert place.lines() == []
    assert read_lease(place.store.objects, "feature") is None


def on_a_terminal(place: Place) -> tuple[int, int]:
    """Start a run on a terminal of its own; return its process and the other side of the terminal."""
    pid, master = pty.fork()
    if not pid:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-c", PLAIT, "run", str(place.spec)], place.environment)
    return pid, master


def test_a_run_whose_terminal_goes_away_ends_its_agents_and_its_lease(stubborn: Place) -> None:
    pid, master = on_a_terminal(stubborn)
    os.set_blocking(master, False)

    def all_work() -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(master, 1 << 16)  # a full terminal would stop the run
        return len(stubborn.lines()) == 5 and stubborn.completed() == {"quick"}

    wait_until("the agents work", all_work)
    family = descendants(pid)
    os.close(master)  # the kernel sends SIGHUP, and every write fails from now on
    ended: list[int] = []

    def is_over() -> bool:
        found, status = os.waitpid(pid, os.WNOHANG)
        ended.extend([os.waitstatus_to_exitcode(status)] if found else [])
        return bool(found)

    wait_until("the run is over", is_over, 30)
    assert ended == [130]
    assert not living(stubborn)
    assert not left_of(family)
    assert end_reason(stubborn) == "cancelled"
    stubborn.write_spec({"quick": [], "one": [], "two": []})
    assert plait(stubborn, "run", stubborn.spec).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_starting_its_own_server_leaves_none(
    place: Place, tmp_path: Path, number: signal.Signals
) -> None:
    place.write_spec({"one": ["sleep=600"]})
    environment = client_environment(tmp_path / "prefect") | {
        "PREFECT_SERVER_API_PORT": str(free_port()),
        "PLAIT_STORE": str(place.store_path),
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PLAIT, "run", str(place.spec)], env=environment, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    server = wait_until("its server is being started", lambda: server_of(process.pid))
    server.suspend()  # it will never answer, and must be given up all the same
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "plait: interrupted; what was finished is kept, and nothing had begun"
    assert not left_of({server})
    assert place.lines() == []


def server_of(pid: int) -> psutil.Process | None:
    """Return the temporary server a run has started, once it is that."""
    found = [one for one in descendants(pid) if "uvicorn" in one.cmdline()]
    return found[0] if found else None
