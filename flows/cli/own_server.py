"""The Prefect server that a run starts for itself where none is configured, and that ends with it."""

from __future__ import annotations

import atexit
import signal
import subprocess
from typing import Any

from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import get_current_settings


class _Shielded(SubprocessASGIServer):
    """Prefect's temporary server, known from its first moment, and deaf to the terminal.

    A terminal sends its signals to the whole process group. A server that dies of one makes Prefect's client wait for
    it for minutes while the run is being stopped; with SIGINT and SIGHUP blocked from birth it lives until we stop it.
    Prefect's client finds this one, as there is one instance.
    """

    def _run_uvicorn_command(self) -> subprocess.Popen[Any]:
        asked: list[int] = []
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        # Not blocked, as the server would inherit that, and could then only be killed.
        answer = signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
        try:
            self.server_process = super()._run_uvicorn_command()
            atexit.register(self.stop)
        finally:
            signal.signal(signal.SIGTERM, answer)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if asked:
            signal.raise_signal(signal.SIGTERM)
        return self.server_process


def start_where_needed() -> None:
    """Start the server and wait until it answers, unless one is configured or Prefect may start none.

    Raises:
        RuntimeError: It did not answer in time.
    """
    settings = get_current_settings()
    if not settings.api.url and settings.server.ephemeral.enabled:
        _Shielded().start()
