"""What is left of the process a worker started, once the run has moved into one of its own: it waits for the run.

It passes a request to end on, and ends as the run ended, so that the worker hears of a crash. Run as a script without
anything of plait or Prefect: it stays as small as Python gets.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType

REQUESTS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What is passed on, as SIGTERM."""


def wait_for(run: int) -> int:
    """Wait for the process of the run, and return its exit code; end by the signal that ended it."""

    def pass_on(_: int, __: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(run, signal.SIGTERM)

    for number in REQUESTS:
        signal.signal(number, pass_on)
    # They wait since before the run was started: none is lost.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS)
    code = os.waitstatus_to_exitcode(os.waitpid(run, 0)[1])
    if code < 0:
        if -code not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(wait_for(int(sys.argv[1])))
