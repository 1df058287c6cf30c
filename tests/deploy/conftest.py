"""One server with everything deployed, and one worker on it, for all tests of deployments."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client

from tests.deploy.running import Place
from tests.servers import ROOT, Server, running_worker

LONGEST = ["test_page_commands.py", "test_runs.py", "test_first_time.py", "test_examples.py", "test_ended_runs.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a server and a worker; what takes long begins first."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.deploy)
    rest = [item for item in items if item not in here]
    items[:] = sorted(here, key=lambda item: item.path.name not in LONGEST) + rest


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return the folders the worker may use: specs, its own store, and programs: an ssh that writes down its calls."""
    folder = tmp_path_factory.mktemp("place")
    made = Place(folder / "specs", folder / "store", folder / "workspaces", folder / "programs")
    made.specs.mkdir()
    made.programs.mkdir()
    ssh = made.programs / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$@" >>{made.programs / "ssh.log"}\nexit 1\n', encoding="utf-8")
    ssh.chmod(0o755)
    return made


@pytest.fixture(scope="session")
def deployed(prefect_api: Server) -> Server:
    """Deploy everything in prefect.yaml on the session's server, as `make deploy` does."""
    deploy(prefect_api)
    return prefect_api


@pytest.fixture(scope="session")
def worker(deployed: Server, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a worker that may use the specs folder and the repository's examples."""
    allowed = f"{place.specs}:{ROOT / 'examples'}"
    with running_worker(
        deployed,
        tmp_path_factory.mktemp("worker"),
        PATH=f"{place.programs}:{os.environ['PATH']}",
        PLAIT_STORE=str(place.store),
        PLAIT_WORKSPACES=str(place.workspaces),
        PLAIT_ALLOWED_SPECS=allowed,
        PLAIT_GIT_URL=ROOT.as_uri(),
    ):
        yield deployed


@pytest.fixture(scope="session")
def client(prefect_api: Server) -> Iterator[SyncPrefectClient]:
    """Return a client of the server's API."""
    del prefect_api
    with get_client(sync_client=True) as made:
        yield made


def deploy(server: Server, *options: str) -> str:
    """Run the command behind `make deploy`, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.deployments.deploy_all", *options],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
