"""What plait writes about the work itself: attempts, what was spent, the record of a track and of a run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contexts.documents.base import Instant, Lenient, Number, Open
from contexts.documents.parts import TrackStatus
from contexts.documents.refs import BlobRef, ContextRef


class Refused(Open):
    """Something in a workspace that was not taken over: a link that leads out, a nested repository, a huge file."""

    path: str
    why: str


class Attempt(Open):
    """One attempt at a track."""

    number: int
    status: str
    seconds: Number
    started_at: Instant
    exit_code: int | None = None
    reason: str | None = None
    log: BlobRef | None = None


class Spent(Open):
    """What all attempts at a track cost, in all runs, as the agents report it."""

    cost_usd: Number = 0
    tokens: int = 0


class Execution(Open):
    """How plait ran a track, and what git says it produced.

    Attributes:
        inputs: Digest of everything that decides what the track produces.
        parts: The same by part, shortened, to say which part changed.
        result: Digest of what it produced: content and tree, no times and no usage.
        start: Commit the track started from.
        commit: Commit that holds its work.
        tree: The tree of that commit, or a digest of the folder where there is no repository.
        bundle: The track's commits as a git bundle.
        seconds: Wall time of all attempts.
        spent: What all attempts cost, those at other inputs too.
    """

    inputs: str
    parts: dict[str, str] | None = None
    result: str | None = None
    backend: str
    started_at: Instant
    completed_at: Instant | None = None
    seconds: Number
    attempts: list[Attempt]
    reason: str | None = None
    start: str | None = None
    commit: str | None = None
    tree: str | None = None
    bundle: BlobRef | None = None
    refused: list[Refused] | None = None
    run_id: str | None = None
    spent: Spent | None = None


class TrackRecord(Open):
    """How one track of one run went."""

    task_id: str
    status: TrackStatus
    reused: bool
    attempts: int
    seconds: Number
    reason: str | None = None
    ref: ContextRef | None = None
    started_at: Instant | None = None
    completed_at: Instant | None = None
    recorded: bool | None = None


class PhaseRecord(Open):
    """When one phase of a run began and ended."""

    name: str
    started_at: Instant
    completed_at: Instant


class RecordedDocument(Open):
    """A document that stands in for an agent: what it was called, and where it is kept."""

    name: str
    blob: BlobRef


class RunRecord(Lenient):
    """What the run that saved this revision did.

    Attributes:
        base: The pinned base commit, full sha, where there is a repository.
        base_name: What the spec calls it, where there is a repository.
        start: The commit tracks start from, also where there is no repository.
        programs: What the files held that the spec's commands name outside the repository: sha256 by the argument as
            written, null for what was no file.
        recordings: Documents that stand in for agents, by task_id.
        base_bundle: That commit with its history as a git bundle, where the spec says ``store_base``.
        integrated: The commit that holds all branches that could be merged.
        left_out: Tracks whose branch conflicts.
        branch: The branch delivered to the user's repository.
        delivered: The commit it stood at when it was delivered last.
        max_parallel: How many tracks could run at a time.
    """

    id: str | None = None
    status: Annotated[str, Field(min_length=1)]
    exit_code: int | None = None
    started_at: Instant | None = None
    completed_at: Instant | None = None
    base: str | None = None
    base_name: str | None = None
    start: str | None = None
    programs: dict[str, str | None] | None = None
    recordings: dict[str, RecordedDocument] | None = None
    base_bundle: BlobRef | None = None
    integrated: str | None = None
    tree: str | None = None
    left_out: list[str] | None = None
    branch: str | None = None
    delivered: str | None = None
    tracks: list[TrackRecord] | None = None
    phases: list[PhaseRecord] | None = None
    max_parallel: int | None = None
    reasons: list[str] | None = None
