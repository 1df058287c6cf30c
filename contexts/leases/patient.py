"""Wait for a store that does not answer, as long as the run that asks has patience, and go on under its lease.

In front of the store of a run. A request that the store did not answer, for all its own tries, is sent again once the
run's lease was renewed: by then the store answers, and nobody else owns the workflow. While the lease is unsure nothing
is asked at all. A write is sent under a heartbeat so young that it lands before anybody else may take over, and none of
its tries outlives that: a further one waits for the next heartbeat.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from contexts.errors import MAY_PASS, ObjectExists, StoreError
from contexts.leases.held import HeldLease
from contexts.store.fence import fenced
from contexts.store.objects import Entry, ObjectStore, Versioned

_T = TypeVar("_T")
_AT_LEAST = 50.0
"""Seconds for which every request is tried, however little patience the run has beyond."""


class PatientObjects:
    """An object store in front of another, for the life of one run's lease. Thread-safe.

    Args:
        inner: Where the objects are.
        lease: The run's lease. Once it has ended, whatever fails fails at once.
        patience: Seconds that one request may go on failing while the lease can be renewed.
        stop: Set when the run is to stop: nothing is waited for then.
        told: Called by every request that begins to wait.
    """

    def __init__(
        self,
        inner: ObjectStore,
        lease: HeldLease,
        *,
        patience: float,
        stop: threading.Event,
        told: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._lease = lease
        self._patience = patience
        self._stop = stop
        self._told = told

    @property
    def identity(self) -> str:
        """Name the storage itself."""
        return self._inner.identity

    def create(self, key: str, body: bytes) -> None:
        """Store a new object.

        Raises:
            ObjectExists: The key is taken, and not by an earlier try of this very call.
            StoreError: The store refused, or did not answer for as long as the run has patience.
            LeaseLost: Another run owns the workflow.
        """
        unanswered = False

        def send() -> None:
            nonlocal unanswered
            try:
                self._inner.create(key, body)
            except ObjectExists:
                if not unanswered or self._inner.read(key) != body:
                    raise
            except StoreError:
                unanswered = True
                raise

        self._patiently(send, writes=True)

    def read(self, key: str) -> bytes:
        """Return a whole object."""
        return self._patiently(lambda: self._inner.read(key))

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield every object whose key begins with ``prefix``, in ascending key order."""
        yield from self._patiently(lambda: tuple(self._inner.list(prefix)))

    def read_versioned(self, key: str) -> Versioned | None:
        """Return a mutable object and its version, or None where there is none."""
        return self._patiently(lambda: self._inner.read_versioned(key))

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        """Replace a mutable object if it still has ``version``; whoever calls it knows what a lost answer means."""
        return self._inner.replace(key, body, version)

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        self._patiently(lambda: self._inner.delete(key), writes=True)

    def _patiently(self, request: Callable[[], _T], *, writes: bool = False) -> _T:
        began = time.monotonic()
        since: float | None = None
        failing_since: float | None = None
        while True:
            if self._lease.ended:
                return request()
            self._lease.wait_until_held(to_write=writes, since=since, stop=self._stop.is_set, told=self._told)
            stopped = False
            try:
                if not writes:
                    return request()
                with fenced(lambda: self._lease.may_write) as fence:
                    try:
                        return request()
                    finally:
                        stopped = fence.has_stopped
            except MAY_PASS:
                since = time.monotonic()
                failing_since = failing_since or since
                # A request that only its lease has stopped has not had the time that every request is given.
                has_had_its_time = not stopped or since - began >= _AT_LEAST
                is_over = since - failing_since >= self._patience and has_had_its_time
                if is_over or self._stop.is_set() or self._lease.ended:
                    raise


def impatient(inner: ObjectStore, lease: HeldLease) -> PatientObjects:
    """Return a store that is asked under the lease like a patient one, but waits for nothing."""
    at_once = threading.Event()
    at_once.set()
    return PatientObjects(inner, lease, patience=0, stop=at_once, told=lambda: None)
