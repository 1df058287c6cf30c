"""The server that a run starts for itself where none is configured: it never outlives the run, whatever ended that."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.chaos.running import Place, wait_until
from tests.servers import ROOT, client_environment, descendants, free_port

PLAIT = "import sys; from flows.cli import main; sys.exit(main(sys.argv[1:]))"
PATIENCE = 180.0


def started(place: Place, home: Path) -> subprocess.Popen[bytes]:
    environment = client_environment(home) | {
        "PREFECT_SERVER_API_PORT": str(free_port()),
        "PLAIT_STORE": str(place.store_path),
        "PLAIT_WORKSPACES": str(home / "workspaces"),
    }
    return subprocess.Popen(
        [sys.executable, "-c", PLAIT, "run", str(place.spec)], env=environment, cwd=ROOT,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def servers_of(pid: int) -> list[psutil.Process]:
    return [one for one in descendants(pid) if "uvicorn" in one.cmdline()]


def left_of(family: set[psutil.Process]) -> list[psutil.Process]:
    return [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("moment", ["its server is starting", "its agents work"])
def test_a_run_that_is_killed_leaves_neither_its_server_nor_anything_else(
    place: Place, tmp_path: Path, moment: str
) -> None:
    place.write_spec({"one": ["sleep=600"]})
    process = started(place, tmp_path / "prefect")
    family: set[psutil.Process] = set()
    try:
        wait_until("its server is being started", lambda: servers_of(process.pid), PATIENCE)
        if moment == "its agents work":
            wait_until("its agents work", place.lines, PATIENCE)
        family = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        wait_until("nothing of it is alive", lambda: not left_of(family), PATIENCE)
    finally:
        for one in left_of(family | descendants(process.pid)):
            one.kill()
        process.kill()
        process.wait()
