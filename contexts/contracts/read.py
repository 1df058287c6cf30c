"""Find the contracts in a context document: what it expects of others, and what it provides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from contexts.contracts.endpoint_prose import file_types, implied_codes, media_types, requires_auth, size_limit
from contexts.contracts.handed_in import MEMBER, is_handed_in, read_handed_in
from contexts.contracts.model import Body, Code, Contract, Endpoint, Problem, Role, Schema, unknown
from contexts.contracts.openapi import looks_like_openapi, read_json_schema, read_openapi, read_operation
from contexts.contracts.paths import METHODS, endpoint_name, template
from contexts.contracts.python_notation import parse_fields, parse_python_type
from contexts.contracts.typescript import parse_typescript
from contexts.json.pointer import pointer
from contexts.json.values import Path, at, mapping, sequence, text, whole

CODE_KEYS = ("error_codes", "status_codes", "errors", "codes", "error_responses", "responses")
_REQUEST_KEYS = ("request_model", "request_schema", "request_body", "request", "body")
_RESPONSE_KEYS = ("response_model", "response_schema", "response_body", "response", "returns")
# No contract lies deeper.
_DEEPEST = 6
_SPEAKS_OF_CONTRACT = re.compile(r"endpoint|contract|assum|api|routes|expect", re.IGNORECASE)
_PROMISES = {"provides", "provided", "offers", "offered", "promises", "promised", "exposes", "exposed"}
_STATUS = re.compile(r"(?<!\d)[1-5]\d{2}(?!\d)")
_LIMIT_KEYS = ("max_size", "max_bytes", "size_limit", "max_body", "max_upload_size", "limit", "limits")


@dataclass
class _Collected:
    endpoints: list[Endpoint] = field(default_factory=list[Endpoint])
    definitions: dict[str, Schema] = field(default_factory=dict[str, Schema])
    problems: list[Problem] = field(default_factory=list[Problem])
    places: dict[str, str] = field(default_factory=dict[str, str])


def read_contracts(document: str, data: Mapping[str, object]) -> tuple[Contract, ...]:
    """Return the contracts of a document, each if it has an endpoint or a problem.

    What was handed in gives one for each side, and one for each file that was read; all else one for each role.
    A member whose name speaks of assumptions, expectations or consumption is the consumer's word, but for what stands
    in it under ``provides`` or the like; ``endpoints``, ``paths`` and other members are the provider's.
    """
    handed_in: tuple[Contract, ...] = ()
    if is_handed_in(data.get(MEMBER)):
        handed_in = tuple(read_handed_in(document, data))
        data = {key: value for key, value in data.items() if key != MEMBER}
    sides: dict[Role, _Collected] = {"consumer": _Collected(), "provider": _Collected()}
    waiting: list[tuple[Path, Any, bool]] = [((), data, False)]
    while waiting:
        path, value, speaks = waiting.pop()
        if looks_like_openapi(value):
            role = _role(path)
            contract = read_openapi(mapping(value), document, role, path)
            sides[role].endpoints.extend(contract.endpoints)
            sides[role].definitions.update(contract.definitions)
            sides[role].problems.extend(contract.problems)
        elif entries := list(_entries(path, value)) if speaks else []:
            role = _role(path)
            for name, (schema, place) in _schemas(data, path).items():
                sides[role].definitions[name] = schema
                sides[role].places[name] = place
            for entry in entries:
                _read_entry(sides[role], entry, role)
        elif len(path) < _DEEPEST:
            waiting += reversed(list(_containers(path, value, speaks=speaks)))
    told = tuple(
        Contract(document, role, tuple(side.endpoints), side.definitions, tuple(side.problems))
        for role, side in sides.items()
        if side.endpoints or side.problems
    )
    return (*handed_in, *told, *_nothing_read(document, data, told))


def _nothing_read(document: str, data: Mapping[str, object], told: Sequence[Contract]) -> Iterator[Contract]:
    """Yield a problem where a track hands in contracts, and nothing of them was read."""
    if not data.get(MEMBER) or "task_id" not in data:
        return
    places = [one.pointer for contract in told for one in (*contract.endpoints, *contract.problems)]
    if not any(place.startswith(f"/{MEMBER}/") for place in places):
        why = "contracts has neither provides nor assumes with operations or files; nothing of it was compared"
        yield Contract(document, "consumer", (), problems=(Problem("unread", f"/{MEMBER}", why),))


def _containers(path: Path, value: Any, *, speaks: bool) -> Iterator[tuple[Path, Any, bool]]:
    """Yield the objects and lists right below a value, and whether a key down to them speaks of a contract."""
    children = mapping(value).items() if isinstance(value, dict) else enumerate(sequence(value))
    for key, child in children:
        if isinstance(child, dict | list):
            yield (*path, key), child, speaks or (isinstance(key, str) and _speaks_of_contract(key))


@lru_cache(maxsize=8_192)
def _speaks_of_contract(key: str) -> bool:
    return _SPEAKS_OF_CONTRACT.search(key) is not None


def _role(path: Path) -> Role:
    """Tell whose word a place is; the innermost key that says so decides."""
    for part in reversed(path):
        word = str(part).lower()
        if any(w in word for w in ("assum", "expect", "consum", "calls", "requires")):
            return "consumer"
        if word in _PROMISES:
            return "provider"
    return "provider"


@dataclass(frozen=True)
class _Entry:
    method: str
    path: str
    shown: str
    where: Path
    data: Any


def _entries(path: Path, value: Any) -> Iterator[_Entry]:
    """Yield the endpoints written directly in an object (by name) or a list (with method and path members)."""
    for name, child in mapping(value).items():
        found = endpoint_name(name)
        if found and isinstance(child, dict):
            yield _Entry(*found, name, (*path, name), child)
        elif name.startswith("/") and isinstance(child, dict):
            for verb, inner in mapping(child).items():
                if verb.upper() in METHODS and isinstance(inner, dict):
                    yield _Entry(verb.upper(), template(name), f"{verb.upper()} {name}", (*path, name, verb), inner)
    for index, child in enumerate(sequence(value)):
        item = mapping(child)
        route = text(item.get("path")) or text(item.get("route")) or text(item.get("url"))
        named = endpoint_name(text(item.get("endpoint"))) or endpoint_name(f"{item.get('method')} {route}")
        if named:
            yield _Entry(*named, text(item.get("endpoint")) or f"{named[0]} {route}", (*path, index), item)


def _schemas(data: Mapping[str, object], path: Path) -> dict[str, tuple[Schema, str]]:
    """Read the ``schemas``, ``models`` or ``types`` beside an endpoint list, or above it; with the pointer of each."""
    found: dict[str, tuple[Schema, str]] = {}
    for depth in range(len(path) + 1):
        level = mapping(at(data, *(str(part) for part in path[:depth])))
        for key in ("schemas", "models", "types"):
            for name, raw in mapping(level.get(key)).items():
                where: Path = (*path[:depth], key, name)
                place = (*where, "fields") if "fields" in mapping(raw) else where
                found[name] = (_named_schema(raw), pointer(*place))
    return found


def _named_schema(raw: Any) -> Schema:
    data = mapping(raw)
    if isinstance(raw, str):
        return parse_typescript(raw) if raw.lstrip().startswith("{") else parse_fields(raw)
    if "fields" in data:
        fields = data["fields"]
        ts = isinstance(fields, str) and fields.lstrip().startswith("{") and ";" in fields
        return parse_typescript(fields) if ts else parse_fields(fields)
    if data.keys() & {"type", "properties", "allOf", "anyOf", "oneOf", "enum", "$ref"}:
        return read_json_schema(raw)
    if data and all(isinstance(value, str) for value in data.values()):
        return parse_fields(raw)
    return unknown("a schema without fields")


def _read_entry(side: _Collected, entry: _Entry, role: Role) -> None:
    data = mapping(entry.data)
    if isinstance(data.get("responses"), dict) and all(
        isinstance(value, dict) for value in mapping(data["responses"]).values()
    ):
        endpoint, contract = read_operation(data, entry.method, entry.path, entry.where)
        side.endpoints.append(endpoint)
        side.definitions.update(contract.definitions)
        side.problems.extend(contract.problems)
        return
    request = _body(data, _REQUEST_KEYS, entry.where, role, side)
    codes = _codes(data, entry.where)
    auth_key = next((key for key in ("auth", "authentication", "auth_required") if key in data), "auth")
    side.endpoints.append(
        Endpoint(
            entry.method,
            entry.path,
            entry.shown,
            pointer(*entry.where),
            request=_limited(request, data, entry.where),
            response=_body(data, _RESPONSE_KEYS, entry.where, role, side),
            codes=codes,
            implied=tuple(_implied(data, entry.where)) if role == "provider" else (),
            auth=requires_auth(data.get(auth_key)),
            auth_pointer=pointer(*entry.where, auth_key),
        )
    )


def _implied(data: Mapping[str, object], where: Path) -> Iterator[Code]:
    for key, value in data.items():
        if isinstance(value, str) and key not in {"performance", "cache"}:
            yield from implied_codes(key, value, pointer(*where, key))


def _codes(data: Mapping[str, object], where: Path) -> tuple[Code, ...] | None:
    found: list[Code] | None = None
    for key in CODE_KEYS:
        value = data.get(key)
        if value is None or isinstance(value, str):
            continue
        found = [] if found is None else found
        listed = enumerate(sequence(value)) if isinstance(value, list) else ((k, k) for k in mapping(value))
        for place, raw in listed:
            inner = mapping(raw)
            stated = whole(raw) or whole(inner.get("status")) or whole(inner.get("code"))
            statuses = [stated] if stated is not None else [int(code) for code in _STATUS.findall(text(raw)[:200])]
            found.extend(Code(status, pointer(*where, key, place)) for status in statuses if 100 <= status <= 599)
    success = whole(data.get("success_code")) or whole(data.get("status_code"))
    if success is not None:
        key = "success_code" if "success_code" in data else "status_code"
        found = [*(found or []), Code(success, pointer(*where, key))]
    return None if found is None else tuple(found)


def _body(data: Mapping[str, object], keys: tuple[str, ...], where: Path, role: Role, side: _Collected) -> Body | None:
    key = next((key for key in keys if data.get(key) not in (None, "")), None)
    if key is None:
        return None
    raw, place = data[key], pointer(*where, key)
    if isinstance(raw, str):
        media = media_types(raw)
        if media and "{" not in raw:
            return Body(unknown("a body in prose"), place, media=media)
        schema = _typed(raw, role, side.definitions)
        if schema.kind == "unknown":
            return Body(schema, place)
        if schema.kind == "reference" and schema.reference not in side.definitions:
            known = bool(side.definitions) and role == "provider"
            reason = f"{schema.reference[:80]!r} is described nowhere in this document"
            if known:
                side.problems.append(Problem("unresolved-reference", place, reason))
            return Body(unknown(reason), place)
        place = side.places.get(schema.reference, place)
        return Body(schema, place, media=("application/json",) if schema.kind != "null" else ())
    content = mapping(raw)
    if "content_type" in content or "media_type" in content:
        media = media_types(text(content.get("content_type") or content.get("media_type")))
        inner = content.get("schema", content.get("fields"))
        return Body(unknown("no schema is written") if inner is None else _named_schema(inner), place, media=media)
    return Body(_named_schema(raw), place, media=("application/json",))


def _typed(raw: str, role: Role, known: Mapping[str, Schema]) -> Schema:
    stripped = raw.strip()
    if stripped in known:
        return Schema("reference", reference=stripped)
    if role == "consumer":
        schema = parse_typescript(stripped)
        if schema.kind != "unknown" or stripped.startswith("{"):
            return schema
    elif stripped.startswith("{"):
        schema = parse_fields(stripped) if stripped.endswith("}") else parse_typescript(stripped)
        return schema if schema.kind != "unknown" else parse_typescript(stripped)
    python = parse_python_type(stripped)
    if python.kind == "unknown" and ":" in stripped:
        python = parse_fields(stripped)
    return python


def _limited(request: Body | None, data: Mapping[str, object], where: Path) -> Body | None:
    """Add the size limit and file types written beside a request."""
    size: int | None = None
    types: frozenset[str] | None = None
    place = ""
    for key in (*_REQUEST_KEYS, "validation", "limits", "constraints", *_LIMIT_KEYS):
        raw = data.get(key)
        if raw is None:
            continue
        count = whole(raw)
        words = text(raw)
        found = (
            count
            if count is not None and "bytes" in key
            else size_limit(f"max {words}" if key in _LIMIT_KEYS else words)
        )
        if found is not None and size is None:
            size, place = found, pointer(*where, key)
        kinds = file_types(words)
        if kinds is not None and types is None:
            types, place = kinds, place or pointer(*where, key)
    if size is None and types is None:
        return request
    base = request or Body(unknown("no body is written"), pointer(*where))
    return Body(base.schema, base.pointer, base.media, size, types, place)
