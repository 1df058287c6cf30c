"""The Prefect server that a run starts for itself where none is configured, and that ends with it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from typing import Any

import prefect
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import get_current_settings

from flows.cli.prefect_server.server import interrupts_held

_ENDS_WITH_ITS_OWNER = """
import os, runpy, signal, sys, threading, time

def watch():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=watch, name="owner", daemon=True).start()
del sys.argv[0]
runpy.run_module("uvicorn", run_name="__main__", alter_sys=True)
"""
"""What the server's process runs: uvicorn, beside a thread that reads a pipe whose other end only we hold. The kernel
closes that end whichever way we die, kill -9 included, on every system; and a parent's death is no signal that a
thread's end could be mistaken for, as PR_SET_PDEATHSIG's is."""


class _Shielded(SubprocessASGIServer):
    """Prefect's temporary server, known from its first moment, deaf to the terminal, and never alive without us.

    A terminal sends its signals to the whole process group. A server that dies of one makes Prefect's client wait for
    it for minutes while the run is being stopped; with SIGINT and SIGHUP blocked from birth it lives until we stop it.
    Prefect's client finds this one, as there is one instance.
    """

    def _run_uvicorn_command(self) -> subprocess.Popen[Any]:
        with interrupts_held():
            self.server_process = self._start_process()
            atexit.register(self.stop)
        return self.server_process

    def _start_process(self) -> subprocess.Popen[Any]:
        """Start what `SubprocessASGIServer` starts, without its pages, in a process that ends when we do."""
        argv = [
            "uvicorn", "--app-dir", str(prefect.__module_path__.parent), "--factory",
            "prefect.server.api.server:create_app", "--host", "127.0.0.1", "--port", str(self.port),
            "--log-level", "error", "--lifespan", "on",
        ]  # fmt: skip
        settings = get_current_settings().to_environment_variables(exclude_unset=True)
        alone = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
        return subprocess.Popen(
            [sys.executable, "-c", _ENDS_WITH_ITS_OWNER, *argv],
            stdin=subprocess.PIPE,
            env={**os.environ, **alone, **settings},
        )


def be_ready() -> None:
    """Let every temporary server that Prefect may start in this process be one that ends with it."""
    _Shielded()


def start_where_needed() -> None:
    """Start the server and wait until it answers, unless one is configured or Prefect may start none.

    Raises:
        RuntimeError: It did not answer in time.
    """
    settings = get_current_settings()
    if not settings.api.url and settings.server.ephemeral.enabled:
        _Shielded().start()
