"""What a report says of one check."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.report.values import Decision, Listed, Log, Status


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One check, what it gave, and its log.

    Attributes:
        results: What its reports say, as pairs of name and value.
        failures: Tests that failed, as its report has them.
        notes: What does not decide it and is to be known.
        waiver: Who accepts its failure, None where nobody does.
    """

    check: str
    kind: str
    status: Status
    reused: bool
    argv: tuple[str, ...]
    exit_code: str
    seconds: float
    tree: str
    reason: str
    results: tuple[tuple[str, str], ...]
    failures: Listed[tuple[str, str]]
    log: Log | None
    notes: tuple[str, ...] = ()
    waiver: Decision | None = None
