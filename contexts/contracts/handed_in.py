"""Read the contracts of a hand-in: operations with JSON Schemas, and what was read of the files it names.

An operation that is not HTTP is an endpoint of the method `MESSAGE`, with its name in the path's place. What is not of
the form is a problem with its place, and hides nothing beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contexts.contracts.model import Body, Code, Contract, Endpoint, Problem, Role, Schema
from contexts.contracts.openapi import SchemaReader, looks_like_openapi, read_openapi
from contexts.contracts.paths import METHODS, endpoint_name
from contexts.json.pointer import pointer
from contexts.json.values import Path, is_list, is_object, mapping, text

MESSAGE = "MESSAGE"
"""Stands for the method of an operation that is not HTTP."""
MEMBER = "contracts"
_SIDES: Mapping[str, Role] = {"provides": "provider", "assumes": "consumer"}
_SAYS = frozenset({"auth", "parameters", "request", "responses"})
_LISTS = ("operations", "files", "variables", "ports")


def is_handed_in(value: object) -> bool:
    """Say whether a member ``contracts`` has the form of a hand-in."""
    sides = [mapping(value).get(side) for side in _SIDES]
    return any(is_object(one) and not {*_LISTS, "schemas"}.isdisjoint(one) for one in sides)


def read_handed_in(document: str, data: Mapping[str, object]) -> Iterator[Contract]:
    """Yield a contract for each side of a hand-in and for each of its files that was read.

    Args:
        document: Name to quote it by.
        data: The document; its member ``contracts`` is read.
    """
    contracts = mapping(data.get(MEMBER))
    for name, role in _SIDES.items():
        side = contracts.get(name)
        if side is None:
            continue
        base: Path = (MEMBER, name)
        if not is_object(side):
            yield Contract(
                document, role, (), problems=(_odd(base, "is no object with operations or files"),), typed=True
            )
            continue
        own = _read_side(document, role, side, base)
        if own.endpoints or own.problems:
            yield own
        for index, entry in enumerate(_items(side, "files")):
            read = mapping(mapping(entry).get("read"))
            where: Path = (*base, "files", index, "read")
            for contract in _read_file(document, role, read, where):
                yield _named(contract, text(mapping(entry).get("path")))


def _read_file(document: str, role: Role, read: Mapping[str, object], where: Path) -> Iterator[Contract]:
    whole = read.get("openapi")
    if looks_like_openapi(whole):
        yield replace(read_openapi(mapping(whole), document, role, (*where, "openapi")), typed=True)
    elif "operations" in read:
        yield _read_side(document, role, read, where)


def _named(contract: Contract, path: str) -> Contract:
    """Return a contract whose endpoints say which file they are from."""
    endpoints = tuple(replace(one, shown=f"{one.shown} ({path})") for one in contract.endpoints)
    return replace(contract, endpoints=endpoints, file=path)


def _read_side(document: str, role: Role, side: Mapping[str, object], base: Path) -> Contract:
    side = _rooted_side(side)
    reader = SchemaReader(side, base)
    problems = [_odd((*base, name), "is no list") for name in _LISTS if not isinstance(side.get(name, []), list)]
    if not is_object(side.get("schemas", {})):
        problems.append(_odd((*base, "schemas"), "is no object of schemas by name"))
    endpoints: list[Endpoint] = []
    for index, raw in enumerate(_items(side, "operations")):
        where: Path = ("operations", index)
        name = text(mapping(raw).get("operation")).strip()
        if not name:
            problems.append(_odd((*base, *where), "has no operation, such as 'GET /items/{id}'"))
            continue
        endpoints.append(_endpoint(reader, name, mapping(raw), where))
        problems += _odd_members(mapping(raw), (*base, *where))
    return Contract(
        document, role, tuple(endpoints), dict(reader.definitions), (*problems, *reader.problems), typed=True
    )


def _rooted_side(side: Mapping[str, object]) -> Mapping[str, object]:
    """Return a side in which what schemas refer to inside themselves (``#/$defs/NAME``) is found from its root."""
    schemas = {name: _rooted(raw, pointer("schemas", name)) for name, raw in mapping(side.get("schemas")).items()}
    operations: list[Any] = []
    for index, raw in enumerate(_items(side, "operations")):
        made = dict(mapping(raw))
        for name in ("parameters", "request", "message"):
            if name in made:
                made[name] = _rooted(made[name], pointer("operations", index, name))
        if is_object(made.get("responses")):
            made["responses"] = {
                status: _rooted(one, pointer("operations", index, "responses", status))
                for status, one in mapping(made["responses"]).items()
            }
        operations.append(made if is_object(raw) else raw)
    changed: dict[str, object] = dict(side)
    if schemas:
        changed["schemas"] = schemas
    if operations:
        changed["operations"] = operations
    return changed


def _rooted(schema: Any, place: str) -> Any:
    if not is_object(schema) or not {"$defs", "definitions"} & schema.keys():
        return schema

    def moved(value: Any) -> Any:
        if is_object(value):
            return {
                key: f"#{place}{one[1:]}"
                if key == "$ref" and isinstance(one, str) and one.startswith(("#/$defs/", "#/definitions/"))
                else moved(one)
                for key, one in value.items()
            }
        return [moved(one) for one in value] if is_list(value) else value

    return moved(schema)


def _items(side: Mapping[str, object], name: str) -> list[Any]:
    value = side.get(name)
    return value if is_list(value) else []


def _odd(where: Path, why: str) -> Problem:
    return Problem("unread", pointer(*where), f"{'.'.join(str(part) for part in where)} {why}; it was not compared")


def _odd_members(raw: Mapping[str, object], where: Path) -> Iterator[Problem]:
    for name in ("parameters", "request", "message"):
        if raw.get(name) is not None and not isinstance(raw[name], dict | bool):
            yield _odd((*where, name), "is no JSON Schema")
    responses = raw.get("responses")
    if responses is not None and not is_object(responses):
        yield _odd((*where, "responses"), "is no object of schemas by status code")
    for status in mapping(responses):
        if _code(status) is None and status.upper() not in {"2XX", "3XX", "4XX", "5XX", "DEFAULT"}:
            yield _odd((*where, "responses", status), "is no status code")
    if endpoint_name(text(raw.get("operation"))) and _SAYS.isdisjoint(raw):
        yield _odd(where, f"says nothing of what it sends or answers ({', '.join(sorted(_SAYS))})")
    if raw.get("auth") is not None and not isinstance(raw["auth"], bool):
        yield _odd((*where, "auth"), "is neither true nor false")


def _endpoint(reader: SchemaReader, name: str, raw: Mapping[str, object], where: Path) -> Endpoint:
    place = pointer(*reader.base, *where)
    http = endpoint_name(name)
    if http is None:
        if name.split(" ", 1)[0].upper() in METHODS and name.count(" ") == 1:
            reader.problems.append(_odd((*reader.base, *where, "operation"), "has a method and no path"))
        message = _body(reader, raw.get("message"), (*where, "message"))
        return Endpoint(MESSAGE, name, name, place, response=message)
    responses = mapping(raw.get("responses"))
    bodies = {
        status.upper(): _body(reader, raw_body, (*where, "responses", status))
        or _nothing(pointer(*reader.base, *where, "responses", status))
        for status, raw_body in responses.items()
        if status.startswith("2")
    }
    codes = tuple(
        Code(code, pointer(*reader.base, *where, "responses", status))
        for status in responses
        if (code := _code(status)) is not None
    )
    ranges = {status.upper() for status in responses} & {"2XX", "3XX", "4XX", "5XX", "DEFAULT"}
    auth = raw.get("auth")
    return Endpoint(
        *http,
        name,
        place,
        request=_body(reader, raw.get("request"), (*where, "request")),
        response=next(iter(bodies.values()), None),
        bodies=tuple(bodies.items()),
        codes=codes or None,
        any_code=bool(ranges),
        auth=auth if isinstance(auth, bool) else None,
        auth_pointer=pointer(*reader.base, *where, "auth"),
        parameters=_body(reader, raw.get("parameters"), (*where, "parameters")),
    )


def _code(status: str) -> int | None:
    return int(status) if status.isascii() and status.isdigit() and 100 <= int(status[:4]) <= 599 else None


def _body(reader: SchemaReader, raw: object, where: Path) -> Body | None:
    if raw is None or not isinstance(raw, dict | bool):
        return None
    schema = reader.schema(raw, where)
    place = pointer(*reader.base, *where)
    if schema.kind == "reference" and schema.reference.startswith("#/") and reader.target(schema.reference) is not None:
        place = pointer(*reader.base) + schema.reference[1:]
    return Body(schema, place, media=("application/json",))


def _nothing(place: str) -> Body:
    return Body(Schema("null", nullable=True), place)
