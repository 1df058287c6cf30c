"""Wait at a run's end for a thread that is about to end, for as long as nobody is in a hurry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_LOOK_EVERY = 0.1
"""Seconds between two looks at whether somebody is in a hurry."""


def nobody_hurries() -> bool:
    """Say that the whole wait is granted."""
    return False


def join(thread: threading.Thread, seconds: float, hurried: Callable[[], bool] = nobody_hurries) -> None:
    """Wait for a thread's end.

    Args:
        thread: The thread, which has been told to end.
        seconds: How long at most.
        hurried: Says when to wait no longer.
    """
    end = time.monotonic() + seconds
    while thread.is_alive() and not hurried() and (left := end - time.monotonic()) > 0:
        thread.join(min(left, _LOOK_EVERY))
