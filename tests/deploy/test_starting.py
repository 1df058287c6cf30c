"""How soon a run begins; benchmarks/starting.py measures it on a machine that has nothing else to do.

Bounds are multiples of what a bare interpreter takes to import Prefect here and now, so that a busy machine fails nobody.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType

from tests.deploy.running import Place, finish, start, tasks_of, write_spec
from tests.flows.specs import LEAVE
from tests.flows.specs import write_spec as write_local_spec
from tests.servers import Server

TIMES = 8
"""Measured on two quiet cores: about two and a half times for either."""


@pytest.fixture(scope="module")
def importing() -> float:
    """Return the seconds it takes to import Prefect."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "from prefect import flow; import prefect.main"], check=True)
    return time.perf_counter() - began


def test_a_deployed_run_begins_its_first_track_soon_after_the_worker_took_it(
    worker: Server, client: SyncPrefectClient, place: Place, importing: float, capsys: pytest.CaptureFixture[str]
) -> None:
    run = start(client, "feature/feature", spec=str(write_spec(place.specs, "soon", "", "", "")))
    assert finish(client, run.id).name == "Completed"
    taken = next(one.timestamp for one in client.read_flow_run_states(run.id) if one.type == StateType.PENDING)
    first = min(
        one.start_time for one in tasks_of(client, run.id) if one.task_key.startswith("run_track") and one.start_time
    )
    seconds = (first - taken).total_seconds()
    with capsys.disabled():
        print(f"\n  first track {seconds:.1f} s after the worker took the run; importing Prefect {importing:.1f} s")
    assert 0 < seconds <= TIMES * importing


def test_plait_run_shows_its_first_progress_soon(
    prefect_api: Server, tmp_path: Path, importing: float, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = write_local_spec(tmp_path, "quick", {"api": LEAVE})
    environment = prefect_api.environment | {
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"), "PLAIT_STORE": str(tmp_path / "store"), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    argv = [str(Path(sys.executable).with_name("plait")), "run", spec]
    began = time.perf_counter()
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        line = run.stdout.readline()
        seconds = time.perf_counter() - began
        run.stdout.read()
    assert run.returncode == 0
    assert "initialize" in line
    with capsys.disabled():
        print(f"\n  first line of `plait run` after {seconds:.1f} s; importing Prefect {importing:.1f} s")
    assert seconds <= TIMES * importing
