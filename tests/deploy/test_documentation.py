"""The commands of docs/guides/deploying.md, as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun

from contexts.leases.record import read_lease
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.deploy.conftest import deploy
from tests.deploy.running import Place, finish, wait_for
from tests.servers import ROOT, Server

PAGE = (ROOT / "docs" / "guides" / "deploying.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def run(server: Server, command: str) -> str:
    """Run a command of the page with this project's programs on PATH."""
    path = f"{Path(sys.executable).parent}:{server.environment['PATH']}"
    done = subprocess.run(
        shlex.split(command),
        cwd=ROOT,
        env=server.environment | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_runs_of_the_page_complete(worker: Server, client: SyncPrefectClient, place: Place) -> None:
    by_spec, stored = (line for line in COMMANDS if line.startswith("prefect deployment run feature/feature --param"))
    run(worker, by_spec)
    (made,) = wait_for("the workflow", lambda: of_today(place))
    wait_for("its end", lambda: ended(place, made))
    run(worker, stored.replace("nightly-20260101", made))
    again = wait_for("the second run", lambda: named(client, made))
    assert finish(client, again.id).name == "Completed"


def ended(place: Place, workflow_id: str) -> bool:
    """Say whether a workflow's run has ended."""
    lease = read_lease(LocalObjects(place.store), workflow_id)
    return lease is not None and lease.end_reason is not None


def of_today(place: Place) -> list[str]:
    """Return the workflows of the example in the worker's store."""
    return [one for one in ContextStore(LocalObjects(place.store)).workflows() if one.startswith("nightly-")]


def named(client: SyncPrefectClient, workflow_id: str) -> FlowRun | None:
    """Return the run that goes on with a stored workflow."""
    found = client.read_flow_runs(limit=200)
    return next((one for one in found if one.parameters.get("workflow_id") == workflow_id), None)


def test_the_limits_can_be_changed_as_the_page_says_and_deploying_leaves_them(
    deployed: Server, client: SyncPrefectClient
) -> None:
    queue, limit = re.findall(r"`(prefect (?:work-queue|concurrency-limit) [^`]+)`", re.sub(r"\s+", " ", PAGE))
    try:
        run(deployed, queue)
        run(deployed, limit)
        deploy(deployed)
        queues = {one.name: one.concurrency_limit for one in client.read_work_queues(work_pool_name="plait")}
        assert queues["features"] == 8
        assert client.read_concurrency_limit_by_tag("plait-backend-command").concurrency_limit == 32
    finally:
        run(deployed, queue.replace(" 8 ", " 4 "))
        run(deployed, limit.replace(" 32", " 16"))


def test_the_blocks_of_the_page_can_be_registered(prefect_api: Server) -> None:
    (command,) = re.findall(r"`(prefect block register [^`]+)`", PAGE)
    assert "S3 Contexts" in run(prefect_api, command)


def test_make_deploy_is_what_the_other_tests_run(prefect_api: Server) -> None:
    assert "make deploy" in COMMANDS
    assert "python -m flows.deployments.deploy_all" in run(prefect_api, "make --dry-run deploy")


def test_the_settings_of_the_page_are_those_the_worker_reads() -> None:
    told = set(re.findall(r"`(PLAIT_ALLOW\w+)`", PAGE))
    read = set(
        re.findall(
            r'"(PLAIT_ALLOW\w+)"', (ROOT / "flows" / "deployments" / "permissions.py").read_text(encoding="utf-8")
        )
    )
    assert told == read
