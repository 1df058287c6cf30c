"""What verification leaves behind: evidence, findings, criteria, and what people decided about them."""

from __future__ import annotations

from typing import Any, Literal

from contexts.documents.base import Instant, JsonObject, Number, Open
from contexts.documents.refs import BlobRef

DECIDED = ("waivers", "settlements", "approvals", "deployments")
"""Fields of a context that hold decisions of people, and outlive the run that wrote them."""


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
