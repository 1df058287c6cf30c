"""A deployed run at its gate: suspended, resumed from the form on another worker, rejected."""

import contextlib
import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.settings import PREFECT_API_URL, temporary_settings

from contexts.leases.record import read_lease
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.deploy.gated import deploy_feature, kill, until, working
from tests.deploy.running import tasks_of, wait_for
from tests.flows.specs import LEAVE, write_spec
from tests.servers import Server, free_port, running_server
from tests.tasks.prefect_ui.feed import of

POOL = "gated"


class Shop:
    """Where a gated workflow lives, and the marks its commands leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ContextStore(LocalObjects(folder / "store"))
        self.environment = {
            "PLAIT_STORE": str(folder / "store"),
            "PLAIT_WORKSPACES": str(folder / "workspaces"),
            "PLAIT_ALLOWED_SPECS": str(folder),
        }

    def note(self, name: str) -> list[str]:
        return ["sh", "-c", f"echo done >> {self.folder / name}"]

    def times(self, name: str) -> int:
        file = self.folder / name
        return len(file.read_text().splitlines()) if file.exists() else 0

    def write(self, workflow_id: str) -> str:
        agent = f"open({str(self.folder / 'agents')!r}, 'a').write('ran\\n'); {LEAVE}"
        deployment = {
            "staging": {"argv": self.note("staging")},
            "production": {
                "argv": self.note("production"),
                "gate": "go",
                "prerequisites": [
                    {"id": "tested", "text": "tests pass", "check": "unit"},
                    {"id": "told", "text": "users were told", "manual": True},
                ],
            },
        }
        checks = {"checks": [{"id": "unit", "argv": self.note("checks")}]}
        return write_spec(
            self.folder, workflow_id, {"api": agent, "page": agent}, verification=checks, deployment=deployment
        )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture(scope="module")
def deployment(prefect_api: Server, client: SyncPrefectClient) -> UUID:
    return deploy_feature(client, POOL)


def form_of(client: SyncPrefectClient, run: FlowRun) -> dict[str, Any]:
    """Return the schema of the form a suspended run shows."""
    keys = run.state.state_details.run_input_keyset
    return json.loads(client.request("GET", f"/flow_runs/{run.id}/input/{keys['schema']}").content)


@pytest.mark.soak
def test_a_suspended_run_survives_its_worker_and_nothing_runs_twice(
    shop: Shop, prefect_api: Server, deployment: UUID, client: SyncPrefectClient, tmp_path: Path
) -> None:
    spec = shop.write("shop-{date}")
    with working(prefect_api, POOL, tmp_path / "first", **shop.environment) as worker:
        # `rerun` is done before the gate, and must not be done again after it.
        started = client.create_flow_run_from_deployment(deployment, parameters={"spec": spec, "rerun": ["api"]})
        run = until(client, started, "Suspended")
        kill(worker)
    (workflow_id,) = shop.store.workflows()
    lease = read_lease(shop.store.objects, workflow_id)
    assert lease
    assert lease.end_reason == "suspended"
    assert {"plait", f"workflow:{workflow_id}"} <= set(run.tags)
    waits_until = run.state.state_details.pause_timeout
    assert waits_until - datetime.now(UTC) > timedelta(days=89), "a person may be on holiday"
    form = form_of(client, run)
    assert form["required"] == ["who", "decision"]
    assert form["definitions"]["Decision"]["enum"] == ["approve", "reject"]
    assert form["properties"]["prerequisite_2"] | {"description": ""} == {
        "default": False, "description": "", "title": "users were told", "type": "boolean",
    }  # fmt: skip
    refused = client.resume_flow_run(run.id, run_input={"who": "Ann", "decision": "perhaps"})
    assert refused.status == SetStateStatus.REJECT
    with working(prefect_api, POOL, tmp_path / "second", **shop.environment):
        client.resume_flow_run(
            run.id, run_input={"who": "Ann", "decision": "approve", "note": "", "prerequisite_2": False}
        )
        first_key = run.state.state_details.pause_key
        run = until(client, run, "Resuming", "Pending", "Running")
        run = until(client, run, "Suspended")
        assert run.state.state_details.pause_key != first_key, "what is not ticked is asked again"
        assert shop.times("production") == 0
        client.resume_flow_run(
            run.id, run_input={"who": "Bea", "decision": "approve", "note": "go", "prerequisite_2": True}
        )
        run = until(client, run, "Completed")
    assert (shop.times("staging"), shop.times("production"), shop.times("agents"), shop.times("checks")) == (1, 1, 2, 1)
    tracks = [one for one in tasks_of(client, run.id) if one.task_key.startswith("run_track")]
    assert sorted(one.state.name for one in tracks) == ["Completed"] * 2 + ["Reused"] * 4
    assert shop.store.workflows() == (workflow_id,)
    _, document = shop.store.require(workflow_id)
    assert document["run"]["status"] == "deployed"
    assert [(one["decision"], one["by"]) for one in document["approvals"]] == [("ticked", "Ann"), ("approved", "Bea")]
    tested, told = document["deployment_readiness"]["production"]["prerequisites"]
    assert told["by"] == "Bea"
    assert (tested["evidence"]["check"], tested["evidence"]["exit_code"]) == ("unit", 0)
    assert document["deployment_readiness"]["staging"]["evidence"]["exit_code"] == 0
    given = wait_for("the event of the answer", lambda: of(client, workflow_id, "plait.approval.given"))
    assert [one["payload"]["decision"] for one in given] == ["approved", "ticked"]
    assert any(one["prefect.resource.role"] == "flow-run" for one in given[0]["related"])
    assert of(client, workflow_id, "plait.approval.requested")


def test_a_suspended_run_survives_a_restart_of_the_server(shop: Shop, tmp_path: Path) -> None:
    spec, home, port = shop.write("restarted"), tmp_path / "prefect", free_port()
    with on_server(home, port) as (server, client):
        deployment = deploy_feature(client, POOL)
        with working(server, POOL, tmp_path / "before", **shop.environment):
            run = until(
                client, client.create_flow_run_from_deployment(deployment, parameters={"spec": spec}), "Suspended"
            )
    with on_server(home, port) as (server, client), working(server, POOL, tmp_path / "after", **shop.environment):
        assert form_of(client, run)["properties"]["prerequisite_2"]["title"] == "users were told"
        answer = {"who": "Ann", "decision": "approve", "note": "go", "prerequisite_2": True}
        assert client.resume_flow_run(run.id, run_input=answer).status == SetStateStatus.ACCEPT
        run = until(client, run, "Completed")
    assert (shop.times("staging"), shop.times("production"), shop.times("agents"), shop.times("checks")) == (1, 1, 2, 1)
    assert shop.store.require("restarted")[1]["run"]["status"] == "deployed"


@contextlib.contextmanager
def on_server(home: Path, port: int) -> Generator[tuple[Server, SyncPrefectClient]]:
    """Run a server whose database stays in its home, and a client of it."""
    with (
        running_server(home, port) as server,
        temporary_settings({PREFECT_API_URL: server.url}),
        get_client(sync_client=True) as client,
    ):
        yield server, client


def test_a_rejected_run_ends_cleanly_with_the_reason(
    shop: Shop, prefect_api: Server, deployment: UUID, client: SyncPrefectClient, tmp_path: Path
) -> None:
    spec = shop.write("refused")
    with working(prefect_api, POOL, tmp_path / "worker", **shop.environment):
        run = until(client, client.create_flow_run_from_deployment(deployment, parameters={"spec": spec}), "Suspended")
        answer = {"who": "Ann", "decision": "reject", "note": "not on a Friday", "prerequisite_2": False}
        client.resume_flow_run(run.id, run_input=answer)
        run = until(client, run, "Rejected")
    assert run.state.message == "gate go rejected by Ann: not on a Friday"
    assert shop.times("production") == 0
    assert shop.store.require("refused")[1]["run"]["status"] == "rejected"
    lease = read_lease(shop.store.objects, "refused")
    assert lease
    assert lease.end_reason == "finished"
