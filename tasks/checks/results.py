"""What running a check gave: status, reason, steps, figures and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from contexts.documents.base import JsonObject
from tasks.checks.bench import Step

Status = Literal["passed", "failed", "unverified"]
Severity = Literal["blocking", "warning", "note"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a kind of check makes of its steps.

    Attributes:
        status: ``unverified`` when it could not run or its report could not be read: never a pass.
        reason: Why it did not pass; empty for a pass.
        result: Figures by kind: ``tests``, ``coverage``, ``performance``, ``security``, ``migrations``, ``contract``.
        reports: Raw reports by name, each with its media type.
        findings: What is wrong, one by one, with both sides quoted.
    """

    status: Status
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reports: Mapping[str, tuple[bytes, str]] = field(default_factory=dict[str, tuple[bytes, str]])
    findings: tuple[JsonObject, ...] = ()


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


def finding(rule: str, severity: Severity, message: str, sources: Sequence[JsonObject] = ()) -> JsonObject:
    """Return a finding as documents hold it."""
    return {"rule": rule, "severity": severity, "message": message, "sources": list(sources)}


def source(document: str, pointer: str, quote: str) -> JsonObject:
    """Return one side of a finding."""
    return {"document": document, "pointer": pointer, "quote": quote}
