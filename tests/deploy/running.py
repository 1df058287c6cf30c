"""Start deployed flows through the API, as the UI does, and wait for how they end."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State, TaskRun

from tests.waiting import PATIENCE, wait_until


@dataclass(frozen=True)
class Place:
    """Where a worker finds specs and keeps what it makes."""

    specs: Path
    store: Path
    workspaces: Path
    programs: Path

    def ssh_calls(self) -> list[str]:
        """Return the arguments of every ssh that the worker's runs started."""
        log = self.programs / "ssh.log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def start(client: SyncPrefectClient, deployment: str, **parameters: Any) -> FlowRun:
    """Start a deployed flow with parameters as the UI's form sends them."""
    found = client.read_deployment_by_name(deployment)
    return client.create_flow_run_from_deployment(found.id, parameters=parameters)


def finish(client: SyncPrefectClient, run_id: UUID, seconds: float = PATIENCE) -> State[Any]:
    """Wait for a flow run, and return its last state."""

    def final() -> State[Any] | None:
        state = client.read_flow_run(run_id).state
        return state if state and state.is_final() else None

    return wait_until(f"the end of flow run {run_id}", final, seconds, every=0.5)


def wait_for(what: str, probe: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until a probe returns something, and return it."""
    return wait_until(what, probe, seconds, every=0.5)


def tasks_of(client: SyncPrefectClient, run_id: UUID) -> list[TaskRun]:
    """Return the task runs of a flow run."""
    mine = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[run_id]))
    return client.read_task_runs(task_run_filter=mine)


def write_spec(folder: Path, workflow_id: str, *programs: str, **more: Any) -> Path:
    """Write a spec with a track for each line of Python, all in plain folders; each track's context is `{}`."""
    leave = "import os; open(os.environ['PLAIT_CONTEXT'], 'w').write('{}')"
    names = [f"track-{number}" for number in range(1, len(programs) + 1)]
    spec = {
        "workflow_id": workflow_id,
        "agents": {
            name: {"backend": "command", "argv": ["{python}", "-c", f"{program}\n{leave}"]}
            for name, program in zip(names, programs, strict=True)
        },
        "parallel_tasks": [{"task_id": name, "agent": name, "timeout_minutes": 2} for name in names],
        **more,
    }
    path = folder / f"{workflow_id}.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path
