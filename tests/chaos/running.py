"""Run workflows in processes that may be killed, and look at what they left.

A process here is forked from one that has imported everything already: importing Prefect costs seconds, and there are
hundreds of runs. The command line itself, from a fresh interpreter, is what the tests of signals use.
"""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection, forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psutil

from contexts.store.contexts import ContextStore
from contexts.store.integrity import NOTES, check_store
from contexts.store.local import LocalObjects
from contexts.store.objects import ObjectStore
from tests.servers import ROOT, Server
from tests.waiting import PATIENCE, wait_until  # noqa: F401 for the tests here

AGENT = Path(__file__).with_name("agents") / "worker.py"
FORKS = multiprocessing.get_context("forkserver")
_WARMING = threading.Lock()
_WARM = threading.Event()
_ONE_AT_A_TIME = threading.Lock()
"""Starting a process asks after all others, and of two threads that ask after one only the first hears its exit code."""


@dataclass(frozen=True)
class Place:
    """The folders of one case: repository, spec, ledger, store and workspaces.

    Attributes:
        folder: Holds all of them.
        server: The Prefect server of its runs.
        settings: More of their environment.
        workflow_id: What is run.
        objects: The store, where it is not the folder's own.
    """

    folder: Path
    server: Server
    settings: Mapping[str, str] = field(default_factory=dict)
    workflow_id: str = "feature"
    objects: ObjectStore | None = None

    @property
    def store_path(self) -> Path:
        return self.folder / "store"

    @property
    def store(self) -> ContextStore:
        return ContextStore(self.objects or LocalObjects(self.store_path))

    @property
    def ledger(self) -> Path:
        return self.folder / f"{self.workflow_id}.ledger"

    @property
    def spec(self) -> Path:
        return self.folder / f"{self.workflow_id}.json"

    @property
    def environment(self) -> dict[str, str]:
        return self.server.environment | {
            "PLAIT_STORE": str(self.store_path),
            "PLAIT_WORKSPACES": str(self.folder / "workspaces"),
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PREFECT_CLIENT_RETRY_JITTER_FACTOR": "0",
            **self.settings,
        }

    def lines(self) -> list[dict[str, Any]]:
        """Return what the agents noted."""
        text = self.ledger.read_text(encoding="utf-8") if self.ledger.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def started(self) -> list[str]:
        """Return which tracks' agents started, in order, one entry for each start."""
        return [line["task"] for line in self.lines() if "attempt" in line]

    def completed(self) -> set[str]:
        """Return the tracks whose newest revision in the store is completed."""
        store = self.store
        names = [name for name in store.revisions(self.workflow_id) if name.startswith("tracks/")]
        found = {name: store.latest(self.workflow_id, name) for name in names}
        return {name.removeprefix("tracks/") for name, one in found.items() if one and one[1]["status"] == "completed"}

    def write_spec(
        self,
        tracks: Mapping[str, list[str]],
        *,
        repository: bool = False,
        repository_path: str | None = None,
        **more: Any,
    ) -> Path:
        """Write a spec with a track for each list of deeds; a track's own settings come from ``more['settings']``."""
        settings: dict[str, dict[str, Any]] = more.pop("settings", {})
        if repository:
            repository_path = make_repository(self.folder / "repository")
        spec = {
            "workflow_id": self.workflow_id,
            "agents": {
                # By the environment: a file that argv names is part of what decides a track's result.
                name: {
                    "backend": "command",
                    "argv": ["{python}", "-S", str(AGENT), *deeds],
                    "env": {"LEDGER": str(self.ledger)},
                }
                for name, deeds in tracks.items()
            },
            "parallel_tasks": [{"task_id": name, "agent": name, **settings.get(name, {})} for name in tracks],
            "policy": {"retry_backoff_seconds": 0},
            **({"repository": {"path": repository_path}} if repository_path else {}),
            **more,
        }
        self.spec.write_text(json.dumps(spec), encoding="utf-8")
        return self.spec


def make_repository(folder: Path) -> str:
    """Make a git repository with one commit, the same whenever it is made; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README").write_text("An empty feature.\n", encoding="utf-8")
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "T"), ("EMAIL", "t@example.org"), ("DATE", "2026-01-01T00:00:00Z"))
    }
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for argv in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *argv], cwd=folder, env=environment, check=True)
    return str(folder)


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, negative for a signal, and what it printed."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def report(self) -> dict[str, Any]:
        """The object ``run --json`` printed last."""
        return json.loads(self.out.splitlines()[-1])


@dataclass
class Forked:
    """A forked process that runs the command line."""

    process: ForkServerProcess
    prefix: Path
    began: float

    @property
    def pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        with _ONE_AT_A_TIME:
            return self.process.exitcode

    def wait(self, seconds: float = 2 * PATIENCE) -> Ended:
        if not connection.wait([self.process.sentinel], seconds):
            self.process.kill()
            connection.wait([self.process.sentinel])
            raise AssertionError(f"not over after {seconds:g} s: {self.said('err')}")
        ended = time.monotonic() - self.began
        assert self.code is not None
        return Ended(self.code, self.said("out"), self.said("err"), ended)

    def said(self, stream: str) -> str:
        path = self.prefix.with_suffix(f".{stream}")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


@dataclass(frozen=True)
class Machine:
    """What a forked process believes of the machine it is on.

    Attributes:
        host: Its name, None for the real one: a process of another host is not looked up, but watched.
        renew_every: Seconds between two heartbeats of the lease, where 15 is too long to wait for.
        hurry: How many times shorter all times of the lease are than in life.
    """

    host: str | None = None
    renew_every: float | None = None
    hurry: float = 1.0


def fork(
    place: Place,
    *arguments: object,
    renew_every: float | None = None,
    machine: Machine | None = None,
    **environment: str,
) -> Forked:
    """Start ``plait ARGUMENTS`` in a forked process.

    Args:
        place: The case.
        arguments: As on the command line.
        renew_every: As in `Machine`, where nothing else of it differs.
        machine: Where the process believes to be.
        environment: More of it.
    """
    return fork_as(run_command_line, place, arguments, environment, machine or Machine(renew_every=renew_every))


def fork_as(
    target: Callable[..., None],
    place: Place,
    arguments: Sequence[object],
    environment: Mapping[str, str],
    *more: object,
) -> Forked:
    """Start ``target(ARGUMENTS, ENVIRONMENT, PREFIX, *MORE)`` in a forked process, PREFIX naming its output's files."""
    number = len(list(place.folder.glob("*.out")))
    prefix = place.folder / f"run-{number}"
    prefix.with_suffix(".out").touch()
    _warm(place.environment)
    process = FORKS.Process(
        target=target,
        args=([str(one) for one in arguments], place.environment | environment, str(prefix), *more),
        daemon=False,
    )
    with _ONE_AT_A_TIME:
        process.start()
    return Forked(process, prefix, time.monotonic())


def plait(place: Place, *arguments: object, **options: Any) -> Ended:
    """Run ``plait ARGUMENTS`` to its end."""
    return fork(place, *arguments, **options).wait()


def _warm(environment: Mapping[str, str]) -> None:
    """Start the process everything is forked from, with the environment Prefect reads when it is imported."""
    with _WARMING:
        if _WARM.is_set():
            return
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(environment)
        try:
            FORKS.set_forkserver_preload(["flows.cli.watched_run", "flows.launch", "flows.feature", __name__])
            forkserver.ensure_running()
        finally:
            os.environ.clear()
            os.environ.update(before)
        _WARM.set()


def run_command_line(arguments: list[str], environment: Mapping[str, str], prefix: str, machine: Machine) -> None:
    """Be the forked process: run the command line with this environment, on this machine."""
    os.setsid()
    for descriptor, name in ((1, "out"), (2, "err")):
        file = os.open(f"{prefix}.{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415 only forked processes need Prefect

    import tasks.run.run  # noqa: PLC0415 same
    from contexts.leases import lease  # noqa: PLC0415 same
    from contexts.leases.held import held_lease  # noqa: PLC0415 same
    from flows.cli import main  # noqa: PLC0415 same

    refresh_global_settings_context()
    if machine.host is not None:
        socket.gethostname = lambda: str(machine.host)
    lease.STALE_AFTER /= machine.hurry
    lease.OWN_LIMIT /= machine.hurry
    every = machine.renew_every or lease.RENEW_EVERY / machine.hurry
    tasks.run.run.held_lease = partial(held_lease, every=every, patience=lease.STALE_AFTER + 5)
    sys.exit(main(arguments))


def living(place: Place) -> list[int]:
    """Return the agents, and the children they noted, that are alive."""
    return [pid for pid in {line.get("child") or line["pid"] for line in place.lines()} if _lives(pid)]


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def torn(store: ContextStore) -> list[str]:
    """Return what is wrong with a store, beyond blobs that nothing refers to yet."""
    return [f"{one.problem}: {one.message}" for one in check_store(store.objects).troubles if one.problem not in NOTES]
