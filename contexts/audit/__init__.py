"""The audit: deterministic rules over context documents that find what is wrong, with no language model.

Imports the store, documents, contracts and what is below them; neither merge, metrics nor verification.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contexts.audit.all_rules import PROSE, load_rules
from contexts.audit.documents import DocumentSet, split
from contexts.audit.findings import AuditReport
from contexts.audit.gc_pause import paused_collection
from contexts.audit.registry import Rule, in_precedence
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import SEVERITIES, Finding, Severity, Source

__all__ = [
    "RULES",
    "AuditReport",
    "DocumentSet",
    "Finding",
    "Rule",
    "Severity",
    "Source",
    "SourceDocument",
    "audit",
]

RULES = load_rules(("contexts.audit.rules", PROSE))
"""Every rule by its id. What reads sentences is one package among others, and no module imports it."""


def audit(
    documents: Sequence[SourceDocument], before: Sequence[Finding] = (), *, rules: Iterable[Rule] | None = None
) -> AuditReport:
    """Apply rules to every workflow among the documents.

    Args:
        documents: Any subset of any number of workflows, in any order.
        before: Findings made while reading, to be reported with the rest.
        rules: Those that are applied; default: all.
    """
    findings = list(before)
    applied = tuple(RULES.values() if rules is None else rules)
    with paused_collection():
        for documents_of_one in split(documents):
            mine = [finding for rule in applied for finding in rule.apply(documents_of_one)]
            findings.extend(in_precedence(mine))
    findings.sort(key=_order)
    return AuditReport(tuple(dict.fromkeys(findings)), tuple(sorted(document.name for document in documents)))


def _order(finding: Finding) -> tuple[int, str, tuple[tuple[str, str, str], ...], str]:
    sources = tuple((*one.place, one.quote) for one in finding.sources)
    return (SEVERITIES.index(finding.severity), finding.rule, sources, finding.message)
