"""Read OpenAPI 3.0 and 3.1, whole or in part, into the contract model; references may recur or lead nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from contexts.contracts.model import Body, Code, Contract, Endpoint, Field, Kind, Problem, Role, Schema, unknown
from contexts.contracts.paths import METHODS, template
from contexts.contracts.typescript import join
from contexts.contracts.valid_openapi import validity
from contexts.json.pointer import pointer, resolve
from contexts.json.values import Path, mapping, number, sequence, text

_DEEPEST = 40
_NO_BODY = frozenset({"204", "205"})
"""Success codes whose answers have no body, as HTTP defines them."""
_LONGEST_CHAIN = 60
_KINDS: Mapping[str, Kind] = {
    "string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "array": "array",
    "object": "object", "null": "null",
}  # fmt: skip
"""What JSON Schema calls a type."""


class SchemaReader:
    """Reads schemas of one OpenAPI document; keeps named ones apart, so that recursion ends."""

    def __init__(self, root: Mapping[str, object], base: Path) -> None:
        self.root = root
        self.base = base
        self.definitions: dict[str, Schema] = {}
        self.problems: list[Problem] = []
        self.following = 0

    def schema(self, raw: Any, path: Path, depth: int = 0) -> Schema:
        """Read a schema that stands at a path."""
        if raw is True or raw == {}:
            return Schema("any", nullable=True)
        data = mapping(raw)
        if not data or depth > _DEEPEST:
            return unknown("a schema that is no object" if not data else f"nested more than {_DEEPEST} levels")
        if "$ref" in data:
            return self.reference(text(data["$ref"]), (*path, "$ref"))
        for word in ("anyOf", "oneOf"):
            if word in data:
                options = sequence(data[word])
                members = [self.schema(option, (*path, word, i), depth + 1) for i, option in enumerate(options)]
                joined = join(members) if members else unknown(f"an empty {word}")
                return replace(joined, nullable=joined.nullable or data.get("nullable") is True)
        if "allOf" in data:
            return self._all(data, path, depth)
        return self._plain(data, path, depth)

    def _all(self, data: Mapping[str, object], path: Path, depth: int) -> Schema:
        parts = [self.schema(p, (*path, "allOf", i), depth + 1) for i, p in enumerate(sequence(data["allOf"]))]
        own = {key: value for key, value in data.items() if key != "allOf"}
        nullable = own.pop("nullable", None) is True
        if own.keys() & {"type", "properties"}:
            parts.append(self.schema(own, path, depth + 1))
        solid = [self.definitions.get(p.reference, p) if p.kind == "reference" else p for p in parts]
        if len(solid) == 1:
            return replace(parts[0] if solid[0].kind == "any" else solid[0], nullable=nullable or solid[0].nullable)
        if not solid or any(part.kind != "object" for part in solid):
            return unknown("an allOf of parts that are not all readable objects")
        members: dict[str, Field] = {}
        for entry in (entry for part in solid for entry in part.fields):
            seen = members.get(entry.name)
            needed = entry.required or (seen is not None and seen.required)
            members[entry.name] = replace(entry, required=needed, always=needed)
        closed = any(part.closed for part in solid)
        return Schema("object", nullable=nullable, fields=tuple(members.values()), closed=closed)

    def _plain(self, data: Mapping[str, object], path: Path, depth: int) -> Schema:
        stated = data.get("type")
        types = [text(kind) for kind in sequence(stated)] or [text(stated)]
        nullable = data.get("nullable") is True or "null" in types
        solid = [kind for kind in types if kind != "null"]
        if solid == [""] or not solid:
            solid = ["object"] if "properties" in data else ["array"] if "items" in data else solid
        if "const" in data or ("enum" in data and solid == [""]):
            values = sequence(data.get("enum")) or [data.get("const")]
            solid = [_kind_of(next((v for v in values if v is not None), None))] if solid == [""] else solid
        if not solid:
            return Schema("null", nullable=True)
        if len(solid) > 1:
            options = tuple(self._plain({**data, "type": kind}, path, depth + 1) for kind in solid)
            return Schema("union", nullable=nullable, variants=options)
        kind = _KINDS.get(solid[0])
        if kind is None:
            return unknown(f"the type {solid[0][:40]!r}" if solid[0] else "no type is written")
        return self._typed(kind, data, path, depth, nullable=nullable)

    def _typed(self, kind: Kind, data: Mapping[str, object], path: Path, depth: int, *, nullable: bool) -> Schema:
        if kind == "string" and (data.get("format") == "binary" or "contentMediaType" in data):
            return Schema("file", nullable=nullable)
        values = sequence(data.get("enum")) or ([data["const"]] if "const" in data else ())
        enum = tuple(json.dumps(value, ensure_ascii=False) for value in values if value is not None) or None
        low, high = _bounds(data, kind)
        if kind == "array":
            items = self.schema(data["items"], (*path, "items"), depth + 1) if "items" in data else None
            return Schema(kind, nullable=nullable, items=items, low=low, high=high)
        if kind == "object":
            needed = {text(name) for name in sequence(data.get("required"))}
            fields = tuple(
                Field(
                    name,
                    self.schema(member, (*path, "properties", name), depth + 1),
                    required=name in needed,
                    always=name in needed,
                    default=mapping(member).get("default") is not None,
                )
                for name, member in mapping(data.get("properties")).items()
            )
            extra = data.get("additionalProperties")
            rest = self.schema(extra, (*path, "additionalProperties"), depth + 1) if isinstance(extra, dict) else None
            return Schema(kind, nullable=nullable, fields=fields, items=rest, closed=extra is False)
        nullable = nullable or (bool(values) and None in values)
        return Schema(
            kind,
            nullable=nullable,
            enum=enum,
            format=text(data.get("format")) or None,
            low=low,
            high=high,
            pattern=text(data.get("pattern")),
        )

    def reference(self, name: str, path: Path) -> Schema:
        """Read what a ``$ref`` of a schema names."""
        if name in self.definitions:
            return Schema("reference", reference=name)
        target = self.target(name)
        if target is None:
            message = f"{name[:120]!r} refers to nothing in this document"
            self.problems.append(Problem("unresolved-reference", pointer(*self.base, *path), message))
            self.definitions[name] = unknown(message)
            return Schema("reference", reference=name)
        self.definitions[name] = unknown("its definition refers only to itself")
        if self.following > _LONGEST_CHAIN:
            self.definitions[name] = unknown(f"it lies behind more than {_LONGEST_CHAIN} references")
            return Schema("reference", reference=name)
        self.following += 1
        self.definitions[name] = self.schema(target, tuple(name.removeprefix("#/").split("/")))
        self.following -= 1
        return Schema("reference", reference=name)

    def target(self, name: str) -> Any:
        """Return the value a ``$ref`` leads to, None where it leads nowhere."""
        if not name.startswith("#/"):
            return None
        try:
            return resolve(self.root, unquote(name[1:]))
        except KeyError:
            return None

    def follow(self, raw: Any, path: Path) -> tuple[Mapping[str, object], Path]:
        """Follow a $ref of a response, body or parameter (not of a schema)."""
        seen = set[str]()
        data = mapping(raw)
        while "$ref" in data:
            name = text(data["$ref"])
            target = None if name in seen else self.target(name)
            seen.add(name)
            if target is None:
                message = f"{name[:120]!r} refers to nothing in this document"
                self.problems.append(Problem("unresolved-reference", pointer(*self.base, *path, "$ref"), message))
                return {}, path
            path = tuple(name.removeprefix("#/").split("/"))
            data = mapping(target)
        return data, path


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else ""


def _bounds(data: Mapping[str, object], kind: str) -> tuple[float | None, float | None]:
    names = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}.get(kind, ("minimum", "maximum"))
    return number(data.get(names[0])), number(data.get(names[1]))


def read_json_schema(raw: Any) -> Schema:
    """Read one JSON Schema that stands alone."""
    return SchemaReader({}, ()).schema(raw, ())


def looks_like_openapi(data: Any) -> bool:
    """Tell an OpenAPI document or fragment by its members."""
    return isinstance(mapping(data).get("openapi"), str) or bool(
        [path for path in mapping(mapping(data).get("paths")) if path.startswith("/")]
    )


def read_openapi(data: Mapping[str, object], document: str, role: Role, base: Path = ()) -> Contract:
    """Read an OpenAPI document or fragment.

    Args:
        data: The parsed document; ``paths`` is enough.
        document: Name to quote it by.
        role: Whose word it is.
        base: Where it lies inside ``document``.
    """
    reader = SchemaReader(data, base)
    endpoints = list[Endpoint]()
    prefixes = _prefixes(data)
    for path_name, raw in mapping(data.get("paths")).items():
        item, where = reader.follow(raw, ("paths", path_name))
        for method, operation in item.items():
            if method.upper() in METHODS and isinstance(operation, dict):
                place = (*where, method)
                made = _operation(reader, method, path_name, mapping(operation), place)
                shared = [((*where, "parameters", i), one) for i, one in enumerate(sequence(item.get("parameters")))]
                query = _query(reader, shared, mapping(operation), place)
                endpoints.append(replace(made, parameters=query, prefixes=prefixes))
    problems = (*validity(data, base), *reader.problems)
    return Contract(document, role, tuple(endpoints), dict(reader.definitions), tuple(dict.fromkeys(problems)))


def read_operation(raw: Mapping[str, object], method: str, path: str, base: Path) -> tuple[Endpoint, Contract]:
    """Read one operation that stands alone under a name such as ``GET /items``; also return its definitions."""
    reader = SchemaReader(raw, base)
    endpoint = _operation(reader, method, path, raw, ())
    return endpoint, Contract("", "provider", (endpoint,), dict(reader.definitions), tuple(reader.problems))


def _operation(reader: SchemaReader, method: str, path: str, operation: Mapping[str, object], where: Path) -> Endpoint:
    place = pointer(*reader.base, *where)
    codes, any_code, bodies = list[Code](), False, dict[str, Body]()
    for status, raw in mapping(operation.get("responses")).items():
        code_path = (*where, "responses", status)
        if status.isdigit():
            codes.append(Code(int(status), pointer(*reader.base, *code_path)))
        elif status == "default" or status.upper() in {"4XX", "5XX"}:
            any_code = True
        if status.startswith("2") and (body := _body(reader, raw, code_path)) is not None:
            bodies[status.upper()] = body
        elif status in _NO_BODY:
            bodies[status] = Body(Schema("null", nullable=True), pointer(*reader.base, *code_path))
    request = _body(reader, operation["requestBody"], (*where, "requestBody")) if "requestBody" in operation else None
    security = operation.get("security", reader.root.get("security"))
    return Endpoint(
        method.upper(),
        template(path),
        f"{method.upper()} {path}",
        place,
        request=request,
        response=next(iter(bodies.values()), None),
        bodies=tuple(bodies.items()),
        codes=tuple(codes) if codes or any_code else None,
        any_code=any_code,
        auth=None if security is None else bool(sequence(security)) and {} not in sequence(security),
        auth_pointer=pointer(*reader.base, *where, "security") if "security" in operation else place,
    )


def _prefixes(data: Mapping[str, object]) -> tuple[str, ...]:
    """Return the paths below which a document is served: of OpenAPI's ``servers``, and Swagger's ``basePath``."""
    urls = [text(data.get("basePath"))]
    for one in sequence(data.get("servers")):
        url = text(mapping(one).get("url"))
        for name, variable in mapping(mapping(one).get("variables")).items():
            url = url.replace(f"{{{name}}}", text(mapping(variable).get("default")))
        urls.append(url)
    found = (template(urlsplit(url).path) for url in urls if url)
    return tuple(dict.fromkeys(one for one in found if one != "/"))


def _query(
    reader: SchemaReader, shared: Iterable[tuple[Path, Any]], operation: Mapping[str, object], where: Path
) -> Body | None:
    """Return the query's members as one object; those of an operation take the place of its path's."""
    own = [((*where, "parameters", index), one) for index, one in enumerate(sequence(operation.get("parameters")))]
    fields: dict[str, Field] = {}
    for place, raw in (*shared, *own):
        data, inner = reader.follow(raw, place)
        name = text(data.get("name"))
        if data.get("in") == "query" and name:
            shape = data.get("schema")
            schema = unknown("no schema is written") if shape is None else reader.schema(shape, (*inner, "schema"))
            required = data.get("required") is True
            fields[name] = Field(name, schema, required=required, always=required)
    if not fields:
        return None
    return Body(Schema("object", fields=tuple(fields.values())), pointer(*reader.base, *where, "parameters"))


def _body(reader: SchemaReader, raw: Any, path: Path) -> Body | None:
    data, where = reader.follow(raw, path)
    content = mapping(data.get("content"))
    place = pointer(*reader.base, *where)
    if not content:
        return None
    best = next((media for media in content if "json" in media), next(iter(content)))
    shape = mapping(content[best]).get("schema")
    inner = (*where, "content", best, "schema")
    schema = unknown("no schema is written") if shape is None else reader.schema(shape, inner)
    if schema.kind == "reference" and schema.reference.startswith("#/") and reader.target(schema.reference) is not None:
        return Body(schema, pointer(*reader.base) + schema.reference[1:], media=tuple(content))
    return Body(schema, pointer(*reader.base, *inner) if shape is not None else place, media=tuple(content))
