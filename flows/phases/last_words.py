"""What Prefect still has to tell its server when a process ends: it is given a few seconds, not the server's patience.

Prefect's clients send events and logs from services of their own, and at exit wait until everything is sent, however
long that takes: with a server that is gone, seconds or minutes for each that is left.
"""

from __future__ import annotations

import asyncio
import threading

from prefect._internal.concurrency.threads import get_global_loop

WITHIN = 10.0
"""Seconds the services have once the process is ending."""
_begun = threading.Lock()


def give_up_soon_at_exit() -> None:
    """Let this process end within a few seconds, whatever is not sent by then; its services are to be at work."""
    if _begun.acquire(blocking=False):
        # Prefect's services wait in what `threading` calls before it joins its threads, the newest first.
        threading._register_atexit(_begin)  # pyright: ignore # noqa: SLF001, PGH003 as they do


def _begin() -> None:
    loop = get_global_loop()._loop  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 Prefect has no other way
    if loop is not None:
        loop.call_soon_threadsafe(loop.call_later, WITHIN, _end_services)


def _end_services() -> None:
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__qualname__", "") == "_QueueServiceBase._run":
            task.cancel()
