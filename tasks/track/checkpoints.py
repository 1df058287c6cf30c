"""Checkpoints: what a running agent has left so far, saved now and then, so that a killed attempt is not lost whole."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from pathlib import Path

from contexts.documents.base import JsonObject
from contexts.errors import DocumentError, StoreError
from tasks.agents.left import read_left


def read_checkpoint(left: Path) -> JsonObject | None:
    """Return what an unfinished agent has left in its context file, None if there is nothing that can be read."""
    try:
        found = read_left(left)
    except DocumentError:
        return None  # not there yet
    return found.document or None  # nothing where it is just being written: the next look will see it


@contextlib.contextmanager
def checkpointing(left: Path, every: float, save: Callable[[JsonObject], None]) -> Generator[None]:
    """Save a checkpoint every so often while the block runs, if the agent has left something new.

    Args:
        left: The agent's context file.
        every: Seconds between two looks.
        save: Called with the content, from a thread of its own.

    Raises:
        PlaitError: At the end of the block, what ``save`` raised, but for a store that did not take it.
    """
    stop = threading.Event()
    problems: list[Exception] = []

    def look() -> None:
        last: JsonObject | None = None
        while not stop.wait(every):
            found = read_checkpoint(left)
            if found is None or found == last:
                continue
            try:
                save(found)
            except StoreError:
                continue  # the next look tries again, and what the agent leaves in the end is kept whatever happens
            except Exception as error:  # noqa: BLE001 raised again in the thread that waits for the agent
                problems.append(error)
                return
            last = found

    thread = threading.Thread(target=look, name="plait-checkpoint", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if problems:
        raise problems[0]
