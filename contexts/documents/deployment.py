"""Approvals, deployments, and whether a feature is ready for them."""

from __future__ import annotations

from typing import Literal

from contexts.documents.base import Instant, Lenient, Number, Open
from contexts.documents.refs import BlobRef
from contexts.documents.verification import Evidence


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


class Proof(Open):
    """What a prerequisite rests on: a criterion as it was decided, or a check as it ended."""

    criterion: str | None = None
    check: str | None = None
    status: str | None = None
    reason: str | None = None
    evidence: list[str] | None = None
    exit_code: int | None = None
    seconds: Number | None = None
    tree: str | None = None
    log: BlobRef | None = None


class PrerequisiteResult(Lenient):
    """How one prerequisite of production stands: by evidence, or by a person's word."""

    id: str
    text: str
    status: Literal["met", "unmet", "pending"]
    manual: bool | None = None
    reason: str | None = None
    evidence: Proof | None = None
    by: str | None = None


class StagingReadiness(Lenient):
    """How far staging is; ``status`` is ``deployed`` or ``failed`` where plait wrote it."""

    status: str | None = None
    url: str | None = None
    deployed_at: Instant | None = None
    validation: str | None = None
    evidence: DeploymentAttempt | None = None


class ProductionReadiness(Lenient):
    """How far production is.

    ``status``, where plait wrote it: ``blocked`` (a prerequisite is unmet), ``waiting`` (for a person), ``approved``,
    ``rejected``, ``deploying``, ``deployed``, ``failed``, or ``unknown`` (a deployment did not report its end).
    """

    status: str | None = None
    gate: str | None = None
    subject: str | None = None
    prerequisites: list[str | PrerequisiteResult] | None = None
    approval: ApprovalEntry | None = None
    deployed_at: Instant | None = None
    evidence: DeploymentAttempt | None = None

    @property
    def known(self) -> list[PrerequisiteResult]:
        """The prerequisites plait has looked at; documents from elsewhere may name others in words."""
        return [one for one in self.prerequisites or () if isinstance(one, PrerequisiteResult)]


class DeploymentReadiness(Open):
    """How far each environment is."""

    staging: StagingReadiness | None = None
    production: ProductionReadiness | None = None
