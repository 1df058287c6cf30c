"""Real Prefect servers and workers for tests: started by Popen, and surely stopped with everything they started."""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[1]
STOP_SECONDS = PATIENCE
ASKED_SECONDS = 30.0
"""What was asked to end and has not by then is killed: a worker that was born with SIGINT ignored swallows a SIGTERM."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For requests that have no use for one: to read all certificates costs a tenth of a second each time."""
PROBE_SECONDS = 2.0
"""One look at a server, of many."""


@dataclass(frozen=True)
class Server:
    """A running Prefect server."""

    url: str
    home: Path
    pid: int
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a client of this server needs in its environment."""
        return client_environment(self.home) | {"PREFECT_API_URL": self.url}


@dataclass(frozen=True)
class Worker:
    """A running process worker."""

    pid: int
    log: Path


def client_environment(home: Path) -> dict[str, str]:
    """Return the environment of everything of Prefect in tests: nobody's profile, no outside requests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PLAIT_"))}
    return kept | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONWARNINGS": "ignore",
    }


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_server(home: Path, port: int | None = None, **settings: str) -> Generator[Server]:
    """Start a Prefect server with a database of its own, and stop it."""
    if not any("DATABASE_CONNECTION_URL" in name for name in settings):
        prepare(home)
    with serving(home, port or free_port(), settings) as server:
        yield server


@contextlib.contextmanager
def serving(home: Path, port: int, settings: Mapping[str, str]) -> Generator[Server]:
    """Start a Prefect server on what is in its home, and stop it."""
    home.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}/api"
    quick = {
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
        # Pages ask port 4200 unless told otherwise, whatever port they were served from.
        "PREFECT_UI_API_URL": url,
        "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    }
    environment = client_environment(home) | quick | settings
    argv = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with started(argv, environment, home / "server.log", cwd=home) as process:
        wait_for_start(process, home / "server.log", "the Prefect server", lambda: answers(url))
        yield Server(url, home, process.pid, home / "server.log")


def prepare(home: Path) -> None:
    """Give a server that is new the database, empty, that it would make for itself, which takes as long as all the rest.

    A server of the same version made it, once; `.cache` keeps it.
    """
    made = ROOT / ".cache" / f"prefect-{version('prefect')}"
    if not made.exists():
        made.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            first, whole = Path(folder, "first"), Path(folder, "whole")
            with serving(first, free_port(), {}):
                pass
            whole.mkdir()
            shutil.copy(first / "memo_store.toml", whole)  # which blocks the database holds already
            with contextlib.closing(sqlite3.connect(first / "prefect.db")) as database:
                database.execute("VACUUM INTO ?", (str(whole / "prefect.db"),))
            with contextlib.suppress(OSError):  # somebody was faster
                whole.rename(made)
    if not (home / "prefect.db").exists():
        shutil.copytree(made, home, dirs_exist_ok=True)


def wait_for_start(process: subprocess.Popen[bytes], log: Path, name: str, is_up: Callable[[], bool]) -> None:
    """Wait until a program is up, as long as it lives; where it is not, its log says why."""

    def up() -> bool:
        assert process.poll() is None, f"{name} ended: {log.read_text('utf-8', 'replace')[-2000:]}"
        return is_up()

    try:
        wait_until(f"{name} is up", up, every=0.25)
    except AssertionError as late:
        raise AssertionError(f"{late}; {log.read_text('utf-8', 'replace')[-2000:]}") from late


def answers(url: str) -> bool:
    """Say whether a server is healthy."""
    try:
        return httpx.get(f"{url}/health", timeout=PROBE_SECONDS, verify=NO_TLS).status_code == 200
    except httpx.HTTPError:
        return False


def ask(url: str, method: str, path: str, body: Any = None) -> Any:
    """Send a request to a server's API, again while its SQLite database is locked; return the answer, if there is one.

    Raises:
        httpx.HTTPStatusError: It is refused, or the database stays locked.
    """
    for pause in (0.2, 0.5, 1, 2, 4):
        answer = httpx.request(method, f"{url}/{path}", json=body, timeout=PATIENCE, verify=NO_TLS)
        if answer.status_code != 503:
            break
        time.sleep(pause)
    answer.raise_for_status()
    return answer.json() if answer.content else None


@contextlib.contextmanager
def running_worker(server: Server, folder: Path, **environment: str) -> Generator[Worker]:
    """Start a process worker of the pool `plait` that looks for work every second, and stop it."""
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "plait", "--name", folder.name]
    quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_PREFETCH_SECONDS": "1"}
    log = folder / "worker.log"
    with started(argv, server.environment | quick | environment, log, cwd=folder) as process:
        wait_for_start(process, log, "the worker", lambda: "started!" in log.read_text("utf-8", "replace"))
        yield Worker(process.pid, log)


@contextlib.contextmanager
def started(
    argv: list[str], environment: Mapping[str, str], log: Path, *, cwd: Path
) -> Generator[subprocess.Popen[bytes]]:
    """Start a program in a session of its own; afterwards nothing of it is left, and that is checked."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and all its descendants: asked first, then killed."""
    family = descendants(process.pid)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ASKED_SECONDS)
    family |= descendants(process.pid)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    if process.poll() is None:
        process.kill()
    process.wait(STOP_SECONDS)
    _, alive = psutil.wait_procs(list(family), timeout=STOP_SECONDS)
    assert not alive, f"left behind: {alive}"


def descendants(pid: int) -> set[psutil.Process]:
    """Return all living descendants of a process."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return set(psutil.Process(pid).children(recursive=True))
    return set()
