"""Saves of one run: one at a time for each document, documents side by side, and none after the run's end."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager


class Saves:
    """Who is saving what, shared by all threads of a run. A slow bucket holds up no document but the one it takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: set[str] = set()
        self._closed = False

    @contextmanager
    def of(self, name: str) -> Generator[bool]:
        """Wait for the turn to save a document; yields False where the run has ended and nothing is to be saved."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or name not in self._under_way)
            may_save = not self._closed
            if may_save:
                self._under_way.add(name)
        try:
            yield may_save
        finally:
            if may_save:
                with self._changed:
                    self._under_way.remove(name)
                    self._changed.notify_all()

    def close(self) -> None:
        """Let no save begin any more, and wait for those under way."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._under_way)
