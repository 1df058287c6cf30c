"""Compare what a consumer expects with what a provider offers, by direction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from contexts.contracts.compatibility import Difference, receive, resolve_name, send
from contexts.contracts.model import Body, Contract, Endpoint
from contexts.contracts.paths import resource

Verdict = Literal["aligned", "mismatch", "unknown"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which a consumer and a provider disagree.

    Attributes:
        kind: ``missing-endpoint``, ``missing-field``, ``type``, ``nullability``, ``optionality``, ``enum``, ``format``,
            ``missing-request-field``, ``extra-request-field``, ``limit``, ``media-type``, ``size``, ``file-type``,
            ``auth``, ``status-code``, ``codes-undeclared``, ``code-implied``, ``null-for-absent``, ``unknown``.
        endpoint: As the consumer wrote it.
        consumer: Pointer into the consumer's document.
        provider: Pointer into the provider's document; empty where the provider has nothing to point at.
        field: Dotted name of the member, empty for the whole endpoint.
        message: One sentence.
        certain: False for what only might be wrong: unread parts, implied codes, null where absence was expected.
    """

    kind: str
    endpoint: str
    consumer: str
    provider: str
    message: str
    field: str = ""
    certain: bool = True


IN_WORDS = frozenset({"size", "file-type"})
"""Kinds that are read out of the words beside an endpoint."""
_ANY_SUCCESS = "2XX"
_DOUBTFUL = {
    "unknown",
    "codes-undeclared",
    "code-implied",
    "null-for-absent",
    "optional-missing",
    "extra-ignored",
    "open-enum",
}


def compare(consumer: Contract, provider: Contract) -> tuple[Mismatch, ...]:
    """Return every mismatch between the endpoints a consumer names and the provider's, in the consumer's order.

    An endpoint the provider lacks is ``missing-endpoint``; callers with several providers ask each and keep the
    endpoints missing in all. What could not be read gives ``unknown``, never silence.
    """
    offered = {key: endpoint for endpoint in reversed(provider.endpoints) for key in endpoint.keys}
    offered |= {endpoint.key: endpoint for endpoint in provider.endpoints}
    return tuple(found for endpoint in consumer.endpoints for found in _endpoint(endpoint, offered, consumer, provider))


def compare_all(
    consumers: Sequence[Contract], providers: Sequence[Contract], *, complete: bool | None = True
) -> tuple[tuple[Contract, Contract, Mismatch], ...]:
    """Compare every consumer with the providers of what it calls, in time linear in the endpoints.

    Args:
        consumers: What is expected.
        providers: What is offered; an endpoint that several offer is compared with each.
        complete: All providers are here, so that an endpoint nobody offers is missing; None where nobody says so: then
            it is certainly missing only where somebody else offers the same resource.
    """
    offers: dict[tuple[str, str], list[tuple[Contract, Endpoint]]] = {}
    paths: dict[str, tuple[Contract, Endpoint]] = {}
    resources: dict[str, set[str]] = {}
    for provider in providers:
        for endpoint in provider.endpoints:
            for key in endpoint.keys:
                offers.setdefault(key, []).append((provider, endpoint))
            paths.setdefault(endpoint.path, (provider, endpoint))
            resources.setdefault(resource(endpoint.path), set()).add(provider.document)
    result = list[tuple[Contract, Contract, Mismatch]]()
    for consumer in consumers:
        for asked in consumer.endpoints:
            key = next((one for one in asked.keys if one in offers), asked.key)
            for provider, given in offers.get(key, ()):
                found = _endpoint(asked, {asked.key: given}, consumer, provider)
                result.extend((consumer, provider, mismatch) for mismatch in found)
            if key not in offers and offers and complete is not False:
                provider, given = paths.get(asked.path, (providers[0], None))
                near = {given.key: given} if given else {}
                others = resources.get(resource(asked.path), set[str]()) - {consumer.document}
                # What a track counts on may be of the product as it was, which no track tells of.
                certain = (complete is True and not consumer.typed) or bool(others)
                found = (replace(m, certain=certain) for m in _endpoint(asked, near, consumer, provider))
                result.extend((consumer, provider, mismatch) for mismatch in found)
    return tuple(result)


def matrix(contracts: Sequence[Contract]) -> dict[tuple[str, str], dict[str, Verdict]]:
    """Return, for every consumer and provider (document names), each consumed endpoint's verdict.

    Only pairs that share an endpoint, or pairs with the only provider there is, are listed.
    """
    providers = [contract for contract in contracts if contract.role == "provider" and contract.endpoints]
    result: dict[tuple[str, str], dict[str, Verdict]] = {}
    for consumer in (contract for contract in contracts if contract.role == "consumer"):
        for provider in providers:
            offered = {key for endpoint in provider.endpoints for key in endpoint.keys}
            asked = [e for e in consumer.endpoints if not offered.isdisjoint(e.keys) or len(providers) == 1]
            if asked:
                found = compare(consumer, provider)
                verdicts = result.setdefault((consumer.document, provider.document), {})
                for one in asked:
                    verdicts[one.shown] = _worse(verdicts.get(one.shown, "aligned"), _verdict(one, found))
    return result


def _worse(one: Verdict, other: Verdict) -> Verdict:
    if "mismatch" in {one, other}:
        return "mismatch"
    return "unknown" if "unknown" in {one, other} else "aligned"


def _verdict(endpoint: Endpoint, found: Sequence[Mismatch]) -> Verdict:
    mine = [mismatch for mismatch in found if mismatch.endpoint == endpoint.shown]
    if any(mismatch.certain for mismatch in mine):
        return "mismatch"
    return "unknown" if any(m.kind in {"unknown", "codes-undeclared"} for m in mine) else "aligned"


def _endpoint(
    asked: Endpoint, offered: Mapping[tuple[str, str], Endpoint], consumer: Contract, provider: Contract
) -> Iterator[Mismatch]:
    given = next((offered[key] for key in asked.keys if key in offered), None)
    if given is None:
        other = sorted(method for method, path in offered if path == asked.path)
        near = f"; {provider.document} has {', '.join(other)} there" if other else ""
        yield Mismatch(
            "missing-endpoint",
            asked.shown,
            asked.pointer,
            next((e.pointer for e in offered.values() if e.path == asked.path), ""),
            f"{asked.shown} is expected, and {provider.document} does not provide it{near}",
        )
        return
    for mine, theirs in _answers(asked, given):
        yield from _bodies(asked, mine, given, theirs, consumer=consumer, provider=provider, reading=True)
    if asked.request is not None or given.request is not None:
        yield from _requests(asked, given, consumer, provider)
    if asked.parameters is not None and given.parameters is not None:
        yield from _parameters(asked, asked.parameters, given.parameters, consumer, provider)
    yield from _codes(asked, given)
    if asked.auth is False and given.auth is True:
        message = f"{asked.shown} is called without authentication, which the provider requires"
        yield Mismatch("auth", asked.shown, asked.auth_pointer, given.auth_pointer, message)


def _answers(asked: Endpoint, given: Endpoint) -> Iterator[tuple[Body, Body | None]]:
    """Yield what is read and what is answered with the same success code; what says no code is of any."""
    mine, theirs = _by_code(asked), _by_code(given)
    for code, body in mine.items():
        if not theirs:
            yield body, None
        elif code == _ANY_SUCCESS:
            full = (one for one in theirs.values() if one.schema.kind != "null")
            yield body, theirs.get(code) or next(full, next(iter(theirs.values())))
        elif (other := theirs.get(code) or theirs.get(_ANY_SUCCESS)) is not None:
            yield body, other


def _by_code(endpoint: Endpoint) -> Mapping[str, Body]:
    if endpoint.bodies:
        return dict(endpoint.bodies)
    return {_ANY_SUCCESS: endpoint.response} if endpoint.response is not None else {}


def _bodies(
    asked: Endpoint,
    mine: Body,
    given: Endpoint,
    theirs: Body | None,
    *,
    consumer: Contract,
    provider: Contract,
    reading: bool,
) -> Iterator[Mismatch]:
    part = "response" if reading else "request"
    if theirs is None:
        message = f"the {part} of {asked.shown} is expected, and the provider describes none"
        yield Mismatch("unknown", asked.shown, mine.pointer, given.pointer, message, certain=False)
        return
    differences: Iterator[Difference]
    if reading:
        differences = receive(mine.schema, theirs.schema, consumer.definitions, provider.definitions)
    else:
        differences = send(mine.schema, theirs.schema, consumer.definitions, provider.definitions)
    for difference in differences:
        yield Mismatch(
            difference.kind,
            asked.shown,
            mine.pointer,
            theirs.pointer,
            f"{part} of {asked.shown}: {difference.message}",
            difference.field,
            certain=difference.kind not in _DOUBTFUL,
        )


def _requests(asked: Endpoint, given: Endpoint, consumer: Contract, provider: Contract) -> Iterator[Mismatch]:
    mine, theirs = asked.request, given.request
    if mine is None:
        return  # what a consumer does not describe it may still send
    if theirs is None:
        message = f"the request of {asked.shown} is sent, and the provider describes none"
        yield Mismatch("unknown", asked.shown, mine.pointer, given.pointer, message, certain=False)
        return
    if mine.media and theirs.media and not set(mine.media) & set(theirs.media):
        message = f"{asked.shown} is sent as {', '.join(mine.media)}, and the provider takes {', '.join(theirs.media)}"
        yield Mismatch("media-type", asked.shown, mine.pointer, theirs.pointer, message)
    elif not (mine.media and mine.media == theirs.media and mine.schema.kind == theirs.schema.kind == "unknown"):
        yield from _bodies(asked, mine, given, theirs, consumer=consumer, provider=provider, reading=False)
    if mine.max_bytes is not None and theirs.max_bytes is not None and mine.max_bytes > theirs.max_bytes:
        message = (
            f"{asked.shown} may send {mine.max_bytes:,} bytes, and the provider takes {theirs.max_bytes:,} at most"
        )
        yield Mismatch("size", asked.shown, mine.limit_pointer, theirs.limit_pointer, message)
    if mine.file_types and theirs.file_types and mine.file_types - theirs.file_types:
        refused = ", ".join(sorted(mine.file_types - theirs.file_types))
        message = f"{asked.shown} may send {refused}, which the provider refuses"
        yield Mismatch("file-type", asked.shown, mine.limit_pointer, theirs.limit_pointer, message)


def _parameters(
    asked: Endpoint, mine: Body, theirs: Body, consumer: Contract, provider: Contract
) -> Iterator[Mismatch]:
    """Compare the query: who says any of its members says all, so what a provider does not know it ignores."""
    known = resolve_name(theirs.schema, provider.definitions)
    taken = replace(known, closed=bool(known.fields) and known.items is None)
    for one in send(mine.schema, taken, consumer.definitions, provider.definitions):
        message = f"query of {asked.shown}: {one.message}"
        certain = one.kind not in _DOUBTFUL
        yield Mismatch(one.kind, asked.shown, mine.pointer, theirs.pointer, message, one.field, certain=certain)


def _codes(asked: Endpoint, given: Endpoint) -> Iterator[Mismatch]:
    handled = asked.codes or ()
    if handled and given.codes is None:
        listed = ", ".join(str(code.status) for code in handled)
        message = f"{asked.shown} handles {listed}, and the provider declares no status codes at all"
        yield Mismatch("codes-undeclared", asked.shown, handled[0].pointer, given.pointer, message, certain=False)
    declared = {code.status for code in given.codes or ()}
    expected = {code.status for code in handled if code.status < 300}
    answered = {status for status in declared if status < 300}
    # A client may handle what never comes; that none of the successes it knows comes breaks it.
    covered = expected & answered or _ANY_SUCCESS in dict(given.bodies)
    never = expected if answered and not covered else set[int]()
    if given.codes is not None:
        for code in handled:
            if given.any_code and code.status not in never:
                continue
            # A list of error codes only says nothing about success codes.
            errors_only = all(status >= 400 for status in declared)
            if code.status not in declared and not (errors_only and code.status < 400):
                message = f"{asked.shown} handles {code.status}, which the provider does not declare"
                certain = code.status in never
                yield Mismatch("status-code", asked.shown, code.pointer, given.pointer, message, certain=certain)
    if asked.codes is not None:
        known = {code.status for code in handled}
        for code in given.implied:
            if code.status not in known:
                message = f"{asked.shown} can answer {code.status} ({code.why}), which the consumer does not handle"
                yield Mismatch("code-implied", asked.shown, asked.pointer, code.pointer, message, certain=False)
