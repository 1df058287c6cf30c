"""The process of a deployed run: Prefect's engine, in a session of its own, whose output never breaks.

`flows.deployments.own_process` starts it as a script: ``python -P engine.py PIPE FLOW_RUN_ID``. PIPE is open at its
other end for as long as the process lives that the worker knows. Once that is gone, killed by a worker that ends, the
run is asked to end; so it is by what comes through the pipe: a signal that arrived while the two parted.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def main(pipe: int, flow_run_id: str) -> None:
    """Run Prefect's engine for one flow run."""
    start = spec_from_file_location("plait_start", Path(__file__).parents[2] / "plait_start.py")
    assert start  # noqa: S101 a .py file has one
    assert start.loader  # noqa: S101 same
    plait_start = module_from_spec(start)
    start.loader.exec_module(plait_start)
    plait_start.own_packages()
    from flows.deployments.lasting_output import outlive_readers  # noqa: PLC0415 found only from here on
    from flows.deployments.relay import REQUESTS  # noqa: PLC0415 same

    outlive_readers()
    os.set_inheritable(pipe, False)
    threading.Thread(target=_end_after, args=(pipe,), name="plait-worker-watch", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS)
    sys.argv = ["prefect.engine", flow_run_id]
    runpy.run_module("prefect.engine", run_name="__main__")


def _end_after(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
