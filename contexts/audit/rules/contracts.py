"""Contracts: what consumers expect of an API against what its providers offer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed, source_at
from contexts.audit.registry import claim_rule, doubt, found, rule
from contexts.audit.sample_documents import parent, track
from contexts.contracts import Contract, Mismatch
from contexts.documents.findings import Doubt, Finding, Source
from contexts.json.pointer import pointer
from contexts.json.values import mapping, walk
from contexts.text.plural import counted

_ASSUMED = "api_contract_assumptions"
_GET = "GET /items/{id}"


_PLAN = parent(parallel_tasks=[{"task_id": "ui"}, {"task_id": "api"}])


def _consumer(response: str = "{ id: string }", **members: Any) -> Mapping[str, object]:
    return track("ui", api_contract_assumptions={"GET /items/:id": {"response": response, **members}})


def _provider(fields: str = "id: str", name: str = _GET, **members: Any) -> Mapping[str, object]:
    endpoint = {name: {"response_model": "Item", **members}}
    return track("api", implementation_details={"endpoints": endpoint, "schemas": {"Item": {"fields": fields}}})


def _sources(documents: DocumentSet, consumer: Contract, provider: Contract, mismatch: Mismatch) -> Iterator[Source]:
    yield source_at(consumer.document, documents.by_name[consumer.document].data, mismatch.consumer)
    if mismatch.provider:
        data = documents.by_name[provider.document].data
        yield source_at(provider.document, data, _closest(data, mismatch.provider, mismatch.field))


def _closest(data: Mapping[str, object], where: str, field: str) -> str:
    """Go on from a schema's pointer to the member a mismatch is about, as far as the notation allows."""
    for name in field.split(".") if field else ():
        bare = name.replace("[]", "")
        for step in (pointer("properties", bare), pointer(bare)):
            if source_at("", data, where + step).quote:
                where += step
                break
    return where


def grouped(
    documents: DocumentSet, kinds: Iterable[str]
) -> Iterator[tuple[str, tuple[Source, ...], Literal["note"] | None]]:
    """Yield each defect once: the same member wrong on several endpoints of one schema is one.

    Returns:
        What is wrong, where, and ``note`` where no part of it is certain.
    """
    groups: dict[tuple[str, str, str, str], list[tuple[Contract, Contract, Mismatch]]] = {}
    for consumer, provider, mismatch in documents.mismatches:
        if mismatch.kind in kinds:
            place = mismatch.provider if mismatch.field else mismatch.consumer
            key = (mismatch.kind, consumer.document, f"{provider.document}{place}", mismatch.field)
            groups.setdefault(key, []).append((consumer, provider, mismatch))
    for members in groups.values():
        first = members[0][2]
        others = [m.endpoint for _, _, m in members[1:] if m.endpoint != first.endpoint]
        milder: Literal["note"] | None = None if any(m.certain for _, _, m in members) else "note"
        also = f" (also {listed(others)})" if others else ""
        yield first.message + also, tuple(s for c, p, m in members for s in _sources(documents, c, p, m)), milder


def _compared(documents: DocumentSet, identity: str, *kinds: str) -> Iterator[Finding]:
    for message, sources, milder in grouped(documents, kinds):
        yield found(identity, message, sources, milder)


@rule(
    "contracts/missing-endpoint",
    "blocking",
    "A consumer calls an endpoint that no provider offers.",
    example=(_PLAN, _consumer(), _provider(name="GET /things/{id}")),
    clean=(_PLAN, _consumer(), _provider()),
)
def missing_endpoint(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every consumed endpoint among all providers; one that may be the product's own is only doubted."""
    typed = {contract.document for contract in documents.consumers if contract.typed}
    for message, sources, milder in grouped(documents, ("missing-endpoint",)):
        doubted = milder and sources[0].document in typed
        said = f"{message}; the product as it was must have it" if doubted else message
        yield found("contracts/missing-endpoint", said, sources, "warning" if doubted else milder)


@rule(
    "contracts/field",
    "blocking",
    "A member that a consumer reads is not answered, or one that a provider requires is not sent.",
    example=(_consumer("{ id: string, title: string }"), _provider()),
    clean=(_consumer("{ id: string, title: string }"), _provider("id: str, title: str, extra: int")),
)
def field(documents: DocumentSet) -> Iterator[Finding]:
    """Compare members by direction."""
    kinds = ("missing-field", "missing-request-field", "extra-request-field")
    yield from _compared(documents, "contracts/field", *kinds)


@rule(
    "contracts/type",
    "blocking",
    "A member has another type, set of values or format on the other side.",
    example=(_consumer("{ id: number }"), _provider()),
    clean=(_consumer("{ id: string }"), _provider("id: UUID")),
)
def type_(documents: DocumentSet) -> Iterator[Finding]:
    """Compare types, enums and formats by direction."""
    yield from _compared(documents, "contracts/type", "type", "enum", "format")


@rule(
    "contracts/presence",
    "blocking",
    "A member may be null or absent where the other side does not expect it.",
    example=(_consumer("{ id: string }"), _provider("id: Optional[str]")),
    clean=(_consumer("{ id: string | null }"), _provider("id: Optional[str]")),
)
def presence(documents: DocumentSet) -> Iterator[Finding]:
    """Compare nullability and optionality by direction."""
    yield from _compared(documents, "contracts/presence", "nullability", "optionality")


@rule(
    "contracts/status-code",
    "blocking",
    "None of the success codes that a consumer knows is among the provider's; other codes nobody declares are a note.",
    example=(_consumer(status_codes=[200, 404]), _provider(status_codes=[201, 404])),
    clean=(_consumer(status_codes=[200, 404]), _provider(status_codes=[200, 404, 410])),
)
def status_code(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every handled code among the declared ones, where any are declared."""
    yield from _compared(documents, "contracts/status-code", "status-code")


@rule(
    "contracts/auth",
    "blocking",
    "A consumer calls without authentication what the provider protects.",
    example=(_consumer(auth="none", error_codes=[401]), _provider(auth="Required (JWT)", error_codes=[401])),
    clean=(_consumer(auth="JWT", error_codes=[401]), _provider(auth="Required (JWT)", error_codes=[401])),
)
def auth(documents: DocumentSet) -> Iterator[Finding]:
    """Compare authentication."""
    yield from _compared(documents, "contracts/auth", "auth")


@rule(
    "contracts/null-for-absent",
    "note",
    "The provider answers null where the consumer expects a value or nothing at all.",
    example=(_consumer("{ bio?: string }"), _provider("bio: Optional[str]")),
    clean=(_consumer("{ bio?: string | null }"), _provider("bio: Optional[str]")),
)
def null_for_absent(documents: DocumentSet) -> Iterator[Finding]:
    """Group all members of all endpoints: it is one habit of two notations."""
    yield from _noted(
        documents, "contracts/null-for-absent", "null-for-absent", "answered as null and expected to be absent"
    )


@rule(
    "contracts/codes-undeclared",
    "note",
    "A consumer handles status codes, and the provider declares none at all.",
    example=(_consumer(error_codes=[404]), _provider()),
    clean=(_consumer(error_codes=[404]), _provider(error_codes=[404])),
)
def codes_undeclared(documents: DocumentSet) -> Iterator[Finding]:
    """Say that the codes could not be compared."""
    yield from _noted(
        documents, "contracts/codes-undeclared", "codes-undeclared", "compared with no declared status code"
    )


@rule(
    "contracts/code-unhandled",
    "note",
    "The provider's own words imply a status code that a consumer does not handle.",
    example=(_consumer(error_codes=[404]), _provider(error_codes=[404], auth="Required (JWT)")),
    clean=(_consumer(error_codes=[401]), _provider(error_codes=[401], auth="Required (JWT)")),
)
def code_unhandled(documents: DocumentSet) -> Iterator[Finding]:
    """Derive codes from authentication, permissions, uniqueness, rate limits, sizes and media types."""
    yield from _noted(documents, "contracts/code-unhandled", "code-implied", "implied and not handled")


@rule(
    "contracts/unknown",
    "note",
    "A part of a contract could not be read, so nothing is said about it.",
    example=(_consumer("{ id: string"), _provider()),
    clean=(_consumer("{ id: string }"), _provider()),
)
def unknown(documents: DocumentSet) -> Iterator[Finding]:
    """Say what was not compared, and which OpenAPI documents could not be validated."""
    yield from _noted(documents, "contracts/unknown", "unknown", "not comparable")
    for message, places in _problems(documents, "unreadable"):
        yield found("contracts/unknown", message, places)


@rule(
    "contracts/unread",
    "warning",
    "A document says what it assumes of an API, and nothing of it could be read as an endpoint.",
    example=(_PLAN, track("ui", api_contract_assumptions={"expects": {"item": "{ id: string }"}}), _provider()),
    clean=(_PLAN, _consumer(), _provider()),
)
def unread(documents: DocumentSet) -> Iterator[Finding]:
    """Look for assumptions in which no endpoint, and nothing that is told of as unreadable, was found."""
    for message, places in _problems(documents, "unread"):
        yield found("contracts/unread", message, places)
    for document in documents.tracks or documents.revisions[-1:]:
        if not _says_something(document.data.get(_ASSUMED)):
            continue
        read = [e.pointer for contract in document.contracts for e in contract.endpoints]
        told = [p.pointer for contract in document.contracts for p in contract.problems]
        if not any(f"{place}/".startswith(f"/{_ASSUMED}/") for place in (*read, *told)):
            yield found(
                "contracts/unread",
                f"nothing in {_ASSUMED} could be read as an endpoint, so it was not compared with any: name endpoints "
                'like {"GET /items/:id": {"response": "{ id: string }"}}',
                (document.source((_ASSUMED,)),),
            )


def _says_something(value: Any) -> bool:
    """Tell whether assumptions name a method, a path or a shape, not only that there are none."""
    for path, inner in walk(value):
        if _ABOUT_AN_API.search(inner) if isinstance(inner, str) else path and mapping(inner):
            return True
    return False


_ABOUT_AN_API = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE)\b|/\w|[{:]")


def _noted(documents: DocumentSet, identity: str, kind: str, what: str) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[tuple[Contract, Contract, Mismatch]]] = {}
    for consumer, provider, mismatch in documents.mismatches:
        if mismatch.kind == kind:
            groups.setdefault((consumer.document, provider.document), []).append((consumer, provider, mismatch))
    for members in groups.values():
        messages = list(dict.fromkeys(m.message for _, _, m in members))
        sources = [s for c, p, m in members for s in _sources(documents, c, p, m)]
        message = (
            messages[0] if len(messages) == 1 else f"{counted(len(messages), 'part')} {what}: {listed(messages, 3)}"
        )
        yield found(identity, message, sources)


_PATHS = {"/items": {"get": {"responses": {"200": {"description": "ok"}}}}}


@claim_rule(
    "contracts/openapi",
    "warning",
    "An OpenAPI document is not valid.",
    example=(
        track(
            "api", implementation_details={"openapi": {"openapi": "3.1.0", "info": {"title": "Items"}, "paths": _PATHS}}
        ),
    ),
    clean=(
        track(
            "api",
            implementation_details={
                "openapi": {"openapi": "3.1.0", "info": {"title": "Items", "version": "1"}, "paths": _PATHS}
            },
        ),
    ),
)
def openapi(documents: DocumentSet) -> Iterator[Doubt]:
    """Repeat what the validator says."""
    for message, places in _problems(documents, "invalid-openapi"):
        yield doubt("contracts/openapi", f"the OpenAPI document is not valid: {message}", places)


@rule(
    "contracts/unresolved-reference",
    "warning",
    "A contract refers to a schema that its document does not hold.",
    example=(
        track(
            "api",
            implementation_details={
                "endpoints": {_GET: {"response_model": "Itme"}},
                "schemas": {"Item": {"fields": "id: str"}},
            },
        ),
    ),
    clean=(_provider(),),
)
def unresolved_reference(documents: DocumentSet) -> Iterator[Finding]:
    """List references that lead nowhere."""
    for message, places in _problems(documents, "unresolved-reference"):
        yield found("contracts/unresolved-reference", message, places)


def _problems(documents: DocumentSet, kind: str) -> Iterator[tuple[str, tuple[Source]]]:
    """Yield what could not be read in the contracts, each with its place."""
    for contract in (*documents.providers, *documents.consumers):
        for problem in contract.problems:
            if problem.kind == kind:
                data = documents.by_name[contract.document].data
                yield problem.message, (source_at(contract.document, data, problem.pointer),)
