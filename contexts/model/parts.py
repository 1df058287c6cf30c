"""The parts of a context document, in the order a reader meets them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contexts.model.base import Identifier, Instant, JsonObject, Number, Open
from contexts.model.refs import BlobRef, ContextRef

TrackStatus = Literal["pending", "running", "completed", "failed", "blocked", "cancelled", "out-of-budget"]
"""What plait itself writes of a track; documents from elsewhere may say anything."""


class FeatureSpec(Open):
    """What is to be built; other fields are kept.

    Attributes:
        name: Its name.
        description: What it is, in a sentence.
        requirements: What it must do; given to every agent.
        status: Where it stands.
    """

    name: str | None = None
    description: str | None = None
    requirements: list[Any] | None = None
    status: str | None = None


class TrackEntry(Open):
    """One parallel task as the workflow's document lists it."""

    task_id: Identifier
    agent: str | None = None
    scope: str | None = None
    context_ref: str | None = None
    status: str | None = None
    started_at: Instant | None = None
    completed_at: Instant | None = None


class DecisionRecord(Open):
    """A decision with its reason; the same topic with another choice is a contradiction."""

    topic: str
    choice: str
    rationale: str | None = None


Decision = str | DecisionRecord


class ActionRecord(Open):
    """Something still to be done, by verb and subject."""

    action: str
    subject: str | None = None
    status: str | None = None


PendingAction = str | ActionRecord


class ErrorEntry(Open):
    """One error an agent met."""

    timestamp: Instant | None = None
    agent: str | None = None
    error: str
    resolved: bool | None = None


class Checkpoint(Open):
    """A point an agent can go on from."""

    id: str | Number
    timestamp: Instant | None = None
    phase: str | None = None


class Metadata(Open):
    """Labels people give a workflow or track; other fields are kept.

    Attributes:
        priority: How urgent it is.
        estimated_completion: When it should be done.
        owner: Who answers for it.
        tags: Words to find it by.
    """

    priority: str | None = None
    estimated_completion: str | None = None
    owner: str | None = None
    tags: list[str] | None = None


class Usage(Open):
    """What the agent's model cost: tokens, and US dollars."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Number | None = None


class TaskSummary(Open):
    """One track in the summary of the parallel execution."""

    task_id: str
    agent: str | None = None
    duration_minutes: Number | None = None
    status: str | None = None
    files_count: int | None = None
    test_coverage: Any = None


class ExecutionSummary(Open):
    """When the tracks ran, and how each ended."""

    started_at: Instant | None = None
    completed_at: Instant | None = None
    total_duration_minutes: Number | None = None
    tasks: list[TaskSummary] | None = None


class Concern(Open):
    """What the merge could not settle alone."""

    concern: str
    status: str | None = None
    kind: str | None = None
    tracks: list[str] | None = None
    files: list[str] | None = None
    sources: list[dict[str, Any]] | None = None


class TrackContext(Open):
    """What a merged document says of one track: where its document is, or, expanded, all of it.

    Attributes:
        ref: The track document this was taken from.
        status: How the track ended.
        context: Everything of the track's document that has no merged list of its own: contract, details, data.
    """

    ref: ContextRef | None = None
    status: str | None = None
    context: dict[str, Any] | None = None


class Omission(Open):
    """Something a merge did not take over, and why."""

    what: str
    why: str
    task_id: str | None = None
    pointer: str | None = None
    value: Any = None


class EvidenceStep(Open):
    """One command of a check that needs several."""

    name: str
    argv: list[str]
    exit_code: int | None = None
    seconds: Number
    outcome: str | None = None
    log: BlobRef | None = None


class Evidence(Open):
    """One check plait ran, and what came of it.

    Attributes:
        status: ``passed``, ``failed`` or ``unverified`` (it could not run, or its report could not be read).
        seconds: Wall time of the command.
        tree: The git tree, or content digest, the command ran on.
        result: What its reports say, by kind.
        steps: The commands behind it, where it is more than one.
        findings: What is wrong, one by one.
        notes: What does not decide the check: output dropped, processes killed, files rewritten.
    """

    check: str
    kind: str
    status: Literal["passed", "failed", "unverified"]
    argv: list[str]
    exit_code: int | None = None
    seconds: Number
    started_at: Instant | None = None
    tree: str | None = None
    result: dict[str, Any] | None = None
    log: BlobRef | None = None
    reports: dict[str, BlobRef] | None = None
    reason: str | None = None
    reused: bool | None = None
    inputs: str | None = None
    steps: list[EvidenceStep] | None = None
    findings: list[FindingEntry] | None = None
    notes: list[str] | None = None


class FindingEntry(Open):
    """What the audit says is wrong."""

    rule: str
    severity: Literal["blocking", "warning", "note"]
    message: str
    sources: list[dict[str, Any]] | None = None
    fingerprint: str | None = None
    waived: JsonObject | None = None


class CriterionResult(Open):
    """How one success criterion ended, and by what."""

    id: str
    area: str | None = None
    text: str
    required: bool
    status: Literal["met", "unmet", "unverified", "waived"]
    reason: str
    evidence: list[str] | None = None


class WaiverEntry(Open):
    """A person's typed decision to accept a criterion, a check or a finding as it is.

    Attributes:
        target: The criterion's or check's name; of a finding its rule.
        kind: What the target is; waivers of older documents do not say.
        pointer: Where a finding's first source points.
        fingerprint: The very finding that is accepted; another one of the same rule is not.
    """

    target: str
    by: str
    why: str
    timestamp: Instant
    kind: Literal["criterion", "check", "finding"] | None = None
    document: str | None = None
    pointer: str | None = None
    fingerprint: str | None = None


class SettlementEntry(Open):
    """A person's typed decision on a concern the merge could not settle.

    Attributes:
        target: The concern in words.
        fingerprint: The very concern that is settled.
        choice: What shall hold.
    """

    target: str
    fingerprint: str
    choice: str
    by: str
    why: str
    timestamp: Instant
    kind: str | None = None
    tracks: list[str] | None = None


class ApprovalEntry(Open):
    """A person's answer at a gate.

    Attributes:
        subject: Digest of what was approved: the tree, the command, the prerequisites. Another subject asks again.
        decision: ``ticked`` only ticks prerequisites; ``rerun`` allows a production command whose end is not known, or
            that failed, to run once more; ``done`` says that it did deploy after all.
        ticked: Manual prerequisites this person vouches for.
        attempt: The production deployment that ``rerun`` and ``done`` answer.
    """

    gate: str
    subject: str
    decision: Literal["approved", "rejected", "ticked", "rerun", "done"]
    by: str
    note: str
    timestamp: Instant
    ticked: list[str] | None = None
    attempt: str | None = None
    tree: str | None = None


class DeploymentAttempt(Open):
    """One run of a deployment command.

    Attributes:
        checks: Evidence of the checks that were run against it.
        subject: Digest of what was deployed: the tree and the command.
        status: ``running`` is saved before production begins; one that stays so was interrupted, its end is unknown.
    """

    id: str
    environment: Literal["staging", "production"]
    subject: str
    status: Literal["running", "done", "failed", "unknown"]
    argv: list[str]
    started_at: Instant
    tree: str | None = None
    completed_at: Instant | None = None
    seconds: Number | None = None
    exit_code: int | None = None
    reason: str | None = None
    log: BlobRef | None = None
    url: str | None = None
    run_id: str | None = None
    checks: list[Evidence] | None = None


class AreaResult(Open):
    """One of the five areas of verification."""

    status: str | None = None


class VerificationResults(Open):
    """The five areas; every entry plait writes carries its evidence."""

    api_contract_alignment: AreaResult | None = None
    test_execution: AreaResult | None = None
    performance: AreaResult | None = None
    security: AreaResult | None = None
    database_migration: AreaResult | None = None


class PrerequisiteResult(Open):
    """How one prerequisite of production stands: by evidence, or by a person's word."""

    id: str
    text: str
    status: Literal["met", "unmet", "pending"]
    manual: bool | None = None
    reason: str | None = None
    evidence: JsonObject | None = None
    by: str | None = None


class StagingReadiness(Open):
    """How far staging is; ``status`` is ``deployed`` or ``failed`` where plait wrote it."""

    status: str | None = None
    url: str | None = None
    deployed_at: Instant | None = None
    validation: str | None = None
    evidence: JsonObject | None = None


class ProductionReadiness(Open):
    """How far production is.

    ``status``, where plait wrote it: ``blocked`` (a prerequisite is unmet), ``waiting`` (for a person), ``approved``,
    ``rejected``, ``deploying``, ``deployed``, ``failed``, or ``unknown`` (a deployment did not report its end).
    """

    status: str | None = None
    gate: str | None = None
    subject: str | None = None
    prerequisites: list[str | PrerequisiteResult] | None = None
    approval: JsonObject | None = None
    deployed_at: Instant | None = None
    evidence: JsonObject | None = None


class DeploymentReadiness(Open):
    """How far each environment is."""

    staging: StagingReadiness | None = None
    production: ProductionReadiness | None = None


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
        files: The folder's changed files as an archive, where there is no repository.
        seconds: Wall time of all attempts.
        workspace: Folder of the workspace that was kept, by its name below the workspace root.
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
    files: BlobRef | None = None
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


class RunRecord(Open):
    """What the run that saved this revision did.

    Attributes:
        base: The pinned base commit, full sha, where there is a repository.
        base_bundle: That commit with its history as a git bundle, where the spec says ``store_base``.
        integrated: The commit that holds all branches that could be merged.
        branch: The branch delivered to the user's repository.
    """

    id: str | None = None
    status: Annotated[str, Field(min_length=1)]
    exit_code: int | None = None
    started_at: Instant | None = None
    completed_at: Instant | None = None
    base: str | None = None
    base_bundle: BlobRef | None = None
    integrated: str | None = None
    tree: str | None = None
    branch: str | None = None
    repository: str | None = None
    tracks: list[TrackRecord] | None = None
    reasons: list[str] | None = None
    report: BlobRef | None = None
