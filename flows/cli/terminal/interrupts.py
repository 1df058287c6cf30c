"""A request to end is what Ctrl-C is, whoever sends it: the run stops its agents and keeps what is finished."""

from __future__ import annotations

import atexit
import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType

_REQUESTS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def requests_interrupt() -> Generator[None]:
    """Let SIGTERM and SIGHUP interrupt the block, where nobody has decided otherwise (as ``nohup`` does).

    While the interpreter ends, more of them change nothing: it is ending.
    """
    mine = [one for one in _REQUESTS if _in_main_thread() and signal.getsignal(one) is signal.SIG_DFL]
    for one in mine:
        signal.signal(one, _interrupt)
    try:
        yield
    finally:
        for one in mine:
            signal.signal(one, signal.SIG_DFL)
            atexit.register(signal.signal, one, signal.SIG_IGN)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
