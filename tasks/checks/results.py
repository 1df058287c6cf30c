"""What running a check gave: status, reason, steps, figures and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from contexts.documents.figures import CheckFigures
from contexts.documents.findings import Finding
from tasks.checks.bench import Step
from tasks.checks.junit import TestCase

Status = Literal["passed", "failed", "unverified"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a kind of check makes of its steps.

    Attributes:
        status: ``unverified`` when it could not run or its report could not be read: never a pass.
        reason: Why it did not pass; empty for a pass.
        result: What was measured.
        reports: Raw reports by name, each with its media type.
        findings: What is wrong, one by one, with both sides quoted.
        notes: What a pass does not say: tests that were skipped, or passed at a later try.
        cases: The tests of its report, one by one.
    """

    status: Status
    reason: str = ""
    result: CheckFigures = field(default_factory=CheckFigures)
    reports: Mapping[str, tuple[bytes, str]] = field(default_factory=dict[str, tuple[bytes, str]])
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    cases: tuple[TestCase, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check that was run: its judgement, the commands behind it, and what else is to be said.

    Attributes:
        notes: Output that was dropped, processes that were left and killed, files that were rewritten.
    """

    judged: CheckResult
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    seconds: float


def notes_on(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return what the supervisor saw that does not decide the check."""
    notes: list[str] = []
    for step in steps:
        outcome = step.outcome
        if outcome.truncated:
            notes.append(
                f"{step.name}: {outcome.dropped_bytes:,} bytes of output were dropped from the middle of its log"
            )
        if outcome.stragglers:
            count = f"{outcome.stragglers} processes were" if outcome.stragglers > 1 else "1 process was"
            notes.append(f"{step.name}: {count} still running at its end and killed")
    return tuple(notes)
