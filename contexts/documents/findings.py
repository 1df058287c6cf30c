"""A finding: one defect, said once, with both sides of it quoted. The one shape for whoever finds something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from contexts.documents.base import Instant, Items, Lenient, Open

Severity = Literal["blocking", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("blocking", "warning", "note")
Mild = Literal["warning", "note"]
"""What a finding about somebody's words or numbers may be."""


class Source(Lenient):
    """One side of a finding or concern: a document's name, an RFC 6901 pointer to the very value, and that as text."""

    document: str = ""
    pointer: str = ""
    quote: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """Document and pointer."""
        return self.document, self.pointer


class Waived(Open):
    """Who accepted a finding as it is, and why."""

    by: str
    why: str
    timestamp: Instant


class Finding(Lenient):
    """One defect.

    Attributes:
        rule: ``family/slug``.
        message: One sentence.
        sources: The value that is wrong first, then what contradicts it.
        fingerprint: Tells it from every other, see `contexts.verification.open_items.fingerprint`.
        waived: The decision to accept it; set by `contexts.verification.rulings.apply_waivers`.
    """

    rule: str
    severity: Severity
    message: str
    sources: Items[Source] = ()
    fingerprint: str | None = None
    waived: Waived | None = None

    @property
    def family(self) -> str:
        """The part of the rule's id before the slash."""
        return self.rule.split("/", 1)[0]

    @property
    def blocks(self) -> bool:
        """Whether it keeps a run from being verified."""
        return self.severity == "blocking" and self.waived is None


class Doubt(Finding):
    """What was read out of words or numbers that somebody wrote: it is said, and it never blocks.

    A grammar that reads sentences is wrong now and then about true ones, and a figure that somebody wrote proves
    nothing either way; evidence decides. No severity of a rule or of a caller can make one of these blocking.
    """

    severity: Mild  # pyright: ignore[reportIncompatibleVariableOverride] it is frozen


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with the blocking ones first, otherwise as they were."""
    return sorted(findings, key=lambda one: SEVERITIES.index(one.severity))
