"""The audit of documents that plait saved itself: each word is judged once, where it was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contexts.audit import SourceDocument, audit
from contexts.audit.plait_records import without_records
from contexts.documents.base import JsonObject
from contexts.documents.findings import Finding
from contexts.json.values import section
from contexts.store.keys import TRACKS


def audit_saved(documents: Mapping[str, JsonObject]) -> list[Finding]:
    """Return the findings of the audit over documents that plait saved, by the names that findings call them.

    What an agent wrote is judged once, in its track's document, and not again where the merge carries it.
    """
    sources = [
        SourceDocument(name, without_records(_without_judged(one, documents)), own=True)
        for name, one in documents.items()
    ]
    return _once(audit(sources).findings)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out of the merge's lists what is said of the very words in the document of the track they come from."""
    places = [{one.document for one in finding.sources} for finding in findings]
    said = [(finding.rule, finding.message) for finding in findings]
    of_tracks = {told for told, at in zip(said, places, strict=True) if any(name.startswith(TRACKS) for name in at)}
    return [
        finding
        for finding, told, at in zip(findings, said, places, strict=True)
        if at != {"merged"} or told not in of_tracks
    ]


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
