"""Move a deployed run out of the process that its worker started, which the worker takes along when it ends.

A worker that is asked to end (a drained node, `docker compose down`) kills what it started, at once and without a
word: agents get no chance to leave a checkpoint, and nobody tells the server. So the run goes on in a process and
session of its own, `flows.deployments.engine`, and what the worker knows becomes `flows.deployments.relay`, which
passes requests on and waits. When that one is killed the run notices, and ends as if it had been asked to. A worker
that is killed itself takes nobody along: the run finishes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run

from flows.deployments import engine, relay
from flows.deployments.deployment_of import deployment_id
from flows.deployments.lasting_output import outlive_readers

_ENTRYPOINT = "flows.feature.feature"
"""What the engine loads; the code is where this module was found, whatever brought it here."""
_ENGINES = frozenset({"prefect.engine", "prefect.flow_engine"})
_BOOTSTRAP = "_workspace_runtime_bootstrap.py"
"""What Prefect starts for one run: modules, and the script for a project that brings its own environment."""


def has_moved() -> bool:
    """Say whether this is the process that a run moved into."""
    main = getattr(sys.modules["__main__"], "__file__", None)
    return main is not None and Path(main).exists() and Path(main).samefile(engine.__file__)


def move_out() -> None:
    """Go on in a process of the run's own: this returns there, and wherever no worker's process is to be left.

    Call it in the main thread, before anything is begun: the flow starts again from the top.
    """
    if not _is_engine():
        return
    if os.getpid() == 1:  # a container of the run's own: no worker kills it
        outlive_readers()
        return
    APILogHandler().flush()
    sys.stdout.flush()
    sys.stderr.flush()
    watched, held_open = os.pipe()
    # Prefect has threads here that take a signal although this one blocks it: such a one goes through the pipe as it
    # arrives. What arrives once this is the only thread waits for the relay.
    os.set_blocking(held_open, False)
    signal.set_wakeup_fd(held_open, warn_on_full_buffer=False)
    for number in relay.REQUESTS:
        signal.signal(number, _passed_on)
    signal.pthread_sigmask(signal.SIG_BLOCK, relay.REQUESTS)
    process = subprocess.Popen(
        [sys.executable, "-P", engine.__file__, str(watched), str(flow_run.id)],
        env={**os.environ, "PREFECT__FLOW_ENTRYPOINT": _ENTRYPOINT},
        stdin=subprocess.DEVNULL,
        pass_fds=[watched],
        start_new_session=True,
    )
    os.set_inheritable(held_open, True)
    os.execv(  # noqa: S606 no shell is wanted
        sys.executable, [sys.executable, "-I", "-S", relay.__file__, str(process.pid)]
    )


def _passed_on(_: int, __: FrameType | None) -> None:
    """Do nothing: the signal's number is in the pipe."""


def outlive_worker() -> None:
    """Let nothing that is printed end a deployed run whose worker is gone; for runs that stay where they are."""
    if _is_engine():
        outlive_readers()


def _is_engine() -> bool:
    """Say whether this process was started to run one deployed run, and does nothing else."""
    main = sys.modules["__main__"]
    by_name = main.__spec__.name if main.__spec__ else ""
    by_file = Path(getattr(main, "__file__", None) or "").name
    return bool(deployment_id()) and (by_name in _ENGINES or by_file == _BOOTSTRAP)
