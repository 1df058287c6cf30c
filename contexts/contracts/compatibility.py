"""Whether a value of one shape can be read as, or sent to, another: the type rules behind the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from contexts.contracts.model import Field, Schema, unknown

Direction = Literal["receive", "send"]
_STRINGS = {"string", "file"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two shapes: its kind, the dotted member name and a sentence."""

    kind: str
    field: str
    message: str


@dataclass(frozen=True)
class _Sides:
    consumer: Mapping[str, Schema]
    provider: Mapping[str, Schema]
    direction: Direction
    seen: set[tuple[str, str, str]]


def receive(
    mine: Schema, theirs: Schema, my_names: Mapping[str, Schema], their_names: Mapping[str, Schema]
) -> Iterator[Difference]:
    """Yield why a consumer that expects ``mine`` cannot read what a provider answers as ``theirs``."""
    yield from _compare(mine, theirs, "", _Sides(my_names, their_names, "receive", set()))


def send(
    mine: Schema, theirs: Schema, my_names: Mapping[str, Schema], their_names: Mapping[str, Schema]
) -> Iterator[Difference]:
    """Yield why a provider that takes ``theirs`` refuses what a consumer sends as ``mine``."""
    yield from _compare(mine, theirs, "", _Sides(my_names, their_names, "send", set()))


def resolve_name(schema: Schema, names: Mapping[str, Schema]) -> Schema:
    """Follow references by name; a name that leads nowhere, or only to itself, is unknown."""
    seen = set[str]()
    nullable = schema.nullable
    while schema.kind == "reference":
        if schema.reference in seen or schema.reference not in names:
            return unknown(f"{schema.reference[:80]!r} is described nowhere")
        seen.add(schema.reference)
        schema = names[schema.reference]
        nullable = nullable or schema.nullable
    if nullable and not schema.nullable:
        return replace(schema, nullable=True)
    return schema


def _compare(mine: Schema, theirs: Schema, name: str, sides: _Sides) -> Iterator[Difference]:
    if mine.kind == "reference" or theirs.kind == "reference":
        pair = (mine.reference, theirs.reference, name if not (mine.reference and theirs.reference) else "")
        if pair in sides.seen or name.count(".") > 20:
            return
        sides.seen.add(pair)
    mine, theirs = resolve_name(mine, sides.consumer), resolve_name(theirs, sides.provider)
    shown = name or "the body"
    for side, who in ((mine, "consumer"), (theirs, "provider")):
        if side.kind == "unknown":
            yield Difference("unknown", name, f"{shown} is not readable on the {who}'s side: {side.why}")
            return
    source, target = (theirs, mine) if sides.direction == "receive" else (mine, theirs)
    if "any" in (source.kind, target.kind):
        return
    if source.nullable and not target.nullable:
        yield _null(name, shown, sides)
    if source.kind == "null" or target.kind == "null":
        if target.kind == "null" and source.kind != "null" and target.why != "undefined":
            yield _type(name, shown, mine, theirs)
        return
    yield from _solid(mine, theirs, source, target, name, sides=sides)


def _solid(
    mine: Schema, theirs: Schema, source: Schema, target: Schema, name: str, *, sides: _Sides
) -> Iterator[Difference]:
    shown = name or "the body"
    if source.kind == "union" or target.kind == "union":
        yield from _union(mine, theirs, source, target, name, sides=sides)
        return
    if not fits(source.kind, target.kind) and not (source.kind == "number" and source.why and target.kind == "integer"):
        yield _type(name, shown, mine, theirs)
        return
    yield from _scalars(source, target, name, shown, sides)
    if source.kind == "object":
        yield from _members(mine, theirs, name, sides)
    elif source.kind == "array" and mine.items and theirs.items:
        yield from _compare(mine.items, theirs.items, f"{name}[]", sides)


def fits(source: str, target: str) -> bool:
    """Tell whether a value of one kind is one of another: an integer is a number, a file travels as a string."""
    return source == target or (source == "integer" and target == "number") or {source, target} == _STRINGS


def _null(name: str, shown: str, sides: _Sides) -> Difference:
    if sides.direction == "receive":
        return Difference(
            "nullability", name, f"{shown} may be null in the answer, and the consumer does not expect null"
        )
    return Difference("nullability", name, f"{shown} may be sent as null, which the provider refuses")


def _type(name: str, shown: str, mine: Schema, theirs: Schema) -> Difference:
    return Difference("type", name, f"{shown} is {spell(mine)} for the consumer and {spell(theirs)} for the provider")


def spell(schema: Schema) -> str:
    """Name a shape in a few words."""
    base = schema.format if schema.format and schema.kind == "string" else schema.kind
    if schema.kind == "union":
        base = " | ".join(spell(variant) for variant in schema.variants[:4])
    if schema.kind == "array" and schema.items:
        base = f"array of {spell(schema.items)}"
    return f"{base} or null" if schema.nullable and schema.kind != "null" else base


def _union(
    mine: Schema, theirs: Schema, source: Schema, target: Schema, name: str, *, sides: _Sides
) -> Iterator[Difference]:
    """Every alternative the sender may use must fit one the receiver takes."""
    source_names, target_names = (
        (sides.provider, sides.consumer) if sides.direction == "receive" else (sides.consumer, sides.provider)
    )
    sources = [resolve_name(one, source_names) for one in (source.variants if source.kind == "union" else (source,))]
    targets = [resolve_name(one, target_names) for one in (target.variants if target.kind == "union" else (target,))]
    for option in sources:
        tagged = _tagged(option, targets)
        if tagged is not None:
            words, accepted = tagged
            if accepted is None:
                receiver = "consumer" if sides.direction == "receive" else "provider"
                message = f"{name or 'the body'} may be the variant with {words}, which the {receiver} does not know"
                yield Difference("type", name, message)
                continue
            pair = (accepted, option) if sides.direction == "receive" else (option, accepted)
            for one in _compare(*pair, name, sides):
                yield replace(one, message=f"in the variant with {words}, {one.message}")
            continue
        for accepted in targets:
            pair = (accepted, option) if sides.direction == "receive" else (option, accepted)
            trial = _Sides(sides.consumer, sides.provider, sides.direction, set(sides.seen))
            kinds = {difference.kind for difference in _compare(*pair, name, trial)}
            if not kinds - {"unknown", "optional-missing", "extra-ignored", "open-enum", "null-for-absent"}:
                if "unknown" in kinds:
                    yield Difference("unknown", name, f"{name or 'the body'}: an alternative could not be read")
                break
        else:
            yield _type(name, name or "the body", mine, theirs)
            return


def _tagged(option: Schema, targets: Sequence[Schema]) -> tuple[str, Schema | None] | None:
    """Return what tells a variant from the others, in words, and the one of the other side that has the same.

    A variant is told by a member that has one value only. None where nothing tells it, or the other side tells its own
    by nothing of that name.
    """
    for tag, value in _tags(option).items():
        theirs = [(_tags(one).get(tag), one) for one in targets if one.kind == "object"]
        if len(theirs) == len(targets) and all(other is not None for other, _ in theirs):
            return f"{tag} {value}", next((one for other, one in theirs if other == value), None)
    return None


def _tags(schema: Schema) -> dict[str, str]:
    return {
        one.name: one.schema.enum[0]
        for one in schema.fields
        if one.schema.enum is not None and len(one.schema.enum) == 1
    }


def _scalars(source: Schema, target: Schema, name: str, shown: str, sides: _Sides) -> Iterator[Difference]:
    sender, receiver = ("provider", "consumer") if sides.direction == "receive" else ("consumer", "provider")
    if target.enum is not None:
        if source.enum is None:
            yield Difference(
                "open-enum",
                name,
                f"{shown} is one of {', '.join(target.enum[:8])} for the {receiver}, anything for the {sender}",
            )
        elif extra := [value for value in source.enum if value not in target.enum]:
            yield Difference("enum", name, f"{shown} may be {', '.join(extra[:8])}, which the {receiver} does not know")
    if source.format and target.format and source.format != target.format and source.kind == "string":
        yield Difference(
            "format", name, f"{shown} is {source.format} for the {sender} and {target.format} for the {receiver}"
        )
    if sides.direction == "send":
        if source.high is not None and target.high is not None and source.high > target.high:
            yield Difference(
                "limit", name, f"{shown} may reach {source.high:g}, and the provider takes {target.high:g} at most"
            )
        if source.low is not None and target.low is not None and source.low < target.low:
            yield Difference(
                "limit",
                name,
                f"{shown} may be as low as {source.low:g}, and the provider takes {target.low:g} at least",
            )


def _members(mine: Schema, theirs: Schema, name: str, sides: _Sides) -> Iterator[Difference]:
    my_fields = {entry.name: entry for entry in mine.fields}
    their_fields = {entry.name: entry for entry in theirs.fields}
    if mine.items and theirs.items:
        yield from _compare(mine.items, theirs.items, f"{name}.*", sides)
    if not my_fields or not their_fields:
        return  # "some object": nothing is said about members
    prefix = f"{name}." if name else ""
    if sides.direction == "receive":
        for entry in mine.fields:
            yield from _read_member(entry, their_fields.get(entry.name), prefix + entry.name, sides)
        return
    for entry in theirs.fields:
        sent = my_fields.get(entry.name)
        if sent is None and entry.required:
            yield Difference(
                "missing-request-field",
                prefix + entry.name,
                f"{prefix}{entry.name} is required by the provider and not sent",
            )
        elif sent is not None:
            if entry.required and not sent.always:
                yield Difference(
                    "optionality",
                    prefix + entry.name,
                    f"{prefix}{entry.name} may be left out, and the provider requires it",
                )
            yield from _compare(sent.schema, entry.schema, prefix + entry.name, sides)
    for entry in mine.fields:
        if entry.name not in their_fields and theirs.items is None:
            kind = "extra-request-field" if theirs.closed else "extra-ignored"
            yield Difference(
                kind, prefix + entry.name, f"{prefix}{entry.name} is sent, and the provider does not know it"
            )


def _read_member(entry: Field, offered: Field | None, name: str, sides: _Sides) -> Iterator[Difference]:
    if offered is None:
        if entry.required:
            yield Difference("missing-field", name, f"{name} is expected, and the provider does not answer it")
        else:
            yield Difference(
                "optional-missing", name, f"{name} is read where present, and the provider never answers it"
            )
        return
    if entry.required and not (offered.always or offered.default):
        if _may_be_null(entry.schema, sides.consumer) and _may_be_null(offered.schema, sides.provider):
            message = f"{name} is expected as null where there is none, and the provider may leave it out"
            yield Difference("null-for-absent", name, message)
        else:
            yield Difference("optionality", name, f"{name} is always expected, and the provider may leave it out")
    for difference in _compare(entry.schema, offered.schema, name, sides):
        if difference.kind == "nullability" and difference.field == name and not entry.required:
            yield Difference(
                "null-for-absent", name, f"{name} is optional for the consumer, and the provider answers null for it"
            )
        else:
            yield difference


def _may_be_null(schema: Schema, names: Mapping[str, Schema]) -> bool:
    return resolve_name(schema, names).nullable
