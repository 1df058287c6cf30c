"""What of a workflow may go: decided from what its store holds, before anything is touched.

Kept, always: the newest revision of every document; the last few before it; every revision and blob that a kept
document refers to, however far down; everything younger than a day; everything of a workflow whose lease has not ended.

A workflow that has rested for a month is archived: only its newest revisions and what they refer to stay in place, so
that it can be listed, shown and resumed as before, and the rest moves into one compressed file in the store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from contexts.store.keys import blob_kind, read_key
from contexts.store.objects import Entry

DAY = 24 * 3600.0
_DIGEST = re.compile(rb'"([0-9a-f]{64})"')


class RetentionPolicy(BaseModel):
    """How long things are kept.

    Attributes:
        archive_after_days: A workflow in which nothing was saved for so long is archived.
        keep_checkpoints: How many of the last revisions of each document stay.
        grace_seconds: Nothing younger is touched: a run may be about to refer to it.
    """

    model_config = ConfigDict(frozen=True)

    archive_after_days: int = Field(default=30, ge=1)
    keep_checkpoints: int = Field(default=5, ge=1)
    grace_seconds: float = Field(default=DAY, ge=DAY)


class RetentionPlan(BaseModel):
    """What to do with one workflow.

    Attributes:
        action: ``keep``: nothing; ``trim``: remove ``keys``; ``archive``: move ``keys`` into the archive.
        keys: Revisions first, then blobs, so that no document ever refers to what is gone.
        size: Bytes of all these.
        reason: Why.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    action: Literal["keep", "trim", "archive"]
    keys: tuple[str, ...] = ()
    size: int = 0
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds of one workflow.

    Attributes:
        documents: Entries of its revisions.
        blobs: Entries of its blobs.
    """

    workflow_id: str
    documents: tuple[Entry, ...]
    blobs: tuple[Entry, ...]


def plan_retention(
    held: Held, *, lease_ended: bool, now: float, policy: RetentionPolicy, read: Callable[[str], bytes]
) -> RetentionPlan:
    """Return what to do with a workflow.

    Args:
        held: What there is of it.
        lease_ended: Whether its lease says that its last run ended; a workflow that never had one counts as ended.
        now: The present, in seconds since the epoch by the store's clock.
        policy: How long things are kept.
        read: Reads an object by its key.
    """
    if not lease_ended:
        return RetentionPlan(workflow_id=held.workflow_id, action="keep", reason="its lease has not ended")
    rested = now - max((entry.modified for entry in held.documents), default=now)
    old = rested >= policy.archive_after_days * DAY
    revisions = _revisions(held)
    keep = 1 if old else policy.keep_checkpoints
    kept = {number[revision] for number in revisions.values() for revision in sorted(number)[-keep:]}
    blobs = {entry.key.rpartition("/")[2]: entry.key for entry in held.blobs if blob_kind(entry.key) == "content"}
    reached = _reach(kept, revisions, blobs, read)
    young = now - policy.grace_seconds
    going = [entry for entry in (*held.documents, *held.blobs) if entry.key not in reached and entry.modified <= young]
    if not going:
        reason = f"nothing beyond the last {keep} of each document" if not old else "already at its smallest"
        return RetentionPlan(workflow_id=held.workflow_id, action="keep", reason=reason)
    return RetentionPlan(
        workflow_id=held.workflow_id,
        action="archive" if old else "trim",
        keys=tuple(entry.key for entry in going),
        size=sum(entry.size for entry in going),
        reason=f"nothing was saved for {rested / DAY:.0f} days" if old else f"beyond the last {keep} of each document",
    )


def _revisions(held: Held) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for entry in held.documents:
        named = read_key(entry.key)
        if named:
            _, name, revision = named
            found.setdefault(name, {})[revision] = entry.key
    return found


def _reach(
    kept: set[str], revisions: Mapping[str, Mapping[int, str]], blobs: Mapping[str, str], read: Callable[[str], bytes]
) -> set[str]:
    """Return the kept keys and all they lead to: any text that is a blob's name counts as a reference to it."""
    reached: set[str] = set()
    waiting = list(kept)
    while waiting:
        key = waiting.pop()
        if key in reached:
            continue
        reached.add(key)
        body = read(key)
        waiting += [blobs[name] for name in map(bytes.decode, _DIGEST.findall(body)) if name in blobs]
        waiting += [
            revisions[name][revision]
            for name, revision in references(body)
            if name in revisions and revision in revisions[name]
        ]
    return reached


def references(body: bytes) -> Iterator[tuple[str, int]]:
    """Yield document name and revision of every reference in a JSON text; none where it is no JSON."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return
    try:
        waiting: list[Any] = [orjson.loads(body)]
    except orjson.JSONDecodeError:
        return  # a log that happens to begin with a bracket
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            name, revision = value.get("document"), value.get("revision")  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType] JSON
            if isinstance(name, str) and isinstance(revision, int):
                yield name, revision
            waiting += value.values()
