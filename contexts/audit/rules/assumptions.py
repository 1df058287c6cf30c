"""Assumptions: what a track takes for granted and no other track provides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import plan, track
from contexts.audit.source_document import SourceDocument
from contexts.contracts.paths import mentions
from contexts.documents.findings import Doubt, Source
from contexts.json.pointer import pointer, resolve
from contexts.json.values import Path, walk
from contexts.text.plural import counted

_TEST_ID = re.compile(
    r"data-(?:testid|test-id|test|cy|qa)\s{0,2}[~|^$*]?=\s{0,2}['\"]([^'\"\]]{1,120})['\"]|getByTestId\(['\"]([^'\"]{1,120})['\"]\)"
)
_ELEMENT = re.compile(r"#([A-Za-z][\w-]{0,80})(?![\w-])")
_ID_LIST = re.compile(r"test_?ids?\Z|data_testids?\Z|accessibility_ids?\Z|element_ids?\Z", re.IGNORECASE)
_PREFIXED = re.compile(r"(?:id|testid|test-id|accessibility[ _-]?id|~)[:=]\s?([\w.-]{1,80})\Z", re.IGNORECASE)
_CODE_LIST = re.compile(r"(?<!\d)[45]\d{2}(?!\d)")
_IDENTIFIER = re.compile(r"[A-Za-z][\w.:/-]{1,80}")
_NAMED = re.compile(r"`([^`\s]{2,80})`|(?<![\w/.])([A-Z][A-Z0-9]{1,30}(?:_[A-Z0-9]{1,30}){1,6})(?!\w)")


@claim_rule(
    "assumptions/selector",
    "warning",
    "Tests look for elements that no other track says it renders.",
    example=(
        plan("e2e", "ui"),
        track(
            "e2e",
            implementation_details={"page_objects": {"Cart": {"selectors": {"total": "[data-testid='cart-total']"}}}},
        ),
        track("ui", implementation_details={"components": {"Cart": {"test_ids": ["cart-sum"]}}}),
    ),
    clean=(
        plan("e2e", "ui"),
        track(
            "e2e",
            implementation_details={"page_objects": {"Cart": {"selectors": {"total": "[data-testid='cart-total']"}}}},
        ),
        track("ui", implementation_details={"components": {"Cart": {"test_ids": ["cart-total"]}}}),
    ),
)
def selector(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for every test id among the other tracks' words; only where another track describes components or ids."""
    if documents.named_tracks and not documents.has_all_tracks:
        return
    sought = {document: list(_sought_ids(document)) for document in documents.tracks}
    if not any(sought.values()):
        return
    rendered = {name for document in documents.tracks for name in _declared_ids(document)}
    rendering = {document.name for document in documents.tracks if _renders(document)}
    for document, wanted in sought.items():
        if not wanted:
            continue
        if rendered and documents.has_all_tracks:
            missing = [(path, name) for path, name in wanted if name not in rendered]
        elif rendered:
            # A screen of which nothing is rendered here may be that of a track whose document is not.
            here = {path[:-1] for path, name in wanted if name in rendered}
            missing = [(path, name) for path, name in wanted if name not in rendered and path[:-1] in here]
        elif not rendered and rendering - {document.name}:
            missing = [(path, name) for path, name in wanted if not documents.elsewhere(name, document)]
        else:
            continue
        if missing:
            names = list(dict.fromkeys(name for _, name in missing))
            yield doubt(
                "assumptions/selector",
                f"{counted(len(names), 'selector')} no other track provides: {listed(names)}",
                (document.source(path) for path, _ in missing),
            )


def _sought_ids(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    for path, value in document.texts if document.has_key(_names_selector) else ():
        if _is_selector(path):
            yield from ((path, name) for name in _ids(value))


@lru_cache(maxsize=8_192)
def _names_selector(key: str) -> bool:
    return "selector" in key.lower() or "locator" in key.lower()


def _is_selector(path: Path) -> bool:
    return any(isinstance(part, str) and _names_selector(part) for part in path)


def _ids(value: str) -> Iterator[str]:
    for match in _TEST_ID.finditer(value):
        yield match.group(1) or match.group(2)
    prefixed = _PREFIXED.match(value)
    if prefixed:
        yield prefixed.group(1)
    elif not value.startswith("["):
        yield from (match.group(1) for match in _ELEMENT.finditer(value))


@lru_cache(maxsize=8_192)
def _lists_ids(key: str) -> bool:
    return _ID_LIST.search(key) is not None


def _declared_ids(document: SourceDocument) -> Iterator[str]:
    """Yield the test ids a track says its elements carry."""
    for path, value in document.texts if document.has_key(_lists_ids) else ():
        if any(isinstance(part, str) and _lists_ids(part) for part in path) and not _is_selector(path):
            yield value
            yield from (match.group(1) or match.group(2) for match in _TEST_ID.finditer(value))


def _renders(document: SourceDocument) -> bool:
    return any(
        isinstance(path[-1], str)
        and re.search(r"component|test_?ids?|selectors|views|screens|pages", path[-1], re.IGNORECASE)
        and not (isinstance(value, dict) and value.keys() & {"schemas", "responses", "securitySchemes"})  # OpenAPI's
        for path, value in document.values
        if path and isinstance(value, dict | list)
    )


def _assumed(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    for path, value in document.texts:
        if path[0] in {"assumptions", "assumes", "dependencies_assumed"} or (
            path[0] == "implementation_details" and "assumptions" in path
        ):
            yield path, value


@claim_rule(
    "assumptions/code",
    "warning",
    "A track relies on a status code that no provider declares.",
    example=(
        plan("api", "e2e"),
        track("api", implementation_details={"endpoints": {"GET /items": {"error_codes": [404]}}}),
        track("e2e", assumptions={"api": "Answers 404 and 410"}),
    ),
    clean=(
        plan("api", "e2e"),
        track("api", implementation_details={"endpoints": {"GET /items": {"error_codes": [404, 410]}}}),
        track("e2e", assumptions={"api": "Answers 404 and 410"}),
    ),
)
def code(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for codes in assumptions among all declared ones; providers that declare none say nothing."""
    endpoints = [e for contract in documents.providers for e in contract.endpoints]
    if not endpoints or not documents.has_all_tracks or any(e.codes is None or e.any_code for e in endpoints):
        return
    declared = {c.status for e in endpoints for c in e.codes or ()}
    for document in documents.tracks:
        for path, value in _assumed(document):
            missing = [int(c) for c in dict.fromkeys(_CODE_LIST.findall(value)) if int(c) not in declared]
            if missing and re.search(r"code|error|status|respon|return|answer|http", value, re.IGNORECASE):
                first = endpoints[0]
                provider = documents.by_name[documents.providers[0].document]
                yield doubt(
                    "assumptions/code",
                    f"{listed([str(c) for c in missing])} is assumed, and no provider declares it",
                    (document.source(path), Source(document=provider.name, pointer=first.pointer, quote=first.shown)),
                )


@claim_rule(
    "assumptions/endpoint",
    "warning",
    "A track relies on an endpoint that no provider offers.",
    example=(
        plan("api", "e2e"),
        track("api", implementation_details={"endpoints": {"GET /items": {"auth": "none"}}}),
        track("e2e", assumptions={"api": "DELETE /items removes everything"}),
    ),
    clean=(
        plan("api", "e2e"),
        track("api", implementation_details={"endpoints": {"GET /items": {"auth": "none"}}}),
        track("e2e", assumptions={"api": "GET /items lists everything"}),
    ),
)
def endpoint(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for endpoints in assumptions among those provided."""
    provided = {e.key for contract in documents.providers for e in contract.endpoints}
    if not provided or not documents.has_all_tracks:
        return
    for document in documents.tracks:
        for path, value in _assumed(document):
            missing = [" ".join(name) for name in mentions(value) if name not in provided]
            if missing:
                yield doubt(
                    "assumptions/endpoint",
                    f"{listed(missing)} is assumed, and no provider offers it",
                    (document.source(path),),
                )


@claim_rule(
    "assumptions/name",
    "warning",
    "A track relies on something by its exact name, and no other document contains that name.",
    example=(
        plan("e2e", "api"),
        track("e2e", assumptions={"api": "Reads `SEED_TOKEN` at start"}),
        track("api", decisions=["Configuration comes from API_TOKEN"]),
    ),
    clean=(
        plan("e2e", "api"),
        track("e2e", assumptions={"api": "Reads `API_TOKEN` at start"}),
        track("api", decisions=["Configuration comes from API_TOKEN"]),
    ),
)
def name(documents: DocumentSet) -> Iterator[Doubt]:
    """Look for quoted and UPPER_CASE names of assumptions anywhere else."""
    assuming = [(d, path, value) for d in documents.tracks for path, value in _assumed(d)]
    if not assuming or not documents.has_all_tracks:
        return
    for document, path, value in assuming:
        named = [match.group(1) or match.group(2) for match in _NAMED.finditer(value)]
        if isinstance(path[-1], int) and _IDENTIFIER.fullmatch(value):
            place = _structure(documents, document, path)
            missing = [value] if (value not in place if place else not documents.elsewhere(value, document)) else []
        else:
            missing = [n for n in dict.fromkeys(named) if not documents.elsewhere(n, document)]
        if missing:
            yield doubt(
                "assumptions/name",
                f"{listed(missing)} is assumed, and no other document contains it",
                (document.source(path),),
            )


def _structure(documents: DocumentSet, document: SourceDocument, path: Path) -> frozenset[str]:
    """Return the words of what other tracks hold under the key an assumed list stands under; empty where none does."""
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    words = set[str]()
    for other, where in documents.keyed.get(key, ()):
        if other is not document and where[0] not in {"assumptions", "assumes"}:
            for inner, value in walk(resolve(other.data, pointer(*where)), deepest=6):
                words.update(part for part in inner[-1:] if isinstance(part, str))
                words.update([value] if isinstance(value, str) else [])
    return frozenset(words)
