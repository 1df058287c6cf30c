"""Read Zod validation schemas, the usual form of what a web client lets through before it sends."""

from __future__ import annotations

from dataclasses import replace

from contexts.contracts.model import Field, Schema, unknown
from contexts.contracts.tokens import NotationError, Tokens

_KINDS = {
    "string": Schema("string"),
    "number": Schema("number", why="JavaScript has no integer"),
    "boolean": Schema("boolean"),
    "date": Schema("string", format="date-time"),
    "any": Schema("any", nullable=True),
    "unknown": Schema("any", nullable=True),
    "instanceof": Schema("file"),
    "bigint": Schema("integer"),
    "null": Schema("null", nullable=True),
}
_FORMATS = {"email": "email", "uuid": "uuid", "url": "uri", "datetime": "date-time"}


def parse_zod(notation: str) -> Schema:
    """Read ``z.object({ name: z.string().min(1).max(100) })``; what cannot be read is ``unknown`` and says why."""
    try:
        tokens = Tokens(notation.replace("z\n.", "z."))
        schema = _expression(tokens)
    except NotationError as error:
        return unknown(str(error))
    return schema


def _expression(tokens: Tokens) -> Schema:
    tokens.enter()
    token = tokens.take()
    if not token.text.startswith("z."):
        raise NotationError(f"'z.' expected, {token.text[:40] or 'the end'!r} found")
    words = token.text.split(".")[1:]
    schema = _base(words[0], tokens)
    if len(words) > 1:
        raise NotationError(f"{token.text[:40]!r} cannot be read")
    while tokens.peek().text == "." and tokens.peek(1).kind == "name":
        tokens.take()
        schema = _refined(schema, tokens.take().text, tokens)
    tokens.leave()
    return schema


def _base(kind: str, tokens: Tokens) -> Schema:
    if kind == "object":
        tokens.expect("(")
        schema = _members(tokens)
        tokens.expect(")")
        return schema
    if kind == "array":
        tokens.expect("(")
        items = _expression(tokens)
        tokens.expect(")")
        return Schema("array", items=items)
    inside = tokens.parenthesis()
    if kind in {"enum", "literal"}:
        values = tuple(
            f'"{part.strip()[1:-1]}"' for part in inside.strip("[ ]").split(",") if part.strip()[:1] in {"'", '"'}
        )
        return Schema("string", enum=values or None)
    return _KINDS.get(kind) or unknown(f"z.{kind}")


def _members(tokens: Tokens) -> Schema:
    tokens.expect("{")
    fields = list[Field]()
    while not tokens.accept("}"):
        if tokens.accept(","):
            continue
        name = tokens.take()
        if name.kind not in {"name", "string"}:
            raise NotationError(f"a member name expected, {name.text[:40] or 'the end'!r} found")
        tokens.expect(":")
        schema = _expression(tokens)
        optional = schema.reference == "optional"
        bare = replace(schema, reference="")
        fields.append(Field(name.text.strip("'\""), bare, required=not optional, always=not optional))
    return Schema("object", fields=tuple(fields))


def _refined(schema: Schema, method: str, tokens: Tokens) -> Schema:
    first = method.split(".", 1)[0]
    inside = tokens.parenthesis() if tokens.peek().text == "(" else ""
    amount = inside.split(",")[0].strip()
    value = float(amount) if amount.lstrip("-").replace(".", "", 1).isdigit() else None
    if first in {"min", "gte", "nonempty"}:
        return replace(schema, low=value)
    if first in {"max", "lte"}:
        return replace(schema, high=value)
    if first == "length":
        return replace(schema, low=value, high=value)
    if first == "int":
        return replace(schema, kind="integer", why="")
    if first == "nullable":
        return replace(schema, nullable=True)
    if first in {"optional", "nullish", "default"}:
        return replace(schema, nullable=schema.nullable or first == "nullish", reference="optional")
    return replace(schema, format=_FORMATS[first]) if first in _FORMATS else schema
