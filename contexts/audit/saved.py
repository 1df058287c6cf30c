"""The audit of documents that plait saved itself: each word is judged once, where it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contexts.audit import SourceDocument, audit
from contexts.audit.plait_records import without_records
from contexts.documents.base import JsonObject
from contexts.json.values import entries, section
from contexts.store.keys import TRACKS


def audit_saved(documents: Mapping[str, JsonObject]) -> list[JsonObject]:
    """Return the findings of the audit over documents that plait saved, by the names that findings call them.

    What an agent wrote is judged once, in its track's document, and not again where the merge carries it.
    """
    sources = [
        SourceDocument(name, without_records(_without_judged(one, documents)), own=True)
        for name, one in documents.items()
    ]
    return _once([_entry(finding) for finding in audit(sources).to_json()["findings"]])


def _once(findings: Sequence[JsonObject]) -> list[JsonObject]:
    """Leave out of the merge's lists what is said of the very words in the document of the track they come from."""
    places = [{str(one["document"]) for one in entries(finding, "sources")} for finding in findings]
    said = [(str(finding["rule"]), str(finding["message"])) for finding in findings]
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


def _entry(finding: JsonObject) -> JsonObject:
    return {key: finding[key] for key in ("rule", "severity", "message", "sources")}


def by_severity(findings: Sequence[JsonObject]) -> list[JsonObject]:
    """Return findings with the blocking ones first, otherwise as they were."""
    order = {"blocking": 0, "warning": 1, "note": 2}
    return sorted(findings, key=lambda one: order.get(str(one["severity"]), 3))


def without_proven(audited: Sequence[JsonObject], proven: Sequence[JsonObject]) -> list[JsonObject]:
    """Leave out what a check has shown on the real tree: one defect, one finding."""
    known = {_defect(one) for one in proven}
    return [one for one in audited if _defect(one) not in known]


def _defect(finding: JsonObject) -> tuple[str, str, str]:
    sources: list[JsonObject] = entries(finding, "sources")
    first = sources[0] if sources else {}
    return str(finding["rule"]), str(first.get("document")), str(first.get("pointer"))
