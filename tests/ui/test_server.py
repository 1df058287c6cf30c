"""`plait run --ui`: a server that stays, is found again, and is ended by Prefect's own command."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser

from tests.flows.specs import LEAVE, write_spec
from tests.servers import answers, client_environment, free_port
from tests.ui.person import visiting
from tests.waiting import wait_until

PLAIT = [sys.executable, "-c", "import sys; from flows.cli import main; sys.exit(main())"]
PREFECT = [sys.executable, "-m", "prefect"]
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/runs/flow-run/([0-9a-f-]{36})")


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the environment of somebody whose Prefect server is configured nowhere; end what is left of theirs."""
    home = tmp_path / "prefect"
    yield client_environment(home) | {
        "PREFECT_SERVER_API_PORT": str(free_port()),
        "PLAIT_STORE": str(tmp_path / "store"),
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"),
    }
    for process in servers_of(home):
        process.kill()


def servers_of(home: Path) -> list[psutil.Process]:
    """Return the living processes that have a Prefect home; the homes of tests are nobody else's."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            theirs = process.environ().get("PREFECT_HOME") == str(home) and process.pid != os.getpid()
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if theirs and alive:
            found.append(process)
    return found


def run(argv: list[str], environment: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, env={**environment}, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_server_is_started_once_shows_the_run_and_is_ended_by_prefects_own_command(
    environment: dict[str, str], tmp_path: Path, browser: Browser
):
    home = Path(environment["PREFECT_HOME"])
    spec = write_spec(tmp_path, "hello", {"one": LEAVE})
    first = run([*PLAIT, "run", spec, "--ui"], environment, tmp_path)
    assert first.returncode == 0, first.stderr
    assert "`prefect server stop` ends it" in first.stderr
    base, first_run = ADDRESS.search(first.stdout).groups()
    assert first.stdout.count(first_run) == 2, "at the beginning and at the end"
    pid = int((home / "server.pid").read_text())

    # Without --ui as well: it is the server of this home, and two on one database would be one too many.
    again = run([*PLAIT, "run", spec], environment, tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert ADDRESS.search(again.stdout)[1] == base
    assert [int((home / "server.pid").read_text()), psutil.pid_exists(pid)] == [pid, True]

    with visiting(browser, f"{base}/api") as somebody:
        somebody.open(f"/runs/flow-run/{first_run}")
        somebody.see_state("Completed")
        somebody.see("merge hello", within=somebody.run_tab("Task Runs"))

    assert f"{base}/api runs in the background" in run([*PLAIT, "doctor"], environment, tmp_path).stdout
    stopped = run([*PREFECT, "server", "stop"], environment, tmp_path)
    assert "Server stopped" in stopped.stdout
    wait_until("no server is left", lambda: not servers_of(home))
    assert not answers(f"{base}/api")


def test_a_server_that_cannot_start_is_said_and_leaves_nothing(environment: dict[str, str], tmp_path: Path):
    environment["PREFECT_API_DATABASE_CONNECTION_URL"] = f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/prefect.db"
    spec = write_spec(tmp_path, "hello", {"one": LEAVE})
    failed = run([*PLAIT, "run", spec, "--ui"], environment, tmp_path)
    home = Path(environment["PREFECT_HOME"])
    assert failed.returncode == 6, failed.stderr
    assert "the Prefect server did not start" in failed.stderr
    assert str(home / "plait-server.log") in failed.stderr
    assert servers_of(home) == []
    assert not (home / "server.pid").exists()
    assert not (tmp_path / "store" / "documents").exists()
