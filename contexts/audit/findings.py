"""What the audit answers: findings with their sources, and the report that holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from contexts.documents.findings import SEVERITIES, Finding, Severity, Source
from contexts.json.pointer import resolve
from contexts.text.ellipsis import brief
from contexts.text.plural import first_of

QUOTE = 240


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
            "findings": [finding.to_json() for finding in self.findings],
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
        return Source(document=name, pointer=where, quote=quote(resolve(data, where)))
    except KeyError:
        return Source(document=name, pointer=where, quote="")


def listed(values: list[str], most: int = 4) -> str:
    """Return the first values as a list in words, and how many more there are."""
    return first_of([brief(value, 80) for value in values], most)
