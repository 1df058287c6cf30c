"""Read the provider's notation: Python-like fields such as ``name: str (min 1, max 100), bio: Optional[str]``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from contexts.contracts.model import Field, Schema, unknown
from contexts.contracts.tokens import NotationError, Tokens, limits
from contexts.contracts.typescript import join
from contexts.json.values import mapping, sequence

_PLAIN = {
    "str": Schema("string"),
    "string": Schema("string"),
    "text": Schema("string"),
    "StrictStr": Schema("string"),
    "int": Schema("integer"),
    "integer": Schema("integer"),
    "StrictInt": Schema("integer"),
    "PositiveInt": Schema("integer", low=1),
    "NonNegativeInt": Schema("integer", low=0),
    "float": Schema("number"),
    "number": Schema("number"),
    "Decimal": Schema("union", variants=(Schema("number"), Schema("string"))),
    "bool": Schema("boolean"),
    "boolean": Schema("boolean"),
    "None": Schema("null", nullable=True),
    "null": Schema("null", nullable=True),
    "Any": Schema("any", nullable=True),
    "object": Schema("any"),
    "dict": Schema("object"),
    "Dict": Schema("object"),
    "Mapping": Schema("object"),
    "list": Schema("array"),
    "List": Schema("array"),
    "UUID": Schema("string", format="uuid"),
    "UUID4": Schema("string", format="uuid"),
    "EmailStr": Schema("string", format="email"),
    "datetime": Schema("string", format="date-time"),
    "AwareDatetime": Schema("string", format="date-time"),
    "date": Schema("string", format="date"),
    "time": Schema("string", format="time"),
    "timedelta": Schema("string", format="duration"),
    "HttpUrl": Schema("string", format="uri"),
    "AnyUrl": Schema("string", format="uri"),
    "AnyHttpUrl": Schema("string", format="uri"),
    "SecretStr": Schema("string"),
    "bytes": Schema("string", format="binary"),
    "UploadFile": Schema("file"),
}
_LISTS = {"list", "List", "Sequence", "set", "Set", "frozenset", "Iterable", "tuple", "Tuple"}


def parse_fields(notation: Any) -> Schema:
    """Read the fields of a model from a text, an object of name and type, or a list of texts.

    What cannot be read is ``unknown`` and says why; one unreadable field leaves the others readable.
    """
    if isinstance(notation, str):
        return _fields(notation)
    if isinstance(notation, dict):
        members = [
            _field(f"{name}: {kind}" if isinstance(kind, str) else "", name, kind)
            for name, kind in mapping(notation).items()
        ]
        return Schema("object", fields=tuple(members))
    parts = [
        _fields(part) if isinstance(part, str) else unknown("a field that is no text") for part in sequence(notation)
    ]
    if not parts or any(part.kind != "object" for part in parts):
        return unknown("fields are written as a text, an object or a list of texts")
    return Schema("object", fields=tuple(entry for part in parts for entry in part.fields))


def parse_python_type(notation: str) -> Schema:
    """Read one Python-like type; what cannot be read is ``unknown``."""
    try:
        tokens = Tokens(notation)
        schema = _constrained(tokens)
        tokens.finish()
    except NotationError as error:
        return unknown(str(error))
    return schema


def _field(notation: str, name: str, kind: Any) -> Field:
    if not isinstance(kind, str):
        return Field(name, unknown("a type that is no text"))
    parsed = _fields(notation) if name.isidentifier() else unknown("a field name that is no identifier")
    if parsed.kind == "object" and len(parsed.fields) == 1:
        return parsed.fields[0]
    return Field(name, parse_python_type(kind))


def _fields(notation: str) -> Schema:
    try:
        tokens = Tokens(notation.strip().removeprefix("{").removesuffix("}"))
        return Schema("object", fields=tuple(_members(tokens)))
    except NotationError as error:
        return unknown(str(error))


def _members(tokens: Tokens) -> Iterator[Field]:
    while tokens.peek().kind != "end":
        if tokens.accept(",") or tokens.accept(";"):
            continue
        name = tokens.take()
        if name.kind not in {"name", "string"}:
            raise NotationError(f"a field name expected, {name.text[:40]!r} found")
        optional = tokens.accept("?")
        tokens.expect(":")
        schema = _constrained(tokens)
        default = tokens.accept("=")
        if default:
            schema = _default(tokens, schema)
        bare = name.text.strip("'\"")
        # Optional[...] in this shorthand means "may be left out" when sent, and is serialised as null when answered.
        yield Field(bare, schema, required=not (optional or default or schema.nullable), always=not optional)


def _default(tokens: Tokens, schema: Schema) -> Schema:
    token = tokens.take()
    if token.text == "Field" and tokens.peek().text == "(":
        low, high = limits(tokens.parenthesis())
        return replace(schema, low=low, high=high)
    if token.text in {"[", "{", "("}:
        while tokens.peek().kind != "end" and tokens.take().text not in {"]", "}", ")"}:
            pass
    elif tokens.peek().text == "(":
        tokens.parenthesis()
    return schema


def _constrained(tokens: Tokens) -> Schema:
    schema = _union(tokens)
    while tokens.peek().text == "(":
        words = tokens.parenthesis()
        low, high = limits(words)
        schema = replace(
            schema,
            low=low if low is not None else schema.low,
            high=high if high is not None else schema.high,
            nullable=schema.nullable or "nullable" in words.lower().split() or words.lower() == "optional",
        )
    return schema


def _union(tokens: Tokens) -> Schema:
    tokens.enter()
    members = [_primary(tokens)]
    while tokens.accept("|"):
        members.append(_primary(tokens))
    tokens.leave()
    return join(members)


def _primary(tokens: Tokens) -> Schema:
    token = tokens.take()
    if token.kind == "string":
        return Schema("reference", reference=token.text[1:-1])
    if token.kind != "name":
        raise NotationError(f"a type expected, {token.text[:40] or 'the end'!r} found")
    name = token.text.rsplit(".", 1)[-1]
    if tokens.accept("["):
        return _subscript(name, tokens)
    if name in {"constr", "conint", "confloat", "conlist"} and tokens.peek().text == "(":
        low, high = limits(tokens.parenthesis())
        kinds = {"constr": "string", "conint": "integer", "confloat": "number"}
        plain = _PLAIN.get(kinds.get(name, ""), Schema("array"))
        return replace(plain, low=low, high=high)
    plain = _PLAIN.get(name)
    if plain is None and tokens.peek().text == "[" and tokens.peek(1).text == "]":
        tokens.take()
        tokens.take()
    return plain or Schema("reference", reference=name)


def _subscript(name: str, tokens: Tokens) -> Schema:
    if tokens.accept("]"):  # str[] is a list of str
        return Schema("array", items=_PLAIN.get(name) or Schema("reference", reference=name))
    if name == "Literal":
        return _literal(tokens)
    arguments = [_union(tokens)]
    while tokens.accept(","):
        if tokens.peek().text in {".", "("}:
            raise NotationError(f"arguments of {name} that cannot be read")
        arguments.append(_field_call(tokens) or _union(tokens))
    tokens.expect("]")
    first = arguments[0]
    if name == "Optional":
        return replace(first, nullable=True)
    if name == "Union":
        return join(arguments)
    if name in _LISTS:
        return Schema("array", items=first)
    if name in {"dict", "Dict", "Mapping"} and len(arguments) == 2:
        return Schema("object", items=arguments[1])
    if name == "Annotated":
        extra = arguments[-1]
        return replace(first, low=extra.low, high=extra.high)
    return unknown(f"the generic type {name}")


def _field_call(tokens: Tokens) -> Schema | None:
    if tokens.peek().kind == "name" and tokens.peek(1).text == "(":
        tokens.take()
        low, high = limits(tokens.parenthesis())
        return Schema("any", low=low, high=high)
    return None


def _literal(tokens: Tokens) -> Schema:
    members = list[Schema]()
    while not tokens.accept("]"):
        if tokens.accept(","):
            continue
        token = tokens.take()
        if token.kind == "string":
            members.append(Schema("string", enum=(json.dumps(token.text[1:-1], ensure_ascii=False),)))
        elif token.kind == "number":
            members.append(Schema("integer", enum=(token.text,)))
        elif token.text in {"True", "False"}:
            members.append(Schema("boolean", enum=(token.text.lower(),)))
        elif token.text == "None":
            members.append(_PLAIN["None"])
        else:
            raise NotationError("a Literal that cannot be read")
    if not members:
        raise NotationError("an empty Literal")
    return join(members)
