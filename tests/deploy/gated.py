"""A deployment of the feature flow on a work pool of its own, and workers for it that can be killed."""

import contextlib
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from flows.feature import feature
from tests.deploy.running import wait_for
from tests.servers import ROOT, Server, descendants, started


def deploy_feature(client: SyncPrefectClient, pool: str) -> UUID:
    """Put the feature flow on a server, to be run by process workers of a pool; return the deployment's id."""
    template: dict[str, Any] = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=template), overwrite=True)
    return client.create_deployment(
        flow_id=client.create_flow(feature),
        name=pool,
        entrypoint="flows.feature.feature",
        work_pool_name=pool,
        pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
        parameter_openapi_schema=parameter_schema(feature).model_dump(),
        enforce_parameter_schema=False,
    )


@contextlib.contextmanager
def working(server: Server, pool: str, folder: Path, **environment: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker of a pool that may be killed; afterwards nothing of it is left."""
    folder.mkdir(parents=True)
    quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_PREFETCH_SECONDS": "1"}
    argv = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--name", folder.name]
    log = folder / "worker.log"
    with started(argv, server.environment | quick | environment, log, cwd=folder) as process:
        wait_for("the worker", lambda: "started!" in log.read_text(encoding="utf-8", errors="replace"), 90)
        yield process


def kill(worker: subprocess.Popen[bytes]) -> None:
    """End a worker as by kill -9, with everything it runs."""
    family = descendants(worker.pid)
    worker.kill()
    worker.wait(20)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def until(client: SyncPrefectClient, run: FlowRun, *names: str) -> FlowRun:
    """Wait until a flow run is in a state of one of these names."""

    seen: list[str] = []

    def look() -> FlowRun | None:
        found = client.read_flow_run(run.id)
        assert found.state is not None
        if not seen or seen[-1] != found.state.name:
            seen.append(str(found.state.name))
        if found.state.name in names:
            return found
        assert not found.state.is_final(), f"{found.name} ended as {found.state.name}: {found.state.message}"
        return None

    try:
        return wait_for(f"{run.name} to be {' or '.join(names)}", look, 240)
    except AssertionError as error:
        error.add_note(f"it was {', then '.join(seen)}")
        raise
