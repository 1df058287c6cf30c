"""Fidelity of contracts: what later documents make of the status codes and shapes that tracks wrote down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed, source_at
from contexts.audit.registry import claim_rule, doubt, found, rule
from contexts.audit.sample_documents import merged, plan, track
from contexts.audit.source_document import SourceDocument
from contexts.contracts.model import Endpoint, Schema
from contexts.contracts.paths import mentions
from contexts.contracts.typescript import parse_typescript
from contexts.documents.findings import Doubt, Finding, Source
from contexts.json.pointer import last_part, resolve
from contexts.json.values import mapping
from contexts.text.plural import counted

_CODES = re.compile(
    r"(?<![\d.])[45]\d{2}(?![\d.%])(?!\s?(?:ms|s|x|MB|KB|%|chars|users|requests|req|rows|minutes|tests))"
)


_ERROR = re.compile(r"4\d\d|5\d\d")
_OF_CODES = re.compile(r"code|error|status|http", re.IGNORECASE)


@claim_rule(
    "fidelity/status-code-lost",
    "warning",
    "A status code that a consumer handles disappears where a later document lists the codes.",
    example=(
        track("ui", api_contract_assumptions={"POST /items": {"error_codes": [400, 404, 413]}}),
        merged(integration_concerns=[{"concern": "Errors", "expects": "error codes 400, 404", "status": "aligned"}]),
    ),
    clean=(
        track("ui", api_contract_assumptions={"POST /items": {"error_codes": [400, 404, 413]}}),
        merged(
            integration_concerns=[{"concern": "Errors", "expects": "error codes 400, 404, 413", "status": "aligned"}]
        ),
    ),
)
def status_code_lost(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare lists of codes in later sentences with the codes consumers handle, per endpoint if one is named."""
    handled: dict[tuple[str, str], dict[int, Source]] = {}
    for contract in documents.consumers:
        if contract.document in {d.name for d in documents.revisions}:
            continue
        data = documents.by_name[contract.document].data
        for endpoint in contract.endpoints:
            for code in endpoint.codes or ():
                if code.status >= 400:
                    handled.setdefault(endpoint.key, {}).setdefault(
                        code.status, source_at(contract.document, data, code.pointer)
                    )
    everything = {status: source for codes in handled.values() for status, source in codes.items()}
    lost: dict[int, list[Source]] = {}
    for document in documents.revisions:
        if document.stage == "parent" or not everything:
            continue
        for path, value in document.holding(_ERROR):
            codes = {int(code) for code in _CODES.findall(value)}
            if (
                len(codes) < 2
                or not _OF_CODES.search(f"{value} {path[-1]}")
                or path[0] in {"error_log", "decisions", "pending_actions"}
            ):
                continue
            named = [name for name in mentions(value) if name in handled]
            wanted = {s: src for name in named for s, src in handled[name].items()} if named else everything
            if len(codes & wanted.keys()) >= 2:
                for status in wanted.keys() - codes:
                    lost.setdefault(status, [wanted[status]]).append(document.source(path))
    if lost:
        codes_lost = listed([str(code) for code in sorted(lost)])
        sources = [source for code in sorted(lost) for source in (*lost[code][1:], lost[code][0])]
        yield doubt(
            "fidelity/status-code-lost",
            f"{codes_lost} handled by a consumer and lost where later documents list the codes",
            sources,
        )


@rule(
    "fidelity/contract-changed",
    "blocking",
    "A contract that a later document carries differs from the track's own.",
    example=(
        plan("ui"),
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string, price: number }"}}),
        merged(api_contract_assumptions={"GET /items": {"response": "{ id: string }"}}),
    ),
    clean=(
        plan("ui"),
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string, price: number }"}}),
        merged(api_contract_assumptions={"GET /items": {"response": "{ id: string, price: number }"}}),
    ),
)
def contract_changed(documents: DocumentSet) -> Iterator[Finding]:
    """Compare carried endpoints with those of the tracks as read: shapes and codes, not spelling."""
    own: dict[tuple[str, str], list[tuple[SourceDocument, Endpoint]]] = {}
    for document in documents.tracks:
        for contract in document.contracts:
            for endpoint in contract.endpoints:
                own.setdefault(endpoint.key, []).append((document, endpoint))
    for document in documents.revisions:
        for endpoint in (e for contract in document.contracts for e in contract.endpoints):
            theirs = own.get(endpoint.key, [])
            # A copy under a track's name is a copy of that track's contract.
            parts = set(endpoint.pointer.split("/"))
            named = [(d, e) for d, e in theirs if d.task_id in parts]
            if not named and (parts & documents.named_tracks or not documents.has_all_tracks):
                continue  # whose copy it is, is not here to compare with
            differing = [(d, e, _differences(document, endpoint, d, e)) for d, e in named or theirs]
            if (
                _bare(document, endpoint)
                or not differing
                or document.stage == "parent"
                or not all(names for _, _, names in differing)
            ):
                continue
            track_document, original, names = min(differing, key=lambda item: len(item[2]))
            yield found(
                "fidelity/contract-changed",
                f"{endpoint.shown} differs from {track_document.name} in {listed(names)}",
                (
                    *(source_at(document.name, document.data, _member(document, endpoint, name)) for name in names),
                    *(
                        source_at(track_document.name, track_document.data, _member(track_document, original, name))
                        for name in names
                    ),
                ),
            )


_SPELLED = {
    "codes": ("error_codes", "status_codes", "errors", "codes", "responses"),
    "response": ("response", "response_model", "responses"),
    "request": ("request", "request_model", "requestBody"),
}


def _bare(document: SourceDocument, endpoint: Endpoint) -> bool:
    """Tell whether an entry only names an endpoint, and copies nothing of its contract."""
    raw = mapping(resolve(document.data, endpoint.pointer))
    return not any(key in raw for keys in _SPELLED.values() for key in keys)


def _member(document: SourceDocument, endpoint: Endpoint, name: str) -> str:
    """Return the pointer of a part of an endpoint as its notation calls it, else of the endpoint."""
    raw = mapping(resolve(document.data, endpoint.pointer))
    return next((f"{endpoint.pointer}/{key}" for key in _SPELLED[name] if key in raw), endpoint.pointer)


def _differences(copy: SourceDocument, mine: Endpoint, original: SourceDocument, theirs: Endpoint) -> list[str]:
    """Return which parts of a copied endpoint differ from the original; what that does not say cannot differ."""
    names = list[str]()
    if theirs.codes is not None and {c.status for c in mine.codes or ()} != {c.status for c in theirs.codes}:
        names.append("codes")
    here, there = mapping(resolve(copy.data, mine.pointer)), mapping(resolve(original.data, theirs.pointer))
    for name in ("response", "request"):
        key = next((k for k in _SPELLED[name][:2] if k in there), None)
        if key is not None and not _same_notation(here.get(key), there[key]):
            names.append(name)
    return names


def _same_notation(one: Any, other: Any) -> bool:
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    a, b = parse_typescript(one), parse_typescript(other)
    return " ".join(one.split()) == " ".join(other.split()) or (a.kind != "unknown" and _in_order(a) == _in_order(b))


def _in_order(schema: Schema) -> Schema:
    """Put members and enum values in one order, which no contract depends on."""
    fields = tuple(sorted((replace(f, schema=_in_order(f.schema)) for f in schema.fields), key=lambda f: f.name))
    items = _in_order(schema.items) if schema.items else None
    return replace(schema, fields=fields, items=items, enum=tuple(sorted(schema.enum)) if schema.enum else None)


@rule(
    "fidelity/contract-lost",
    "blocking",
    "A later document carries the contracts of some tracks, and not those of another.",
    example=(
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string }"}}),
        track("bot", api_contract_assumptions={"GET /carts": {"response": "{ id: string }"}}),
        merged(contracts={"ui": {"GET /items": {"response": "{ id: string }"}}}),
    ),
    clean=(
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string }"}}),
        track("bot", api_contract_assumptions={"GET /carts": {"response": "{ id: string }"}}),
        merged(
            contracts={
                "ui": {"GET /items": {"response": "{ id: string }"}},
                "bot": {"GET /carts": {"response": "{ id: string }"}},
            }
        ),
    ),
)
def contract_lost(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every track's consumed endpoints in a merge that carries contracts at all."""
    for document in documents.at_stage("merged"):
        carried = [e for contract in document.contracts for e in contract.endpoints]
        if not carried:
            continue
        keys = {e.key for e in carried}
        copies = {(part, e.key) for e in carried for part in e.pointer.split("/")}
        by_track = any(part in documents.track for part, _ in copies)
        lost: list[Source] = []
        for own in documents.tracks:
            for contract in own.contracts:
                for endpoint in contract.endpoints if contract.role == "consumer" else ():
                    kept = (own.task_id, endpoint.key) in copies if by_track else endpoint.key in keys
                    if not kept:
                        lost.append(source_at(own.name, own.data, endpoint.pointer))
        if lost:
            place = next((e.pointer.split("/")[1] for e in carried), "")
            yield found(
                "fidelity/contract-lost",
                f"{counted(len(lost), 'contract')} of the tracks not in {document.name}: "
                f"{listed([last_part(s.pointer) for s in lost], 3)}",
                (*lost, document.source((place,))),
            )
