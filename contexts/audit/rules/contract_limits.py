"""Limits of contracts: lengths and media types; and, in words, sizes, file types and forms a consumer lets through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import source_at
from contexts.audit.registry import claim_rule, doubt, found, rule
from contexts.audit.rules.contracts import grouped
from contexts.audit.sample_documents import track
from contexts.audit.source_document import SourceDocument
from contexts.contracts import Contract, Schema
from contexts.contracts.compare import IN_WORDS
from contexts.contracts.compatibility import resolve_name, send
from contexts.contracts.endpoint_prose import file_types, size_limit
from contexts.contracts.zod import parse_zod
from contexts.documents.findings import Doubt, Finding
from contexts.json.values import Path


@rule(
    "contracts/limit",
    "blocking",
    "A consumer may send more, or other media, than the provider takes.",
    example=(
        track("ui", api_contract_assumptions={"POST /items": {"request": "{ name: string (max 200) }"}}),
        track(
            "api",
            implementation_details={
                "endpoints": {"POST /items": {"request_model": "New"}},
                "schemas": {"New": {"fields": "name: str (max 100)"}},
            },
        ),
    ),
    clean=(
        track("ui", api_contract_assumptions={"POST /items": {"request": "{ name: string (max 80) }"}}),
        track(
            "api",
            implementation_details={
                "endpoints": {"POST /items": {"request_model": "New"}},
                "schemas": {"New": {"fields": "name: str (max 100)"}},
            },
        ),
    ),
)
def limit(documents: DocumentSet) -> Iterator[Finding]:
    """Compare limits and media types of requests."""
    for message, sources, milder in grouped(documents, ("limit", "media-type")):
        yield found("contracts/limit", message, sources, milder)


def _upload(most: str) -> Mapping[str, object]:
    return {"POST /photos": {"request": "multipart/form-data", "validation": most}}


@claim_rule(
    "contracts/client-limit",
    "warning",
    "By its words a consumer lets through a size, a file type or a form that the provider refuses.",
    example=(
        track("ui", api_contract_assumptions=_upload("Max 8MB")),
        track("api", implementation_details={"endpoints": _upload("Max 5MB")}),
    ),
    clean=(
        track("ui", api_contract_assumptions=_upload("Max 5MB")),
        track("api", implementation_details={"endpoints": _upload("Max 5MB")}),
    ),
)
def client_limit(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare what stands in words: sizes and file types beside an endpoint, and what client-side validation says."""
    for message, sources, milder in grouped(documents, IN_WORDS):
        yield doubt("contracts/client-limit", message, sources, milder)
    yield from _uploads(documents)
    for document, path, form in _forms(documents):
        for provider, name, taken in _bodies_like(documents, form):
            wrong = [d for d in send(form, taken, {}, provider.definitions) if d.kind == "limit"]
            for difference in wrong:
                data = documents.by_name[provider.document].data
                place = next(
                    (
                        p
                        for e in provider.endpoints
                        if e.request
                        for p in (e.request.pointer,)
                        if e.request.schema.reference == name
                    ),
                    "",
                )
                yield doubt(
                    "contracts/client-limit",
                    f"the validation lets through what {name.rsplit('/', 1)[-1]} refuses: {difference.message}",
                    (document.source(path), source_at(provider.document, data, place)),
                )


def _uploads(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare what a track that uploads to one endpoint says it lets through with what that endpoint takes."""
    offered = {e.key: (c, e) for c in documents.providers for e in c.endpoints}
    for consumer in documents.consumers:
        uploads = [e for e in consumer.endpoints if e.request and any("multipart" in m for m in e.request.media)]
        provider, given = offered.get(uploads[0].key, (None, None)) if len(uploads) == 1 else (None, None)
        if provider is None or given is None or given.request is None or provider.document == consumer.document:
            continue
        theirs, document = given.request, documents.by_name[consumer.document]
        for path, value in document.texts:
            if path[0] != "implementation_details" or not re.search(r"validat|upload|accept", value, re.IGNORECASE):
                continue
            size, types = size_limit(value), file_types(value)
            wrong = [
                *([f"{size:,} bytes"] if size and theirs.max_bytes and size > theirs.max_bytes else []),
                *(sorted(types - theirs.file_types) if types and theirs.file_types else []),
            ]
            if wrong:
                place = source_at(provider.document, documents.by_name[provider.document].data, theirs.limit_pointer)
                message = f"{', '.join(wrong)} may be uploaded to {given.shown}, which refuses it"
                yield doubt("contracts/client-limit", message, (document.source(path), place))


def _forms(documents: DocumentSet) -> Iterator[tuple[SourceDocument, Path, Schema]]:
    """Yield the validation schemas that tracks write down."""
    for document in documents.tracks:
        for path, value in document.texts:
            if "z.object(" in value:
                schema = parse_zod(value.strip())
                if schema.kind == "object":
                    yield document, path, schema


def _bodies_like(documents: DocumentSet, form: Schema) -> Iterator[tuple[Contract, str, Schema]]:
    """Yield the request shape that shares most members with a form, at least two thirds of the form's."""
    names = {f.name for f in form.fields}
    best: tuple[float, Contract, str, Schema] | None = None
    for provider in documents.providers:
        for endpoint in provider.endpoints:
            if endpoint.request is None:
                continue
            shape = resolve_name(endpoint.request.schema, provider.definitions)
            theirs = {f.name for f in shape.fields}
            likeness = len(names & theirs) / len(names | theirs) if names | theirs else 0.0
            if len(names & theirs) * 3 >= len(names) * 2 and (best is None or likeness > best[0]):
                best = (likeness, provider, endpoint.request.schema.reference, shape)
    if best is not None:
        yield best[1:]
