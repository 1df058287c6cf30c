"""How long a test waits for what must come: one generous end for all, so that a busy machine fails nobody.

A test says what it waits for and never how long that takes; how fast something is belongs to benchmarks/. What hangs for good
ends by pytest's own `timeout` in pyproject.toml.
"""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 180.0
"""Seconds until a server, a worker or an agent counts as hanging; nothing takes this long where anything goes on."""

Found = TypeVar("Found")


def wait_until(what: str, probe: Callable[[], Found], seconds: float = PATIENCE, every: float = 0.05) -> Found:
    """Return the first true answer of a probe.

    Args:
        what: What is waited for, for the failure's sentence.
        probe: Asked again and again, ``every`` so many seconds.
        seconds: The end, where the usual one is too short; a shorter one is not heeded.
        every: Seconds between two questions.
    """
    end = max(seconds, PATIENCE)
    deadline = time.monotonic() + end
    while not (found := probe()):
        assert time.monotonic() < deadline, f"waited {end:g} s in vain: {what}"
        time.sleep(every)
    return found
