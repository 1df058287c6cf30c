"""A deployment of the feature flow on a work pool of its own, and workers for it that can be killed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessWorker

ROOT = Path(__file__).resolve().parents[2]


def deploy_feature(client: SyncPrefectClient, pool: str) -> UUID:
    """Put the feature flow on a server, to be run by process workers of a pool; return the deployment's id."""
    from flows.feature import feature
    from prefect.utilities.callables import parameter_schema

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
def working(pool: str, folder: Path, environment: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker of a pool; afterwards nothing of it is left."""
    folder.mkdir(parents=True, exist_ok=True)
    quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_PREFETCH_SECONDS": "1", "PYTHONWARNINGS": "ignore"}
    argv = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--name", folder.name]
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env={**os.environ, **environment, **quick}, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for("the worker", lambda: "started!" in log.read_text(errors="replace"), 60)
        yield process
    finally:
        end(process, signal.SIGTERM)


def end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End a worker and whatever it started."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    if process.poll() is None:
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    if process.poll() is None:
        process.kill()
    process.wait(20)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, f"left behind: {alive}"


def wait_for(what: str, probe: Callable[[], Any], seconds: float = 90) -> Any:
    """Wait until a probe returns something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.3)
    return found


def until(client: SyncPrefectClient, run: FlowRun, *names: str) -> FlowRun:
    """Wait until a flow run is in a state of one of these names."""

    def look() -> FlowRun | None:
        found = client.read_flow_run(run.id)
        assert found.state is not None
        if found.state.name in names:
            return found
        assert not found.state.is_final(), f"{found.name} ended as {found.state.name}: {found.state.message}"
        return None

    return wait_for(f"{run.name} to be {' or '.join(names)}", look)
