"""Find workflows whose run ended without a person's will, and count how often each was started again.

A lease that ended says why: `interrupted`, where something ended the run that could still say so. One that did not end,
and whose holder is dead or silent, was interrupted as well. Every restart leaves
a create-only mark, so that of several sweepers exactly one starts a workflow, and a count that nobody can lose.

A mark's ``epoch`` is the lease's own count of owners. A restarted run takes the lease, so its epoch is the next one:
marks of consecutive epochs are consecutive interruptions, and a run that ended with a reason, or was started by
somebody else, begins a new count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from contexts.errors import DocumentError, ObjectExists
from contexts.leases.lease import STALE_AFTER
from contexts.leases.process import this_process
from contexts.leases.record import LeaseRecord, read_lease
from contexts.store.keys import LEASES, read_lease_key, read_restart_key, restart_key, restarts_of
from contexts.store.objects import ObjectStore


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One restart of a workflow: the owner's epoch that was interrupted, and the how many-eth try for it."""

    workflow_id: str
    epoch: int
    number: int

    @property
    def key(self) -> str:
        """Where the store keeps it."""
        return restart_key(self.workflow_id, self.epoch, self.number)


def all_leases(objects: ObjectStore) -> tuple[LeaseRecord, ...]:
    """Return the newest lease of every workflow; what is no lease is left for whoever runs the workflow."""
    found: list[LeaseRecord] = []
    for entry in objects.list(LEASES):
        workflow_id = read_lease_key(entry.key)
        if workflow_id is None:
            continue
        try:
            record = read_lease(objects, workflow_id)
        except DocumentError:
            continue
        if record:
            found.append(record)
    return tuple(found)


def open_leases(objects: ObjectStore) -> tuple[LeaseRecord, ...]:
    """Return the leases of runs that have not ended, or were interrupted and say so; what upkeep holds is no run."""
    return tuple(record for record in all_leases(objects) if record.of_open_run)


def interrupted(
    objects: ObjectStore, *, now: datetime, watch: float, sleep: Callable[[float], None]
) -> tuple[LeaseRecord, ...]:
    """Return the leases whose run was interrupted.

    One that says so, and one dead on this host: at once. Alive on this host: never. On another host: when its last
    heartbeat is more than 60 s old by the clocks, which may differ, and it does not move while we watch.

    Args:
        objects: The store.
        now: The present.
        watch: Seconds to watch leases of other hosts; more than the 15 s between two heartbeats to be of use.
        sleep: Waits.
    """
    dead: list[LeaseRecord] = []
    silent: list[LeaseRecord] = []
    here = this_process()
    for record in open_leases(objects):
        if record.end_reason is not None or record.holder_is_gone():
            dead.append(record)
        elif (record.host, record.boot_id) == (here.host, here.boot_id):
            continue
        elif (now - record.renewed).total_seconds() > STALE_AFTER:
            silent.append(record)
    if silent and watch:
        sleep(watch)
    dead += [before for before in silent if read_lease(objects, before.workflow_id) == before]
    return tuple(sorted(dead, key=lambda record: record.workflow_id))


def marks(objects: ObjectStore, workflow_id: str) -> tuple[Mark, ...]:
    """Return the restarts of a workflow, oldest first."""
    found = (read_restart_key(entry.key) for entry in objects.list(restarts_of(workflow_id)))
    return tuple(sorted(Mark(*one) for one in found if one))


def restarts_in_a_row(all_marks: Iterable[Mark], epoch: int) -> int:
    """Return how many restarts led to this epoch without anything else in between, its own included."""
    by_epoch: dict[int, int] = {}
    for mark in all_marks:
        by_epoch[mark.epoch] = by_epoch.get(mark.epoch, 0) + 1
    count = by_epoch.get(epoch, 0)
    while (epoch := epoch - 1) in by_epoch:
        count += by_epoch[epoch]
    return count


def leave_mark(objects: ObjectStore, mark: Mark, *, by: str, now: datetime) -> bool:
    """Leave the mark of a restart; false when another sweeper has."""
    body = {"workflow_id": mark.workflow_id, "by": by, "at": now.astimezone(UTC).isoformat(timespec="seconds")}
    try:
        objects.create(mark.key, orjson.dumps(body))
    except ObjectExists:
        return False
    return True
