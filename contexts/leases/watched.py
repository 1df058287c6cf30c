"""Watch the lease of a run in another process: as long as it is alive there, what is written here is in its name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator

from contexts.errors import LeaseLost, PlaitError
from contexts.leases.held import HeldLease
from contexts.leases.lease import OWN_LIMIT, STALE_AFTER, Clock, Lease
from contexts.leases.record import LeaseRecord, SeenLease, see_lease
from contexts.store.objects import ObjectStore

LOOK_EVERY = 2.0
"""Seconds between two looks; the holder renews every 15 s."""


class WatchedLease(Lease):
    """Somebody else's lease. It is never written: each renewal looks whether the holder's heartbeat has moved.

    A heartbeat is as old as the last look that did not see it yet. Until one was seen to move the lease is overdue.
    """

    def __init__(self, objects: ObjectStore, seen: SeenLease, clock: Clock) -> None:
        super().__init__(objects, seen.record, seen.version, clock, clock.now() - OWN_LIMIT, seen.record)
        self._looked = self._unmoved_since = clock.now()

    def renew(self) -> bool:
        """Look again, and return whether the holder has renewed it since.

        Raises:
            LeaseLost: The run has ended, was not heard of for so long that it counts as dead, or another one has the
                workflow.
            StoreError: The store did not answer.
        """
        began = self._clock.now()
        now = self._seen()
        moved = now.heartbeat != self.record.heartbeat
        if moved:
            self.record = now
            self._good_since, self._unmoved_since = self._looked, began
        elif began - self._unmoved_since >= STALE_AFTER:
            raise self._lost(None)
        self._looked = began
        return moved

    def release(self, reason: str) -> None:
        """Leave it as it is: its holder ends it."""

    def ensure_held(self) -> None:
        """Make sure that the run is still going.

        Raises:
            LeaseLost: It has ended, or another one has the workflow.
        """
        self._seen()

    def _seen(self) -> LeaseRecord:
        seen = see_lease(self._objects, self.record.workflow_id)
        if seen is None or not self._is_ours(seen.record) or seen.record.end_reason is not None:
            raise self._lost(seen.record if seen else None)
        return seen.record


class WatchingLease(HeldLease):
    """A watched lease, at which is looked before anything is written: its holder ends it without asking."""

    def wait_until_held(
        self,
        *,
        to_write: bool = False,
        since: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """As `HeldLease.wait_until_held`; to write, it must also still be there now.

        Raises:
            LeaseLost: As there; or the run has ended.
            StoreUnreachable: As there.
            StoreError: The store did not answer.
        """
        super().wait_until_held(to_write=to_write, since=since, stop=stop, told=told)
        if to_write:
            self.ensure_held()


@contextlib.contextmanager
def watched_lease(
    objects: ObjectStore, workflow_id: str, *, endures: float | None = None, clock: Clock | None = None
) -> Generator[WatchingLease]:
    """Watch the lease of the run that is going, for as long as the block runs.

    Args:
        objects: The store.
        workflow_id: The workflow.
        endures: As for `HeldLease`.
        clock: The observer's clock.

    Raises:
        LeaseLost: No run of the workflow is going.
    """
    seen = see_lease(objects, workflow_id)
    if seen is None or not seen.record.of_open_run or seen.record.end_reason is not None:
        raise LeaseLost(
            f"no run of {workflow_id} is going, so there is nothing to do for one: run it", workflow_id=workflow_id
        )
    held = WatchingLease(WatchedLease(objects, seen, clock or Clock()), every=LOOK_EVERY, endures=endures)
    held.start()
    try:
        yield held
    finally:
        with contextlib.suppress(PlaitError):
            held.finish("watched")
