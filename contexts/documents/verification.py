"""What verification leaves behind: evidence, criteria, areas, and the rulings of people on them."""

from __future__ import annotations

from typing import Any, Literal

from contexts.documents.base import Instant, Number, Open
from contexts.documents.figures import CheckFigures
from contexts.documents.findings import Finding
from contexts.documents.refs import BlobRef

RULINGS = ("waivers", "settlements", "approvals", "deployments")
"""Fields of a context that hold rulings of people, and outlive the run that wrote them."""


class EvidenceStep(Open):
    """One command of a check that needs several."""

    name: str
    argv: list[str]
    exit_code: int | None = None
    seconds: Number
    outcome: str | None = None
    log: BlobRef | None = None


class SecondPass(Open):
    """The base commit's tests, put back over the merged product and run once more.

    Attributes:
        status: ``same``, ``differs``, ``not-comparable`` (it gave no report to compare) or ``not-run`` (there was
            nothing to put back, or nothing to compare with).
        reason: Why it is not the same.
        put_back: Files that were taken from the base commit.
        tests: Tests that were compared.
        diff: What the tracks changed in these files.
    """

    status: Literal["same", "differs", "not-comparable", "not-run"]
    reason: str | None = None
    put_back: int = 0
    tests: int = 0
    exit_code: int | None = None
    seconds: Number | None = None
    log: BlobRef | None = None
    report: BlobRef | None = None
    diff: BlobRef | None = None


class AtBase(Open):
    """How a check that failed ends on the base commit.

    Attributes:
        inputs: Digest of everything that decides it there.
    """

    status: Literal["passed", "failed", "unverified"]
    reason: str | None = None
    inputs: str


class Evidence(Open):
    """One check plait ran, and what came of it.

    Attributes:
        status: ``passed``, ``failed`` or ``unverified`` (it could not run, or its report could not be read).
        seconds: Wall time of the command.
        tree: The git tree, or content digest, the command ran on.
        result: What its reports say, by kind.
        reused: It passed in an earlier run, on the very same inputs.
        inputs: Digest of everything that decides it.
        steps: The commands behind it, where it is more than one.
        findings: What is wrong, one by one.
        notes: What does not decide the check: output dropped, processes killed, files rewritten.
        second_pass: What the base commit's tests say of the same product.
        at_base: How the check ends on the base commit, where it was tried there because it failed.
    """

    check: str
    kind: str
    status: Literal["passed", "failed", "unverified"]
    argv: list[str]
    exit_code: int | None = None
    seconds: Number
    started_at: Instant | None = None
    tree: str | None = None
    result: CheckFigures | None = None
    log: BlobRef | None = None
    reports: dict[str, BlobRef] | None = None
    reason: str | None = None
    reused: bool | None = None
    inputs: str | None = None
    steps: list[EvidenceStep] | None = None
    findings: list[Finding] | None = None
    notes: list[str] | None = None
    second_pass: SecondPass | None = None
    at_base: AtBase | None = None

    @property
    def figures(self) -> CheckFigures:
        """What it measured; nothing where it measured nothing."""
        return self.result or CheckFigures()


class ComparedClaim(Open):
    """A figure that an agent claimed, beside what evidence shows; it decides nothing.

    Attributes:
        task_id: The track whose agent claimed it.
        check: The check it is about, or whose evidence shows it.
        file: The file it is about.
        claimed: The claimed number: tests, passed tests, or line coverage in percent.
        shown: What evidence shows; absent where nothing does.
        agrees: Whether at least as much is shown; absent where nothing shows it.
    """

    task_id: str
    check: str | None = None
    file: str | None = None
    figure: Literal["tests", "passed", "coverage"]
    claimed: Number
    shown: Number | None = None
    agrees: bool | None = None


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
    """A person's ruling to accept a criterion, a check or a finding as it is.

    Attributes:
        target: The criterion's or check's name; of a finding its rule.
        kind: What the target is; waivers of older documents do not say.
        document: Where a finding's first source is.
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
    """A person's ruling on a concern the merge could not settle.

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


class AreaLine(Open):
    """One check in its area: how it ended, and what shows it."""

    check: str
    status: str
    exit_code: int | None = None
    seconds: Number
    tree: str | None = None
    result: CheckFigures | None = None
    log: BlobRef | None = None
    reason: str | None = None
    notes: list[str] | None = None
    steps: list[EvidenceStep] | None = None


class AreaResult(Open):
    """One of the five areas of verification; documents from elsewhere fill it in ways of their own.

    Attributes:
        status: The worst of its checks; ``unverified`` where there is none.
        checks: An `AreaLine` each.
        reason: Why nothing was verified.
        results: Passed of all tests, by check.
        total: The same of all checks together.
        measurements: Times and errors by request, with their targets.
        migration: The head of the database's migrations.
    """

    status: str | None = None
    checks: Any = None
    reason: Any = None
    results: Any = None
    total: Any = None
    measurements: Any = None
    migration: Any = None


class VerificationResults(Open):
    """The five areas; every entry plait writes carries its evidence."""

    api_contract_alignment: AreaResult | None = None
    test_execution: AreaResult | None = None
    performance: AreaResult | None = None
    security: AreaResult | None = None
    database_migration: AreaResult | None = None


class Regression(Open):
    """One thing that got worse.

    Attributes:
        what: ``criterion``, ``check``, ``coverage`` (percent) or ``tests`` (number that passed).
        name: The criterion's or check's id.
        before: What it was at the last verification.
        now: What it is.
        reason: Why, where known.
    """

    what: Literal["criterion", "check", "coverage", "tests"]
    name: str
    before: str
    now: str
    reason: str = ""


class Reverification(Open):
    """The last verification of a finished workflow on the later state of its repository; earlier ones in revisions."""

    timestamp: Instant
    commit: str
    tree: str
    criteria: list[CriterionResult]
    evidence: list[Evidence]
    worse: list[Regression]
