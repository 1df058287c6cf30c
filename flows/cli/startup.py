"""What the quick commands do without, so that they start quickly; a run, which takes seconds anyhow, gets it back."""

from __future__ import annotations

import atexit
import gc
import os

_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
_WHILE_STARTING = 100_000
_usual = gc.get_threshold()
_ours = _PLUGINS not in os.environ


def defer_gc() -> None:
    """Import with fewer searches for garbage, of which there is none yet, and with none for plugins of pydantic.

    At the end there is no search either, unless `restore_gc` was called: it would go over all that was imported.
    """
    gc.set_threshold(_WHILE_STARTING)
    atexit.register(_leave_memory_to_the_system)
    if _ours:
        os.environ[_PLUGINS] = "__all__"


def _leave_memory_to_the_system() -> None:
    if gc.get_threshold()[0] == _WHILE_STARTING:
        gc.freeze()


def restore_gc() -> None:
    """Give back what `defer_gc` took, before others' code is loaded: Prefect's, and that of a server it starts."""
    gc.set_threshold(*_usual)
    if _ours:
        os.environ.pop(_PLUGINS, None)


def prepare_for_prefect() -> None:
    """Do what must be done before Prefect is first imported: settle, and set what it and a server it starts read then.

    Whatever the user has set stays.
    """
    restore_gc()
    defaults = {
        # That server needs 25 s on a new database, more on a busy machine; Prefect allows 20.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        # It shares our terminal, and complains there when it cannot phone home.
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
        # A locked database or a proxy may also be told by these; Prefect asks again for 429, 502 and 503 alone.
        "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500,504",
        # What agents print belongs to the run in the UI as well.
        "PREFECT_LOGGING_EXTRA_LOGGERS": "plait",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
