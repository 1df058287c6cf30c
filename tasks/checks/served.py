"""The spec's own application, started for a check and surely ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from tasks.checks.bench import Bench, Step
from tasks.sandbox.outcome import last_line

_Done = TypeVar("_Done")


class _AnyOf(threading.Event):
    """Set when any of some events is."""

    def __init__(self, *events: threading.Event) -> None:
        super().__init__()
        self._events = events

    def is_set(self) -> bool:
        return super().is_set() or any(event.is_set() for event in self._events)


def while_served(
    bench: Bench, argv: Sequence[str], name: str, work: Callable[[threading.Event], _Done]
) -> tuple[_Done, str]:
    """Start an application, do some work with it, and end it.

    Args:
        bench: Where it runs.
        argv: What starts it, resolved.
        name: Of the check.
        work: Is given an event that ends what it runs: the application has ended, or the check is to.

    Returns:
        What the work gave, and why the application ended before it; nothing where it did not.
    """
    enough, gone = threading.Event(), threading.Event()
    served: list[Step] = []

    def serve() -> None:
        try:
            served.append(bench.run("application", argv, cancel=_AnyOf(bench.cancel, enough)))
        finally:
            gone.set()

    server = threading.Thread(target=serve, name=f"plait-{name}-application")
    server.start()
    try:
        done = work(_AnyOf(bench.cancel, gone))
        ended_early = gone.is_set()
    finally:
        enough.set()
        server.join()
    return done, _why_ended(served) if ended_early or not served else ""


def _why_ended(served: Sequence[Step]) -> str:
    if not served:
        return "the application could not be started"
    step = served[0]
    said = last_line(step.log)
    return f"the application ended before the check did: {step.outcome.message}" + (f": {said}" if said else "")
