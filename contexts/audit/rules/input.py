"""Input: what keeps a file, or a document's identity, from being judged; most is found while reading files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.registry import Raw, found, rule
from contexts.audit.sample_documents import track
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Finding

_CONTEXT = (
    '{"version": "1.0", "workflow_id": "orders", "timestamp": "2025-03-01T09:00:00Z", '
    '"current_agent": "a", "phase": "p"%s}'
)


def _while_reading(documents: DocumentSet) -> Iterator[Finding]:
    """Find nothing in parsed documents: the reader reports this one."""
    del documents
    yield from ()


def _raw(extra: str = "", shown: str = "") -> Raw:
    return Raw(_CONTEXT % extra, shown or _CONTEXT % extra)


rule(
    "input/not-json",
    "blocking",
    "A file is not JSON as the format has it (UTF-8, no NaN, integers of at most 64 bits).",
    example=(Raw('{"version": "1.0", ', '{"version": "1.0", '),),
    clean=(_raw(),),
)(_while_reading)
rule(
    "input/not-a-context",
    "warning",
    "A JSON file is no context document.",
    example=(Raw('{"name": "left-pad"}', '{"name": "left-pad"}'),),
    clean=(_raw(),),
)(_while_reading)
rule(
    "input/incomplete-context",
    "warning",
    "A context lacks members that every context has; the rest is judged all the same.",
    example=(Raw('{"version": "1.0", "workflow_id": "orders"}', '{"version": "1.0", "workflow_id": "orders"}'),),
    clean=(_raw(),),
)(_while_reading)
rule(
    "input/too-large",
    "blocking",
    "A file is larger than 5 MB and was not read.",
    example=(_raw(f', "notes": "{"x" * 5_300_000}"', _CONTEXT % ', "notes": "xxx… (5.3 MB)"'),),
    clean=(_raw(', "notes": "xxx"'),),
)(_while_reading)
rule(
    "input/too-deep",
    "blocking",
    "A document is nested deeper than 60 levels and was not judged.",
    example=(_raw(f', "notes": {"[" * 1_000}{"]" * 1_000}', _CONTEXT % ', "notes": [[[… 1,000 levels …]]]'),),
    clean=(_raw(', "notes": [[[]]]'),),
)(_while_reading)
rule(
    "input/duplicate-key",
    "blocking",
    "An object has a key twice, of which readers keep only one.",
    example=(_raw(', "decisions": [], "decisions": ["Use cursors"]'),),
    clean=(_raw(', "decisions": ["Use cursors"]'),),
)(_while_reading)
rule(
    "input/newer-version",
    "blocking",
    "A document has a newer major version than this program knows, and was not judged.",
    example=(Raw((_CONTEXT % "").replace("1.0", "2.0"), (_CONTEXT % "").replace("1.0", "2.0")),),
    clean=(_raw(),),
)(_while_reading)


@rule(
    "input/contradictory-ids",
    "blocking",
    "Two documents claim the same identity with different contents.",
    example=(track("api", decisions=["Use cursors"]), track("api", decisions=["Use offsets"])),
    clean=(
        track("api", decisions=["Use cursors"]),
        track("api", decisions=["Use offsets"], timestamp="2025-03-01T10:30:00Z"),
    ),
)
def contradictory_ids(documents: DocumentSet) -> Iterator[Finding]:
    """Compare documents of one track, or stage, saved at the same instant; and ids shared by two tracks."""
    seen: dict[tuple[Any, ...], SourceDocument] = {}
    owners: dict[str, SourceDocument] = {}
    for document in documents.documents:
        if document.prose or not document.workflow_id:
            continue  # what names no workflow claims no identity
        key = (document.task_id or document.stage, document.workflow_id, document.timestamp)
        other = seen.setdefault(key, document)
        if other is not document and document.timestamp is not None and other.data != document.data:
            yield found(
                "input/contradictory-ids",
                f"{other.name} and {document.name} are both {document.task_id or document.stage} of "
                f"{document.workflow_id!r} at {document.data['timestamp']}, and differ",
                (document.source(("timestamp",)), other.source(("timestamp",))),
            )
        if document.task_id:
            owner = owners.setdefault(document.workflow_id, document)
            if owner.task_id != document.task_id:
                yield found(
                    "input/contradictory-ids",
                    f"{document.workflow_id!r} is the id of two tracks, {owner.task_id!r} and {document.task_id!r}",
                    (document.source(("workflow_id",)), owner.source(("workflow_id",))),
                )
