"""Let one run at a time own a workflow.

The lease is one mutable object, ``leases/{workflow_id}.json``, replaced only under the version that was read. Its
holder renews it every 15 s. A second run ends at once when it can see the first alive: its process on this host, or a
heartbeat that moves. A lease whose process is dead on this host is taken over at once, any other when it has not
changed for 60 s by the observer's own clock: clocks of two machines are never compared. Whoever takes over replaces
the very version it judged, so exactly one of many does.

A holder that could not renew for 50 s stops writing before anybody else may take over. When the store answers again, a
renewal under the version it last knew tells whether anybody has: if not, the lease is as good as before.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from contexts.errors import LeaseHeld, LeaseLost, VersionChanged
from contexts.failpoints import failpoint
from contexts.leases.process import this_process
from contexts.leases.record import (
    LeaseRecord,
    SeenLease,
    held_error,
    lease_body,
    lives_here,
    open_run_error,
    see_lease,
)
from contexts.store.keys import lease_key
from contexts.store.objects import ObjectStore

RENEW_EVERY = 15.0
"""Seconds between two heartbeats."""
STALE_AFTER = 60.0
"""Seconds without any change, by the observer's clock, after which a lease counts as abandoned."""
OWN_LIMIT = 50.0
"""Seconds without a successful heartbeat after which a holder counts itself out."""
_LOOK_EVERY = 1.0


def steady() -> float:
    """Return seconds of a clock that never jumps and, where the system has one, runs on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the lease sees it; tests bring their own.

    Attributes:
        now: Seconds of a clock that never jumps.
        sleep: Wait for so many seconds.
    """

    now: Callable[[], float] = steady
    sleep: Callable[[float], None] = time.sleep


class Lease:
    """A workflow's lease as held by this run. Made by `acquire`; one thread renews, others may check.

    Attributes:
        record: What the store holds, as far as this run knows.
        before: What it said when it was taken; None where there was none.
    """

    def __init__(
        self,
        objects: ObjectStore,
        record: LeaseRecord,
        version: str,
        clock: Clock,
        held_since: float,
        before: LeaseRecord | None = None,
    ) -> None:
        self.record = record
        self.before = before
        self._objects = objects
        self._version = version
        self._clock = clock
        self._good_since = held_since

    def renew(self) -> bool:
        """Write the next heartbeat, and return that it was renewed.

        Raises:
            LeaseLost: Another run has the lease.
            StoreError: The store did not take it; the lease is still held until `overdue`.
        """
        self._write(
            self.record.model_copy(update={"heartbeat": self.record.heartbeat + 1, "renewed": datetime.now(tz=UTC)})
        )
        failpoint("lease.renewed")
        return True

    def release(self, reason: str) -> None:
        """End the lease, saying why; the workflow is free at once.

        Raises:
            LeaseLost: Another run has it already.
        """
        now = datetime.now(tz=UTC)
        self._write(self.record.model_copy(update={"end_reason": reason, "ended": now, "renewed": now}))

    def ensure_held(self) -> None:
        """Read the lease again.

        Raises:
            LeaseLost: Another run has it, or it was ended.
        """
        seen = see_lease(self._objects, self.record.workflow_id)
        if seen is None or not self._is_ours(seen.record):
            raise self._lost(seen.record if seen else None)

    @property
    def overdue(self) -> bool:
        """Whether the last heartbeat is so old that others may take over: stop writing."""
        return self.silent_for(OWN_LIMIT)

    def silent_for(self, seconds: float) -> bool:
        """Whether the last heartbeat that the store took is at least so old."""
        return self._clock.now() - self._good_since >= seconds

    @property
    def own_limit(self) -> float:
        """Seconds without a heartbeat after which others may soon take over."""
        return OWN_LIMIT

    def _write(self, record: LeaseRecord) -> None:
        began = self._clock.now()
        while True:
            try:
                self._version = self._objects.replace(lease_key(record.workflow_id), lease_body(record), self._version)
                break
            except VersionChanged:
                # An earlier heartbeat of our own may have landed though its answer was lost.
                seen = see_lease(self._objects, record.workflow_id)
                if seen is None or not self._is_ours(seen.record) or seen.version == self._version:
                    raise self._lost(seen.record if seen else None) from None
                self._version = seen.version
        self.record = record
        self._good_since = began

    def _is_ours(self, record: LeaseRecord) -> bool:
        return (record.token, record.epoch) == (self.record.token, self.record.epoch)

    def _lost(self, now: LeaseRecord | None) -> LeaseLost:
        holder = f"{now.machine} (pid {now.pid}) has it now" if now and not self._is_ours(now) else "its lease is gone"
        return LeaseLost(
            f"this run no longer owns workflow {self.record.workflow_id}: {holder}; it has stopped writing, "
            "and what it saved before is kept",
            workflow_id=self.record.workflow_id,
            owner=now.owner if now else None,
        )


def acquire(
    objects: ObjectStore,
    workflow_id: str,
    *,
    owner: str,
    clock: Clock | None = None,
    patience: float = STALE_AFTER + 5,
    only_ended: bool = False,
) -> Lease:
    """Take the lease: a new one, an ended one, or a dead run's.

    Args:
        objects: The store.
        workflow_id: The workflow.
        owner: Names this run, and no other.
        clock: The observer's clock.
        patience: Seconds to watch a lease of which it cannot be told at once whether its holder lives. A moving
            heartbeat ends the watch before that. Below 60 only leases seen dead at once are taken.
        only_ended: Leave a run's lease that ended without a reason to the run that will go on from there: whoever
            ends it with a reason of its own hides from the sweeper that it was interrupted.

    Raises:
        LeaseHeld: Another run owns the workflow.
        RunInterrupted: Its last run was interrupted, with ``only_ended``.
        DocumentError: Something that is no lease lies under the lease's key.
    """
    clock = clock or Clock()
    began = unchanged_since = clock.now()
    seen = first = see_lease(objects, workflow_id)
    while True:
        if only_ended and seen is not None and seen.record.of_open_run:
            raise open_run_error(seen.record)
        if seen is None or seen.record.end_reason is not None or seen.record.holder_is_gone():
            break
        if first is not None and seen.version != first.version:
            raise held_error(seen.record)
        if lives_here(seen.record):
            raise held_error(seen.record)
        waited = clock.now() - unchanged_since
        if waited >= STALE_AFTER:
            break
        if clock.now() - began >= patience:
            raise held_error(seen.record)
        clock.sleep(_LOOK_EVERY)
        seen = see_lease(objects, workflow_id)
    return _take(objects, workflow_id, owner, seen, clock)


def _take(objects: ObjectStore, workflow_id: str, owner: str, seen: SeenLease | None, clock: Clock) -> Lease:
    here = this_process()
    now = datetime.now(tz=UTC)
    record = LeaseRecord(
        workflow_id=workflow_id,
        owner=owner,
        epoch=seen.record.epoch + 1 if seen else 1,
        token=secrets.token_hex(16),
        heartbeat=0,
        acquired=now,
        renewed=now,
        host=here.host,
        boot_id=here.boot_id,
        pid=here.pid,
        started=here.started,
    )
    began = clock.now()
    try:
        version = objects.replace(lease_key(workflow_id), lease_body(record), seen.version if seen else None)
    except VersionChanged:
        winner = see_lease(objects, workflow_id)
        if winner is None:
            raise LeaseHeld(
                f"another run is taking or giving up workflow {workflow_id}: run again", workflow_id=workflow_id
            ) from None
        if winner.record.token != record.token:
            raise held_error(winner.record) from None
        version = winner.version
    failpoint("lease.taken")
    return Lease(objects, record, version, clock, began, seen.record if seen else None)
