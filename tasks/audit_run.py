"""The audit of a run: the rules over the documents it saved."""

from __future__ import annotations

from collections.abc import Sequence

from contexts.audit import SourceDocument, audit
from contexts.audit.own import without_records
from contexts.merge import expand_tracks
from contexts.model.base import JsonObject, entries, section
from contexts.model.refs import ContextRef
from contexts.store import ContextStore


def audit_run(store: ContextStore, parent: ContextRef, merged: JsonObject) -> list[JsonObject]:
    """Return the findings of the audit over the workflow's first context, its tracks' documents and the merged one.

    Args:
        store: Where the documents are.
        parent: The workflow's context as initialize saved it.
        merged: The merged context, as stored.
    """
    tracks: list[JsonObject] = list(section(merged, "track_contexts").values())
    refs = [ContextRef.model_validate(track["ref"]) for track in tracks if track.get("ref")]
    loaded = store.load_many([parent, *refs])
    documents = [_source(ref.document, document) for ref, document in zip([parent, *refs], loaded, strict=True)]
    documents.append(_source("merged", expand_tracks(store, merged)))
    return [_entry(finding) for finding in audit(documents).to_json()["findings"]]


def _source(name: str, document: JsonObject) -> SourceDocument:
    return SourceDocument(name, without_records(document))


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
