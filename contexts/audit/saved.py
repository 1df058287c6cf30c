"""The audit of documents that plait saved itself: each word is judged once, where it was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contexts.audit import RULES, SourceDocument, audit
from contexts.audit.all_rules import PROSE
from contexts.audit.plait_records import without_records
from contexts.documents.base import JsonObject
from contexts.documents.findings import Finding, by_severity
from contexts.json.values import section
from contexts.store.keys import TRACKS

OF_OTHERS = frozenset({"fidelity", "time", "input"})
"""Families that judge what agents handed in or somebody imported, and not what plait wrote itself."""


def audit_saved(documents: Mapping[str, JsonObject], *, prose: bool = True) -> list[Finding]:
    """Return the findings of the audit over documents that plait saved, by the names that findings call them.

    Contracts, assumptions and references are compared over all documents. What an agent wrote is judged in its track's
    document alone; the workflow's own documents, which plait wrote, are nobody's claim.

    Args:
        documents: The workflow's first document, its tracks' and the merged one.
        prose: Whether the rules about words are applied.
    """
    sources = [
        SourceDocument(name, without_records(_without_judged(one, documents))) for name, one in documents.items()
    ]
    tracks = [source for source in sources if source.name.startswith(TRACKS)]
    worded = {one.id for one in RULES.values() if one.package == PROSE}
    compared = [one for one in RULES.values() if one.id not in worded and one.family not in OF_OTHERS]
    handed_in = [one for one in RULES.values() if (prose and one.id in worded) or one.family in OF_OTHERS]
    found = [*audit(sources, rules=compared).findings, *audit(tracks, rules=handed_in).findings]
    return by_severity(dict.fromkeys(found))


def _without_judged(document: JsonObject, documents: Mapping[str, JsonObject]) -> JsonObject:
    carried = section(document, "track_contexts")
    if not carried:
        return document
    kept = {
        name: {key: value for key, value in one.items() if key != "context"} if f"{TRACKS}{name}" in documents else one
        for name, one in carried.items()
    }
    return {**document, "track_contexts": kept}


def without_proven(audited: Iterable[Finding], proven: Iterable[Finding]) -> list[Finding]:
    """Leave out what a check has shown on the real tree: one defect, one finding."""
    known = {_defect(one) for one in proven}
    return [one for one in audited if _defect(one) not in known]


def _defect(finding: Finding) -> tuple[str, tuple[str, str] | None]:
    return finding.rule, finding.sources[0].place if finding.sources else None
