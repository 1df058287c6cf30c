"""What a report says of a deployment: each environment, the gate, and what people answered there."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.report.evidence_data import EvidenceRow
from tasks.report.values import Listed, Log, Status


@dataclass(frozen=True, slots=True)
class Environment:
    """How far one environment is.

    Attributes:
        argv: The command, empty where it did not run.
        facts: Pairs of name and value: what was deployed, when, with which end.
        reason: Why it is so, in words.
    """

    status: Status
    argv: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    reason: str
    checks: Listed[EvidenceRow]
    log: Log | None


@dataclass(frozen=True, slots=True)
class PrerequisiteRow:
    """One prerequisite of production, and what says that it holds."""

    name: str
    text: str
    status: Status
    reason: str
    manual: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered at the gate.

    Attributes:
        about: What it was said of, where that is not what the gate is about now; else empty.
    """

    status: Status
    by: str
    at: str
    note: str
    ticked: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate before production; the newest answer comes first."""

    name: str
    status: Status
    prerequisites: Listed[PrerequisiteRow]
    answers: Listed[Answer]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An earlier deployment."""

    environment: str
    status: Status
    facts: tuple[tuple[str, str], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """How far the work is on its way to production."""

    staging: Environment | None
    gate: Gate | None
    production: Environment | None
    earlier: Listed[Attempt]
