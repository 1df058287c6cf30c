"""Read the consumer's notation: TypeScript-like types such as ``{ id: string, bio?: string | null }``."""

from __future__ import annotations

import json
from dataclasses import replace

from contexts.contracts.model import Field, Schema, unknown
from contexts.contracts.tokens import NotationError, Tokens, limits

_PLAIN = {
    "string": Schema("string"),
    "number": Schema("number", why="TypeScript has no integer"),
    "bigint": Schema("integer"),
    "integer": Schema("integer"),
    "int": Schema("integer"),
    "float": Schema("number"),
    "boolean": Schema("boolean"),
    "bool": Schema("boolean"),
    "true": Schema("boolean", enum=("true",)),
    "false": Schema("boolean", enum=("false",)),
    "null": Schema("null", nullable=True),
    "undefined": Schema("null", nullable=True, why="undefined"),
    "void": Schema("null", nullable=True),
    "any": Schema("any", nullable=True),
    "unknown": Schema("any", nullable=True),
    "object": Schema("object"),
    "Date": Schema("string", format="date-time"),
    "UUID": Schema("string", format="uuid"),
    "uuid": Schema("string", format="uuid"),
    "email": Schema("string", format="email"),
    "url": Schema("string", format="uri"),
    "datetime": Schema("string", format="date-time"),
    "ISO8601": Schema("string", format="date-time"),
    "File": Schema("file"),
    "Blob": Schema("file"),
    "FormData": Schema("any", nullable=True),
}


def parse_typescript(notation: str) -> Schema:
    """Read one type; what cannot be read is ``unknown`` and says why."""
    try:
        tokens = Tokens(notation)
        schema = _union(tokens)
        tokens.finish()
    except NotationError as error:
        return unknown(str(error))
    return schema


def _union(tokens: Tokens) -> Schema:
    tokens.enter()
    tokens.accept("|")
    members = [_intersection(tokens)]
    while tokens.accept("|"):
        members.append(_intersection(tokens))
    tokens.leave()
    return join(members)


def join(members: list[Schema]) -> Schema:
    """Make one schema of alternatives: null becomes ``nullable``, literals of one kind an enum."""
    solid = [member for member in members if member.kind != "null"]
    nullable = any(member.nullable and member.why != "undefined" for member in members)
    if not solid:
        return members[0]
    if len(solid) == 1:
        return replace(solid[0], nullable=nullable)
    if len({member.kind for member in solid}) == 1 and all(member.enum is not None for member in solid):
        values = tuple(dict.fromkeys(value for member in solid for value in member.enum or ()))
        return Schema(solid[0].kind, nullable=nullable, enum=None if values == ("true", "false") else values)
    return Schema("union", nullable=nullable, variants=tuple(replace(member, nullable=False) for member in solid))


def _intersection(tokens: Tokens) -> Schema:
    members = [_postfix(tokens)]
    while tokens.accept("&"):
        members.append(_postfix(tokens))
    if len(members) == 1:
        return members[0]
    if all(member.kind == "object" for member in members):
        merged = {entry.name: entry for member in members for entry in member.fields}
        return Schema("object", fields=tuple(merged.values()))
    return unknown("an intersection of types that are not all objects")


def _postfix(tokens: Tokens) -> Schema:
    schema = _primary(tokens)
    while tokens.peek().text == "[" and tokens.peek(1).text == "]":
        tokens.take()
        tokens.take()
        schema = Schema("array", items=schema)
    if tokens.peek().text == "(":
        low, high = limits(tokens.parenthesis())
        schema = replace(schema, low=low, high=high)
    return schema


def _primary(tokens: Tokens) -> Schema:
    token = tokens.take()
    if token.kind == "string":
        return Schema("string", enum=(json.dumps(token.text[1:-1], ensure_ascii=False),))
    if token.kind == "number":
        return Schema("integer" if "." not in token.text else "number", enum=(token.text,))
    if token.text == "{":
        return _object(tokens)
    if token.text == "(":
        inner = _union(tokens)
        tokens.expect(")")
        return inner
    if token.kind == "name":
        return _named(token.text, tokens)
    raise NotationError(f"a type expected, {token.text[:40] or 'the end'!r} found")


def _named(name: str, tokens: Tokens) -> Schema:
    if name == "readonly":
        return _postfix(tokens)
    if tokens.accept("<"):
        arguments = [_union(tokens)]
        while tokens.accept(","):
            arguments.append(_union(tokens))
        tokens.expect(">")
        return _generic(name, arguments)
    return _PLAIN.get(name) or Schema("reference", reference=name)


def _generic(name: str, arguments: list[Schema]) -> Schema:
    first = arguments[0]
    if name in {"Array", "ReadonlyArray", "Set"}:
        return Schema("array", items=first)
    if name in {"Record", "Map"} and len(arguments) == 2:
        return Schema("object", items=arguments[1])
    if name in {"Promise", "Readonly", "Required", "NonNullable"}:
        return first
    if name == "Partial" and first.kind == "object":
        return replace(first, fields=tuple(replace(f, required=False, always=False) for f in first.fields))
    return unknown(f"the generic type {name}")


def _object(tokens: Tokens) -> Schema:
    tokens.enter()
    fields: dict[str, Field] = {}
    rest: Schema | None = None
    while not tokens.accept("}"):
        if tokens.accept(",") or tokens.accept(";"):
            continue
        if tokens.peek().text == "." and tokens.peek(1).text == ".":
            raise NotationError("'...' leaves members out")
        if tokens.accept("["):  # an index signature: [key: string]: T
            while not tokens.accept("]"):
                if tokens.take().kind == "end":
                    raise NotationError("']' expected, the end found")
            tokens.expect(":")
            rest = _union(tokens)
            continue
        entry = _member(tokens)
        fields[entry.name] = entry
    tokens.leave()
    return Schema("object", fields=tuple(fields.values()), items=rest)


def _member(tokens: Tokens) -> Field:
    token = tokens.take()
    if token.text == "readonly" and tokens.peek().kind in {"name", "string"}:
        token = tokens.take()
    if token.kind not in {"name", "string"}:
        raise NotationError(f"a member name expected, {token.text[:40] or 'the end'!r} found")
    name = token.text[1:-1] if token.kind == "string" else token.text
    optional = tokens.accept("?")
    if not tokens.accept(":"):
        if tokens.peek().text not in {",", ";", "}"}:
            raise NotationError(f"':' expected after {name[:40]!r}")
        return Field(name, unknown("no type is written"), required=not optional, always=not optional)
    schema = _union(tokens)
    missing_allowed = optional or schema.why == "undefined"
    return Field(name, schema, required=not missing_allowed, always=not missing_allowed)
