"""Watch the lease of a run in another process: as long as it is alive there, what is written here is in its name."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from contexts.errors import LeaseLost, PlaitError
from contexts.leases.held import HeldLease
from contexts.leases.lease import OWN_LIMIT, Clock, Lease
from contexts.leases.record import LeaseRecord, SeenLease, lives_here, see_lease
from contexts.store.objects import ObjectStore

LOOK_EVERY = 5.0
"""Seconds between two looks; the holder renews every 15 s."""


class WatchedLease(Lease):
    """Somebody else's lease. It is never written: each renewal looks whether the holder's heartbeat has moved.

    Until it was seen to move once it counts as overdue, unless its holder is a living process of this host.
    """

    def __init__(self, objects: ObjectStore, seen: SeenLease, clock: Clock) -> None:
        since = clock.now() - (0.0 if lives_here(seen.record) else OWN_LIMIT)
        super().__init__(objects, seen.record, seen.version, clock, since, seen.record)

    def renew(self) -> None:
        """Look again.

        Raises:
            LeaseLost: The run has ended, or another one has the workflow.
            StoreError: The store did not answer.
        """
        began = self._clock.now()
        now = self._seen()
        if now.heartbeat != self.record.heartbeat:
            self.record = now
            self._good_since = began

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


@contextlib.contextmanager
def watched_lease(
    objects: ObjectStore, workflow_id: str, *, endures: float | None = None, clock: Clock | None = None
) -> Generator[HeldLease]:
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
    held = HeldLease(WatchedLease(objects, seen, clock or Clock()), every=LOOK_EVERY, endures=endures)
    held.start()
    try:
        yield held
    finally:
        with contextlib.suppress(PlaitError):
            held.finish("watched")
