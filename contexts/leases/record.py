"""What a lease says, and what it tells a run that must not go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from contexts.errors import DocumentError, LeaseHeld, RunInterrupted
from contexts.leases.process import ProcessMark, is_gone, this_process
from contexts.store.keys import lease_key
from contexts.store.objects import ObjectStore, Versioned

UPKEEP = "upkeep:"
"""How the owner of a lease is called that is no run: nothing of the workflow is lost when that one dies."""
INTERRUPTED = "interrupted"
"""How the lease of a run ends that something other than a person ended: it is gone on with, as after a kill."""


def _told_in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it is beyond the years that can be told") from error


Count = Annotated[int, Field(ge=0, le=2**53)]
Moment = Annotated[AwareDatetime, AfterValidator(_told_in_utc)]
"""An instant that every time zone can tell."""


class LeaseRecord(BaseModel):
    """What a lease says: who owns the workflow, and how it ended.

    ``epoch`` counts the owners, ``token`` names this one's hold on it, ``heartbeat`` counts its renewals. Times are
    the writer's own and for people only: nothing is decided by them.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    owner: str
    epoch: Count
    token: str
    heartbeat: Count
    acquired: Moment
    renewed: Moment
    host: str
    boot_id: str
    pid: int = Field(ge=1, le=2**31)
    started: str
    end_reason: str | None = None
    ended: Moment | None = None

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
        """Whether a run took it and did not come to an end that anybody wanted: it goes on, or was interrupted."""
        return self.end_reason in {None, INTERRUPTED} and not self.owner.startswith(UPKEEP)

    def holder_is_gone(self) -> bool:
        """Say whether the holder is certainly dead; false wherever only watching can tell."""
        return is_gone(self.process)


@dataclass(frozen=True, slots=True)
class SeenLease:
    """A lease as read, and the version to replace it under."""

    record: LeaseRecord
    version: str


def read_lease(objects: ObjectStore, workflow_id: str) -> LeaseRecord | None:
    """Return what the lease says, or None where there never was one.

    Raises:
        DocumentError: Something that is no lease lies under its key.
    """
    seen = see_lease(objects, workflow_id)
    return seen.record if seen else None


def refuse_if_held_here(objects: ObjectStore, workflow_id: str) -> None:
    """Look, without taking anything, whether a living process of this host owns the workflow.

    Raises:
        LeaseHeld: One does.
        DocumentError: Something that is no lease lies under the lease's key.
    """
    record = read_lease(objects, workflow_id)
    if record is not None and record.end_reason is None and lives_here(record):
        raise held_error(record)


def lives_here(record: LeaseRecord) -> bool:
    """Say whether the holder is a process of this host that still runs: no watching needed."""
    here = this_process()
    return (record.host, record.boot_id) == (here.host, here.boot_id) and not record.holder_is_gone()


def open_run_error(record: LeaseRecord) -> LeaseHeld:
    """Return what to tell somebody whose change must wait for the run that goes on, or was interrupted."""
    interrupted = record.end_reason == INTERRUPTED
    if not interrupted and lives_here(record):
        return held_error(record)
    name = record.workflow_id
    renewed = _told(record.renewed)
    told = "died before its end" if interrupted or record.holder_is_gone() else "goes on or died there"
    return RunInterrupted(
        f"the last run of {name}, on {record.machine} (pid {record.pid}, last heard of at {renewed}), {told}: "
        f"`plait resume {name}` first",
        workflow_id=name,
        owner=record.owner,
        host=record.machine,
    )


def held_error(record: LeaseRecord) -> LeaseHeld:
    """Return what to tell a second run."""
    since = _told(record.acquired)
    return LeaseHeld(
        f"workflow {record.workflow_id} is being run by {record.owner} on {record.machine} (pid {record.pid}) "
        f"since {since}: wait for it or end it, then run again",
        workflow_id=record.workflow_id,
        owner=record.owner,
        host=record.machine,
        pid=record.pid,
        since=since,
    )


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def lease_body(record: LeaseRecord) -> bytes:
    """Return a lease as it is stored."""
    return orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def see_lease(objects: ObjectStore, workflow_id: str) -> SeenLease | None:
    """Read a lease, to judge it and to replace what was judged.

    Raises:
        DocumentError: Something that is no lease lies under its key.
    """
    found: Versioned | None = objects.read_versioned(lease_key(workflow_id))
    if found is None:
        return None
    try:
        record = LeaseRecord.model_validate_json(found.body)
    except ValidationError as error:
        raise DocumentError(
            f"{lease_key(workflow_id)} is not a lease: if no run of {workflow_id} is going, remove it and run again",
            key=lease_key(workflow_id),
        ) from error
    return SeenLease(record=record, version=found.version)
