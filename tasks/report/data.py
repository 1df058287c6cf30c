"""What a report says, apart from how it looks: frozen, bounded, ready for any template.

Texts are bounded and visible here already; escaping them is the templates' last step, so that it cannot be forgotten.
Times are seconds, sizes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tasks.report.deployment_data import Deployed
from tasks.report.evidence_data import EvidenceRow
from tasks.report.values import Decision, Listed, Log, Status


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of time, in seconds from the start of the run."""

    start: float
    end: float
    kind: Literal["work", "failed", "waiting", "blocked"] = "work"

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the timeline.

    Attributes:
        note: What to say where there is nothing to draw, or beside what is drawn.
        critical: Whether it lies on the critical path.
    """

    name: str
    spans: tuple[Span, ...] = ()
    note: str = ""
    critical: bool = False

    @property
    def worked(self) -> float:
        """Seconds of work, without waiting."""
        return sum(span.seconds for span in self.spans if span.kind in {"work", "failed"})


@dataclass(frozen=True, slots=True)
class Timeline:
    """Phases, tracks and checks on one axis of time.

    Attributes:
        started: Where zero is.
        seconds: Length of the axis.
        critical: The chain of tracks that decided when the last one ended, in order.
        running: How many tracks were at work, as steps ``(second, count)``, where not every track has a row.
        played_back: The times are those of recordings, not of this run.
    """

    started: datetime | None
    seconds: float
    phases: tuple[Row, ...]
    tracks: Listed[Row]
    checks: Listed[Row]
    critical: tuple[str, ...] = ()
    running: tuple[tuple[float, int], ...] = ()
    played_back: bool = False


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One track, as the table shows it."""

    task_id: str
    agent: str
    scope: str
    status: Status
    attempts: int
    seconds: float
    files: int
    document: str
    size: int
    needs: tuple[str, ...]
    reason: str
    summary: str
    critical: bool
    logs: tuple[Log, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A figure an agent claimed, and what evidence shows of it; empty where nothing does."""

    task_id: str
    about: str
    claimed: str
    shown: str
    status: Status


@dataclass(frozen=True, slots=True)
class Sourced:
    """A merged item and where it came from, each source as ``task_id#/pointer``.

    Attributes:
        note: What a person decided on it, or why its work is not in the tree.
    """

    text: str
    detail: str
    status: Status | None
    sources: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """One side of a finding or concern: what is written, and where; what became of it where a person chose."""

    document: str
    pointer: str
    quote: str
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """A finding or a concern.

    Attributes:
        kind: The audit's rule, or the concern's kind.
        severity: How much a waived finding would weigh, else empty.
        decision: Who waived or settled it.
        before: Settlements that this one superseded, oldest first.
    """

    kind: str
    status: Status
    text: str
    tracks: tuple[str, ...]
    files: tuple[str, ...]
    quotes: tuple[Quote, ...]
    severity: str = ""
    decision: Decision | None = None
    before: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """How one success criterion ended."""

    name: str
    area: str
    text: str
    required: bool
    status: Status
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a context was when a phase had saved it."""

    name: str
    size: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one consumer and one provider make of one endpoint."""

    status: Status
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContractPair:
    """One consumer against one provider: every endpoint the consumer names."""

    consumer: str
    provider: str
    endpoints: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class ContractMatrix:
    """Consumers against providers.

    Attributes:
        unavailable: Why there is nothing to show, empty if there is.
    """

    consumers: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    pairs: Listed[ContractPair] = Listed()  # noqa: RUF009 frozen; a generic alias cannot make one
    unavailable: str = ""

    def pair(self, consumer: str, provider: str) -> ContractPair | None:
        """Return what was compared between two documents, None if they share nothing."""
        return next((one for one in self.pairs.shown if (one.consumer, one.provider) == (consumer, provider)), None)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number about the run, and how it was computed."""

    name: str
    value: str
    formula: str
    note: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report says of one run.

    Attributes:
        meaning: What the status means, empty for one plait does not write.
        facts: Pairs of name and value.
        counts: Headline numbers: what is counted, how many, a word on them.
        question: What the reasons answer.
        deployment: None where the document says nothing of one.
    """

    workflow_id: str
    name: str
    description: str
    status: Status
    meaning: str
    summary: str
    document: str
    run_id: str
    started: datetime | None
    completed: datetime | None
    facts: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str, str], ...]
    question: str
    reasons: Listed[str]
    deployment: Deployed | None
    timeline: Timeline
    measures: tuple[Measure, ...]
    tracks: Listed[TrackRow]
    decisions: Listed[Sourced]
    pending_actions: Listed[Sourced]
    concerns: Listed[Matter]
    contracts: ContractMatrix
    findings: Listed[Matter]
    criteria: Listed[CriterionRow]
    claims: Listed[ClaimRow]
    evidence: Listed[EvidenceRow]
    sizes: Listed[Size]
