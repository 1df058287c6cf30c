"""The rules: what every rule must say about itself, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import Finding, Severity, Source

Check = Callable[[DocumentSet], Iterable[Finding]]


@dataclass(frozen=True)
class Raw:
    """A file's content for an example that no parsed document can show; ``shown`` is what the page prints."""

    content: str
    shown: str


Documents = tuple[Mapping[str, Any] | Raw, ...]
FAMILIES: Mapping[str, str] = {
    "contracts": "what consumers expect against what providers offer",
    "assumptions": "what tracks take for granted and nobody provides",
    "thresholds": "measured values against targets; ticks are ignored",
    "arithmetic": "totals, means, percentages, durations, speedups and counts",
    "fidelity": "a merged document against the merge of its tracks",
    "claims": "passes, approvals and references to documentation that the documents do not bear out",
    "references": "names that lead nowhere",
    "time": "instants and durations that cannot be",
    "input": "files that cannot be judged",
}


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: ``family/slug``.
        severity: The gravest it finds; single findings may be milder.
        why: One line for docs/rules.md.
        example: Documents in which exactly this rule finds something.
        clean: The same documents without the defect.
        yields_to: Rules that see the same defect more specifically: where one of them names this rule's first source,
            or an element of a whole list this finding is about, this rule's finding is left out.
    """

    id: str
    severity: Severity
    why: str
    example: Documents
    clean: Documents
    check: Check
    yields_to: tuple[str, ...] = ()

    def finding(self, message: str, sources: Iterable[Source], severity: Severity | None = None) -> Finding:
        """Return a finding of this rule."""
        return Finding(self.id, severity or self.severity, message, tuple(dict.fromkeys(sources)))


RULES: dict[str, Rule] = {}


def rule(
    identity: str,
    severity: Severity,
    why: str,
    *,
    example: Documents,
    clean: Documents,
    yields_to: tuple[str, ...] = (),
) -> Callable[[Check], Check]:
    """Register a function as a rule; the function itself stays as it is."""

    def register(check: Check) -> Check:
        if identity in RULES:
            raise ValueError(f"two rules are called {identity}")
        if identity.split("/", 1)[0] not in FAMILIES:
            raise ValueError(f"{identity} belongs to no family")
        RULES[identity] = Rule(identity, severity, why, example, clean, check, yields_to)
        return check

    return register


def found(identity: str, message: str, sources: Iterable[Source], severity: Severity | None = None) -> Finding:
    """Return a finding of a registered rule, with the rule's severity unless a milder one is given."""
    return RULES[identity].finding(message, sources, severity)


def in_precedence(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out findings whose defect a more specific rule has found: one defect, one finding."""
    kept = list(dict.fromkeys(findings))
    places: dict[str, set[tuple[str, str]]] = {}
    for finding in kept:
        places.setdefault(finding.rule, set()).update((s.document, s.pointer) for s in finding.sources)
    return [finding for finding in kept if not _covered(finding, places)]


def _covered(finding: Finding, places: Mapping[str, set[tuple[str, str]]]) -> bool:
    known = RULES.get(finding.rule)
    if known is None or not finding.sources:
        return False
    first = (finding.sources[0].document, finding.sources[0].pointer)
    for other in known.yields_to:
        named = places.get(other, set[tuple[str, str]]())
        if first in named:
            return True
        lists = [(s.document, f"{s.pointer}/") for s in finding.sources if s.pointer.count("/") == 1]
        if any(document == d and pointer.startswith(p) for document, p in lists for d, pointer in named):
            return True
    return False
