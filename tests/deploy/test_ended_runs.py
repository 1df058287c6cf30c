"""Whatever ends a deployed run that no person ended: its work is kept, it says what happened, and the sweeper goes on.

Each worker here has a pool of its own, so that signals reach nobody else.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun

from contexts.leases.record import LeaseRecord, read_lease
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.upkeep.resume_interrupted import resume_interrupted
from tests.deploy.gated import deploy_feature, working
from tests.deploy.running import finish, start, wait_for, write_spec
from tests.servers import Server

KILLER = """
import json, os, pathlib, signal, time
pathlib.Path({notes!r}).open("a").write("working" + chr(10))
os.kill(json.loads(pathlib.Path({lease!r}).read_text())["pid"], signal.SIGKILL)
time.sleep(600)
"""
"""Kills the run that started it, each time."""
AGENT = """
import os, pathlib, signal, subprocess, sys, time
notes, gate = pathlib.Path({notes!r}), pathlib.Path({gate!r})
def note(text):
    with notes.open("a") as file: file.write(text + chr(10))
def end(number, _):
    note(signal.Signals(number).name)
    pathlib.Path(os.environ["PLAIT_CONTEXT"]).write_text('{{"context_summary": "as far as it got"}}')
    sys.exit(1)
if not gate.exists():
    signal.signal(signal.SIGINT, end); signal.signal(signal.SIGTERM, end)
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    note(f"working {{os.getpid()}} {{child.pid}}")
    while not gate.exists(): time.sleep(0.1)
    child.kill(); child.wait()
"""
"""Waits for the gate with a child of its own; what it is told to end by, it notes, and leaves a checkpoint."""


@dataclass(frozen=True)
class Site:
    """A pool with one deployment of the feature flow, and what its runs see.

    Attributes:
        pool: Its name, and the deployment's.
    """

    pool: str
    folder: Path
    server: Server
    client: SyncPrefectClient

    @property
    def objects(self) -> LocalObjects:
        return LocalObjects(self.folder / "store")

    @contextlib.contextmanager
    def worker(self, name: str) -> Generator[subprocess.Popen[bytes]]:
        own = {
            "PLAIT_STORE": str(self.folder / "store"),
            "PLAIT_WORKSPACES": str(self.folder / "workspaces"),
            "PLAIT_ALLOWED_SPECS": str(self.folder),
        }
        with working(self.server, self.pool, self.folder / name, **own) as process:
            yield process

    def spec(self, workflow_id: str, **more: Any) -> Path:
        program = AGENT.format(notes=str(self.notes(workflow_id)), gate=str(self.gate(workflow_id)))
        return write_spec(self.folder, workflow_id, "", program, **more)

    def notes(self, workflow_id: str) -> Path:
        return self.folder / f"{workflow_id}.notes"

    def gate(self, workflow_id: str) -> Path:
        return self.folder / f"{workflow_id}.gate"

    def at_work(self, workflow_id: str) -> tuple[FlowRun, LeaseRecord, list[psutil.Process]]:
        """Start a workflow; return, once its agent works, the run, its lease, and the agent's processes."""
        run = start(self.client, f"feature/{self.pool}", spec=str(self.spec(workflow_id)))
        notes = self.notes(workflow_id)
        line = wait_for("the agent", lambda: notes.exists() and notes.read_text().partition("\n")[0], 240)
        wait_for("the quick track", lambda: "tracks/track-1" in ContextStore(self.objects).revisions(workflow_id))
        lease = read_lease(self.objects, workflow_id)
        assert lease
        assert lease.owner == str(run.id)
        return run, lease, [psutil.Process(int(pid)) for pid in line.split()[1:]]

    def sweep(self, **options: Any) -> dict[str, str]:
        store = str(self.folder / "store")
        lines = resume_interrupted(store=store, deployment=f"feature/{self.pool}", watch_seconds=0, **options)
        return {one["workflow_id"]: one["action"] for one in lines}

    def restarts(self, workflow_id: str) -> list[FlowRun]:
        deployment = self.client.read_deployment_by_name(f"feature/{self.pool}")
        of_it = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment.id]))
        found = self.client.read_flow_runs(flow_run_filter=of_it)
        return [one for one in found if one.parameters.get("workflow_id") == workflow_id]


@pytest.fixture
def site(prefect_api: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    pool = request.node.name.partition("[")[0].replace("_", "-")[5:60].strip("-")
    with get_client(sync_client=True) as client:
        deploy_feature(client, pool)
        yield Site(pool, tmp_path, prefect_api, client)


def ended(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def goes_on(site: Site, *workflows: str) -> None:
    """What the sweeper starts goes on where the run was, on a new worker."""
    assert {name: site.sweep()[name] for name in workflows[:1]} == {workflows[0]: "started"}
    for name in workflows:
        site.gate(name).touch()
    with site.worker("next"):
        for name in workflows:
            (again,) = site.restarts(name)
            state = finish(site.client, again.id)
            assert state.name == "Completed", state.message


def test_a_worker_that_is_asked_to_end_leaves_its_runs_the_time_to_save_what_they_have(site: Site) -> None:
    with site.worker("first") as worker:
        run, lease, agents = site.at_work("drained")
        worker.send_signal(signal.SIGTERM)
        state = finish(site.client, run.id)
        assert state.is_crashed(), state
        assert "not by a person" in str(state.message)
        wait_for("the agents to be gone", lambda: ended(agents))
        assert site.notes("drained").read_text().split("\n")[1:-1] == ["SIGINT"]
        assert worker.wait(60) is not None
    wait_for("the lease's end", lambda: (read_lease(site.objects, "drained") or lease).end_reason)
    assert (read_lease(site.objects, "drained") or lease).end_reason == "interrupted"
    _, document = ContextStore(site.objects).latest("drained", "tracks/track-2") or pytest.fail("no track document")
    assert "as far as it got" in json.dumps(document)
    goes_on(site, "drained")


def test_a_killed_worker_takes_no_run_along_and_a_request_to_end_then_ends_one_with_its_work_kept(site: Site) -> None:
    with site.worker("first") as worker:
        finishes, _, _ = site.at_work("finishes")
        asked, lease, agents = site.at_work("asked")
        worker.kill()
        worker.wait(20)
        site.gate("finishes").touch()
        assert finish(site.client, finishes.id).name == "Completed"
        os.kill(lease.pid, signal.SIGTERM)
        state = finish(site.client, asked.id)
        assert state.is_crashed(), state
        assert "not by a person" in str(state.message)
        wait_for("the agents to be gone", lambda: ended(agents))
        assert site.notes("asked").read_text().split("\n")[1:-1] == ["SIGINT"]
    goes_on(site, "asked")


def test_a_run_that_is_ended_every_time_is_started_again_so_often_and_then_left_for_a_person(site: Site) -> None:
    lease = site.folder / "store" / "leases" / "doomed.json"
    program = KILLER.format(notes=str(site.notes("doomed")), lease=str(lease))
    run = start(site.client, f"feature/{site.pool}", spec=str(write_spec(site.folder, "doomed", program)))
    # As a background job of a shell script begins: Ctrl-C does not reach it.
    with ignoring(signal.SIGINT), site.worker("first"):
        assert finish(site.client, run.id, 300).is_crashed()
        assert site.sweep(max_restarts=1) == {"doomed": "started"}
        (again,) = site.restarts("doomed")
        assert finish(site.client, again.id, 300).is_crashed()
        assert site.sweep(max_restarts=1) == {"doomed": "given-up"}
        assert site.sweep(max_restarts=1) == {"doomed": "given-up"}
    assert len(site.restarts("doomed")) == 1
    assert site.notes("doomed").read_text().splitlines() == ["working"] * 2


@contextlib.contextmanager
def ignoring(number: signal.Signals) -> Generator[None]:
    """Let what is started in the block be born with a signal ignored."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)
