"""How long a run takes to begin on a running server: a deployed one to its first track, `plait run` to its first line.

    PYTHONPATH=. python benchmarks/starting.py [ROUNDS]

Starts a Prefect server and a worker of its own. Limits: 5 s from the moment the worker takes a run to its first track,
3 s from `plait run` to its first line of progress. Beside them, what no change here can better: a bare interpreter that
imports Prefect. Ends with 1 if the median of either misses its limit.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from uuid import UUID

from table import show, verdict

from tests.servers import ROOT, Server, ask, running_server, running_worker

TRACK_LIMIT = 5.0
LINE_LIMIT = 3.0
PLAIT = str(Path(sys.executable).parent / "plait")


def write_spec(folder: Path, workflow_id: str) -> Path:
    """Write a spec with three tracks that do nothing."""
    agent = {"backend": "command", "argv": ["sh", "-c", 'echo {} > "$PLAIT_CONTEXT"']}
    spec = {
        "workflow_id": workflow_id,
        "agents": {"nobody": agent},
        "parallel_tasks": [{"task_id": f"t{number}", "agent": "nobody"} for number in range(3)],
    }
    path = folder / f"{workflow_id}.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def seconds(earlier: str, later: str) -> float:
    """Return the seconds between two instants as the API writes them."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def deployed(url: str, deployment: UUID, spec: Path) -> tuple[float, float]:
    """Start a deployed run; return the seconds until a worker took it, and from there to its first track."""
    made = ask(url, "POST", f"deployments/{deployment}/create_flow_run", {"parameters": {"spec": str(spec)}})
    deadline = time.monotonic() + 120
    while (state := ask(url, "GET", f"flow_runs/{made['id']}")["state"])["type"] not in {
        "COMPLETED",
        "FAILED",
        "CRASHED",
    }:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the run is still {state['name']}")
        time.sleep(0.2)
    if state["type"] != "COMPLETED":
        raise RuntimeError(f"the run ended as {state['name']}: {state['message']}")
    states = ask(url, "GET", f"flow_run_states/?flow_run_id={made['id']}")
    when = {one["type"]: one["timestamp"] for one in sorted(states, key=lambda one: one["timestamp"], reverse=True)}
    tasks = ask(url, "POST", "task_runs/filter", {"flow_runs": {"id": {"any_": [made["id"]]}}})
    first = min(one["start_time"] for one in tasks if one["task_key"].startswith("run_track"))
    return seconds(when["SCHEDULED"], when["PENDING"]), seconds(when["PENDING"], first)


def first_lines(server: Server, spec: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds from starting `plait run` to its first line, and to its first phase."""
    environment = server.environment | {
        "PLAIT_STORE": str(folder / "store"),
        "PLAIT_WORKSPACES": str(folder / "workspaces"),
        "PYTHONUNBUFFERED": "1",
    }
    came: list[tuple[float, str]] = []
    began = time.perf_counter()
    with subprocess.Popen([PLAIT, "run", str(spec)], env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        came += ((time.perf_counter() - began, line) for line in run.stdout)
    phases = [seconds for seconds, line in came if "phase initialize" in line]
    if run.returncode != 0 or not phases:
        raise RuntimeError(f"`plait run` ended with {run.returncode} and said {came}")
    return came[0][0], phases[0]


def importing() -> float:
    """Return the seconds a bare interpreter takes to import Prefect's flows and client."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "from prefect import flow; import prefect.main"], check=True)
    return time.perf_counter() - began


def main(rounds: int) -> int:
    """Measure everything, interleaved."""
    taken: dict[str, list[float]] = {
        "taken by the worker": [],
        "first track": [],
        "first line": [],
        "first phase": [],
        "import": [],
    }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with running_server(folder / "server") as server:
            subprocess.run(
                [sys.executable, "-m", "flows.deployments.deploy_all"],
                cwd=ROOT, env=server.environment, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            url = server.url
            deployment = ask(url, "GET", "deployments/name/feature/feature")["id"]
            own = {"PLAIT_STORE": str(folder / "kept"), "PLAIT_WORKSPACES": str(folder / "work")}
            with running_worker(server, folder / "worker", PLAIT_ALLOWED_SPECS=str(folder), **own):
                for number in range(rounds + 1):  # the first one compiles modules
                    poll, track = deployed(url, deployment, write_spec(folder, f"deployed-{number}"))
                    lines = first_lines(server, write_spec(folder, f"local-{number}"), folder)
                    found = (poll, track, *lines, importing())
                    if number:
                        for name, value in zip(taken, found, strict=True):
                            taken[name].append(value)
    limits = {"first track": TRACK_LIMIT, "first line": LINE_LIMIT}
    median = {name: statistics.median(values) for name, values in taken.items()}
    show(
        f"Seconds on a running server, {rounds} rounds",
        ("what", "median", "least", "most", "limit", ""),
        [
            (name, f"{median[name]:.2f}", f"{min(values):.2f}", f"{max(values):.2f}", limits.get(name, ""),
             verdict(median[name], limits[name]) if name in limits else "")
            for name, values in taken.items()
        ],
    )  # fmt: skip
    return 1 if any(median[name] > limit for name, limit in limits.items()) else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
