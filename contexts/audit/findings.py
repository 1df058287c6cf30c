"""What the audit answers: findings with their sources, and the report that holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from contexts.json.pointer import resolve
from contexts.text.ellipsis import brief
from contexts.text.plural import first_of

Severity = Literal["blocking", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("blocking", "warning", "note")
Mild = Literal["warning", "note"]
"""What a finding about somebody's words or numbers may be."""
QUOTE = 240


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """One side of a finding: a document's file name, an RFC 6901 pointer to the very value, and the value as text."""

    document: str
    pointer: str
    quote: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect.

    Attributes:
        rule: ``family/slug``.
        message: One sentence.
        sources: The value that is wrong first, then what contradicts it.
    """

    rule: str
    severity: Severity
    message: str
    sources: tuple[Source, ...]

    @property
    def family(self) -> str:
        """Return the part of the rule's id before the slash."""
        return self.rule.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Doubt(Finding):
    """What was read out of words or numbers that somebody wrote: it is said, and it never blocks.

    A grammar that reads sentences is wrong now and then about true ones, and a figure that somebody wrote proves
    nothing either way; evidence decides. No severity of a rule or of a caller can make one of these blocking.
    """

    severity: Mild

    def __post_init__(self) -> None:
        """Refuse a severity that the type checker did not see."""
        if self.severity not in ("warning", "note"):
            raise ValueError(f"{self.rule} judges what somebody wrote, so it cannot be {self.severity!r}")


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All findings: blocking first, then by rule and place; the same input gives the same report."""

    findings: tuple[Finding, ...]
    documents: tuple[str, ...] = ()

    @property
    def summary(self) -> dict[Severity, int]:
        """Return how many findings there are of each severity."""
        return {severity: sum(f.severity == severity for f in self.findings) for severity in SEVERITIES}

    @property
    def blocking(self) -> bool:
        """Tell whether anything blocks."""
        return any(finding.severity == "blocking" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``plait audit --json`` prints it."""
        return {
            "findings": [
                {
                    "rule": finding.rule,
                    "severity": finding.severity,
                    "message": finding.message,
                    "sources": [
                        {"document": source.document, "pointer": source.pointer, "quote": source.quote}
                        for source in finding.sources
                    ],
                }
                for finding in self.findings
            ],
            "summary": dict(self.summary),
        }


def quote(value: Any) -> str:
    """Return a value as one short line: a string as it is, anything else as JSON."""
    try:
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        shown = str(type(value).__name__)
    line = " ".join(shown[: 4 * QUOTE].split())
    return brief(line, QUOTE)


def source_at(name: str, data: Any, where: str) -> Source:
    """Return a source for the value a pointer names; a pointer that leads nowhere quotes nothing."""
    try:
        return Source(name, where, quote(resolve(data, where)))
    except KeyError:
        return Source(name, where, "")


def listed(values: list[str], most: int = 4) -> str:
    """Return the first values as a list in words, and how many more there are."""
    return first_of([brief(value, 80) for value in values], most)
