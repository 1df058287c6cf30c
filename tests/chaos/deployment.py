"""A deployment of the feature flow on a server and worker of its own, and what a person does in the UI, by the API."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.running import Place, wait_until
from tests.servers import ROOT, ask, started
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Ui:
    """What a person at the UI can do with runs of one deployment."""

    url: str
    deployment: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return ask(self.url, method, path, body)

    def start(self, **parameters: Any) -> str:
        """Start a run with the form; return its id."""
        return self.ask("POST", f"deployments/{self.deployment}/create_flow_run", {"parameters": parameters})["id"]

    def set_state(self, run_id: str, kind: str, name: str, *, force: bool = False, **details: Any) -> Any:
        """Put a run into a state, as the UI's buttons do."""
        state = {"type": kind, "name": name, "state_details": details}
        return self.ask("POST", f"flow_runs/{run_id}/set_state", {"state": state, "force": force})

    def cancel(self, run_id: str) -> None:
        self.set_state(run_id, "CANCELLING", "Cancelling")

    def suspend(self, run_id: str) -> None:
        """What the button Suspend sends."""
        timeout = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))
        self.set_state(run_id, "PAUSED", "Suspended", pause_reschedule=True, pause_timeout=timeout)

    def resume(self, run_id: str) -> None:
        assert self.ask("POST", f"flow_runs/{run_id}/resume")["status"] == "ACCEPT"

    def retry(self, run_id: str) -> None:
        """What the button Retry sends."""
        self.set_state(run_id, "SCHEDULED", "AwaitingRetry", force=True)

    def state(self, run_id: str) -> str:
        return self.ask("GET", f"flow_runs/{run_id}")["state"]["name"]

    def message(self, run_id: str) -> str:
        return str(self.ask("GET", f"flow_runs/{run_id}")["state"]["message"])

    def wait_for_state(self, run_id: str, *names: str, seconds: float = PATIENCE) -> str:
        deadline = time.monotonic() + max(seconds, PATIENCE)
        while (now := self.state(run_id)) not in names:
            assert time.monotonic() < deadline, f"still {now}, not {names}: {self.message(run_id)}"
            time.sleep(0.2)
        return now

    def task_states(self, run_id: str) -> dict[str, str]:
        """Return the newest state name of each track's task run."""
        body = {"flow_runs": {"id": {"any_": [run_id]}}, "sort": "EXPECTED_START_TIME_ASC", "limit": 200}
        found = self.ask("POST", "task_runs/filter", body)
        return {one["name"].split(" · ")[1]: one["state_name"] for one in found if one["task_key"].startswith("run_t")}


@contextlib.contextmanager
def deployed(place: Place, name: str) -> Generator[tuple[Ui, subprocess.Popen[bytes]]]:
    """Deploy the feature flow from this checkout to a pool of its own, and run a worker with the case's environment."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 takes seconds, and most tests do without
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415 same

    from flows.feature import feature  # noqa: PLC0415 same

    base = place.server.url
    pools = httpx.post(f"{base}/work_pools/", json={"name": name, "type": "process"}, timeout=PATIENCE)
    assert pools.status_code in {200, 201, 409}, pools.text
    with temporary_settings({PREFECT_API_URL: base}), get_client(sync_client=True) as client:
        made = client.create_deployment(
            flow_id=client.create_flow(feature),
            name=name,
            entrypoint="flows.feature.feature",
            work_pool_name=name,
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
            job_variables={"command": f"{sys.executable} -m prefect.engine"},
        )
    ui = Ui(base, str(made))
    with worker_of(place, name, "first") as worker:
        yield ui, worker


@contextlib.contextmanager
def worker_of(place: Place, pool: str, name: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker of a pool that looks for work every second."""
    argv = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--name", name]
    quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_PREFETCH_SECONDS": "1"}
    log = place.folder / f"{pool}-{name}.log"
    allowed = {"PLAIT_ALLOWED_SPECS": str(place.folder)}
    with started(argv, place.environment | quick | allowed, log, cwd=place.folder) as process:
        wait_until("the worker has started", lambda: "started!" in log.read_text(errors="replace"), 90)
        yield process
