"""Let one run at a time own a workflow.

The lease is one mutable object, ``leases/{workflow_id}.json``, replaced only under the version that was read. Its
holder renews it every 15 s. A second run ends at once when it can see the first alive: its process on this host, or a
heartbeat that moves. A lease whose process is dead on this host is taken over at once, any other when it has not
changed for 60 s by the observer's own clock: clocks of two machines are never compared. Whoever takes over replaces
the very version it judged, so exactly one of many does.

A holder that could not renew for 50 s counts itself out before anybody else may take over.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from contexts.errors import DocumentError, LeaseHeld, LeaseLost, RunInterrupted, VersionChanged
from contexts.faults import reach
from contexts.names import check_id
from contexts.objects import ObjectStore, Versioned
from contexts.process import ProcessMark, is_gone, this_process

RENEW_EVERY = 15.0
"""Seconds between two heartbeats."""
STALE_AFTER = 60.0
"""Seconds without any change, by the observer's clock, after which a lease counts as abandoned."""
OWN_LIMIT = 50.0
"""Seconds without a successful heartbeat after which a holder counts itself out."""
_LOOK_EVERY = 1.0
UPKEEP = "upkeep:"
"""How the owner of a lease is called that is no run: nothing of the workflow is lost when that one dies."""


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


class LeaseRecord(BaseModel):
    """What a lease says: who owns the workflow, and how it ended.

    ``epoch`` counts the owners, ``token`` names this one's hold on it, ``heartbeat`` counts its renewals. Times are
    the writer's own and for people only: nothing is decided by them.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    owner: str
    epoch: int
    token: str
    heartbeat: int
    acquired: datetime
    renewed: datetime
    host: str
    boot_id: str
    pid: int
    started: str
    end_reason: str | None = None
    ended: datetime | None = None

    @property
    def machine(self) -> str:
        """The host's name as people know it."""
        return self.host.partition("[")[0]

    @property
    def process(self) -> ProcessMark:
        """The process that wrote it."""
        return ProcessMark(host=self.host, boot_id=self.boot_id, pid=self.pid, started=self.started)

    @property
    def of_open_run(self) -> bool:
        """Whether a run took it and has not said why it ended: it goes on, or was interrupted."""
        return self.end_reason is None and not self.owner.startswith(UPKEEP)

    def holder_is_gone(self) -> bool:
        """Say whether the holder is certainly dead; false wherever only watching can tell."""
        return is_gone(self.process)


@dataclass(frozen=True, slots=True)
class _Seen:
    record: LeaseRecord
    version: str


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

    def renew(self) -> None:
        """Write the next heartbeat.

        Raises:
            LeaseLost: Another run has the lease.
            StoreError: The store did not take it; the lease is still held until `overdue`.
        """
        self._write(
            self.record.model_copy(update={"heartbeat": self.record.heartbeat + 1, "renewed": datetime.now(tz=UTC)})
        )
        reach("lease.renewed")

    def release(self, reason: str) -> None:
        """End the lease, saying why; the workflow is free at once.

        Raises:
            LeaseLost: Another run has it already.
        """
        now = datetime.now(tz=UTC)
        self._write(self.record.model_copy(update={"end_reason": reason, "ended": now, "renewed": now}))

    def check(self) -> None:
        """Read the lease again.

        Raises:
            LeaseLost: Another run has it, or it was ended.
        """
        seen = _read(self._objects, self.record.workflow_id)
        if seen is None or not self._is_ours(seen.record):
            raise self._lost(seen.record if seen else None)

    @property
    def overdue(self) -> bool:
        """Whether the last heartbeat is so old that others may take over: stop writing."""
        return self._clock.now() - self._good_since >= OWN_LIMIT

    def _write(self, record: LeaseRecord) -> None:
        began = self._clock.now()
        while True:
            try:
                self._version = self._objects.replace(_key(record.workflow_id), _body(record), self._version)
                break
            except VersionChanged:
                # An earlier heartbeat of our own may have landed though its answer was lost.
                seen = _read(self._objects, record.workflow_id)
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


def read_lease(objects: ObjectStore, workflow_id: str) -> LeaseRecord | None:
    """Return what the lease says, or None where there never was one.

    Raises:
        DocumentError: Something that is no lease lies under its key.
    """
    seen = _read(objects, workflow_id)
    return seen.record if seen else None


def refuse_if_held_here(objects: ObjectStore, workflow_id: str) -> None:
    """Look, without taking anything, whether a living process of this host owns the workflow.

    Raises:
        LeaseHeld: One does.
        DocumentError: Something that is no lease lies under the lease's key.
    """
    record = read_lease(objects, workflow_id)
    if record is not None and record.end_reason is None and _lives_here(record):
        raise _held(record)


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
    seen = first = _read(objects, workflow_id)
    while True:
        if only_ended and seen is not None and seen.record.of_open_run:
            raise _open_run(seen.record)
        if seen is None or seen.record.end_reason is not None or seen.record.holder_is_gone():
            break
        if first is not None and seen.version != first.version:
            raise _held(seen.record)
        if _lives_here(seen.record):
            raise _held(seen.record)
        waited = clock.now() - unchanged_since
        if waited >= STALE_AFTER:
            break
        if clock.now() - began >= patience:
            raise _held(seen.record)
        clock.sleep(_LOOK_EVERY)
        seen = _read(objects, workflow_id)
    return _take(objects, workflow_id, owner, seen, clock)


def _lives_here(record: LeaseRecord) -> bool:
    """Say whether the holder is a process of this host that still runs: no watching needed."""
    here = this_process()
    return (record.host, record.boot_id) == (here.host, here.boot_id) and not record.holder_is_gone()


def _take(objects: ObjectStore, workflow_id: str, owner: str, seen: _Seen | None, clock: Clock) -> Lease:
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
        version = objects.replace(_key(workflow_id), _body(record), seen.version if seen else None)
    except VersionChanged:
        winner = _read(objects, workflow_id)
        if winner is None:
            raise LeaseHeld(
                f"another run is taking or giving up workflow {workflow_id}: run again", workflow_id=workflow_id
            ) from None
        if winner.record.token != record.token:
            raise _held(winner.record) from None
        version = winner.version
    reach("lease.taken")
    return Lease(objects, record, version, clock, began, seen.record if seen else None)


def _open_run(record: LeaseRecord) -> LeaseHeld:
    if _lives_here(record):
        return _held(record)
    name = record.workflow_id
    renewed = record.renewed.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    told = "died before its end" if record.holder_is_gone() else "goes on or died there"
    return RunInterrupted(
        f"the last run of {name}, on {record.machine} (pid {record.pid}, last heard of at {renewed}), {told}: "
        f"`plait resume {name}` first",
        workflow_id=name,
        owner=record.owner,
        host=record.machine,
    )


def _held(record: LeaseRecord) -> LeaseHeld:
    since = record.acquired.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return LeaseHeld(
        f"workflow {record.workflow_id} is being run by {record.owner} on {record.machine} (pid {record.pid}) "
        f"since {since}: wait for it or end it, then run again",
        workflow_id=record.workflow_id,
        owner=record.owner,
        host=record.machine,
        pid=record.pid,
        since=since,
    )


def _key(workflow_id: str) -> str:
    return f"leases/{check_id(workflow_id, 'workflow_id')}.json"


def _body(record: LeaseRecord) -> bytes:
    return orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def _read(objects: ObjectStore, workflow_id: str) -> _Seen | None:
    found: Versioned | None = objects.read_versioned(_key(workflow_id))
    if found is None:
        return None
    try:
        record = LeaseRecord.model_validate_json(found.body)
    except ValidationError as error:
        raise DocumentError(
            f"{_key(workflow_id)} is not a lease: if no run of {workflow_id} is going, remove it and run again",
            key=_key(workflow_id),
        ) from error
    return _Seen(record=record, version=found.version)
