"""Protobuf: what descriptors say as operations and JSON schemas, and two sides compared by field number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from contexts.documents.base import JsonObject
from contexts.documents.findings import Finding, Source
from tasks.checks.contract_files.named import Named
from tasks.checks.contract_files.openapi_files import UNREAD_PART

_SCALARS: Mapping[str, JsonObject] = {
    "double": {"type": "number"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "bytes": {"type": "string"},
    **{name: {"type": "integer"} for name in ("int32", "uint32", "sint32", "fixed32", "sfixed32")},
    **{name: {"type": "string"} for name in ("int64", "uint64", "sint64", "fixed64", "sfixed64")},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Empty": {"type": "object"},
}
"""How JSON carries what is no message of the file itself; 64 bits are a text there."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Field(_Model):
    """A field; ``key`` is its name in JSON."""

    name: str
    key: str
    type: str
    line: int | None
    repeated: bool
    required: bool

    @property
    def shown(self) -> str:
        """The type as it is written."""
        return ("repeated " if self.repeated else "") + self.type


class _Message(_Model):
    fields: dict[str, _Field]
    line: int | None


class _Method(_Model):
    sent: str
    answered: str
    streams: tuple[bool, bool]


class Descriptors(_Model):
    """What one .proto file and its imports say.

    Attributes:
        messages: By full name.
        enums: By full name the names of values by number.
        services: By ``package.Service/Method``, of the file itself.
    """

    messages: dict[str, _Message]
    enums: dict[str, dict[str, str]]
    services: dict[str, _Method]


@dataclass(frozen=True, slots=True)
class ProtoFile:
    """A .proto file that a track names, and what it says."""

    named: Named
    told: Descriptors


def as_contract(file: ProtoFile, *, shapes: bool) -> tuple[JsonObject, list[str]]:
    """Return a file's methods as operations, its messages as the JSON that carries them, and what has none.

    Args:
        file: The file.
        shapes: Whether what is sent and answered is said; a consumer's .proto is compared by field number instead.
    """
    parts: list[str] = []
    operations: list[JsonObject] = []
    for name, one in file.told.services.items():
        operation: JsonObject = {"operation": name}
        if shapes:
            operation |= {
                "request": _schema(one.sent, file.told, parts),
                "message": _schema(one.answered, file.told, parts),
            }
        operations.append(operation)
    schemas = {name: _object(one, file.told, parts) for name, one in file.told.messages.items()} if shapes else {}
    return {"operations": operations, "schemas": schemas}, list(dict.fromkeys(parts))


def _object(message: _Message, told: Descriptors, parts: list[str]) -> JsonObject:
    properties: JsonObject = {}
    for field in message.fields.values():
        schema = _schema(field.type, told, parts)
        properties[field.key] = {"type": "array", "items": schema} if field.repeated else schema
    needed = [field.key for field in message.fields.values() if field.required]
    return {"type": "object", "properties": properties, **({"required": needed} if needed else {})}


def _schema(kind: str, told: Descriptors, parts: list[str]) -> JsonObject:
    if kind in told.messages:
        return {"$ref": f"#/schemas/{kind}"}
    if kind in told.enums:
        return {"type": "string", "enum": list(told.enums[kind].values())}
    if kind.startswith("map<"):
        return {"type": "object", "additionalProperties": _schema(kind[4:-1].partition(", ")[2], told, parts)}
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    parts.append(kind)
    return {UNREAD_PART: kind}


def unprovided(file: ProtoFile, files: Sequence[ProtoFile]) -> str | None:
    """Return why a consumer's file cannot be compared, if no other track provides one."""
    if _providers(file, files):
        return None
    return "no other track hands in a .proto file under provides, so there is nothing to compare it with"


def _providers(file: ProtoFile, files: Sequence[ProtoFile]) -> list[ProtoFile]:
    return [one for one in files if one.named.side == "provides" and one.named.track != file.named.track]


_Rule = Literal["contracts/field", "contracts/type"]


def compare_protobuf(files: Sequence[ProtoFile]) -> list[Finding]:
    """Return where consumers' files say another thing of a message, by field number, than the providers' do."""
    found: dict[str, Finding] = {}
    for file in files:
        providers = _providers(file, files)
        if file.named.side != "assumes" or not providers:
            continue
        for rule, message, line, other in _mismatches(file, providers):
            place = f"{file.named.path} line {line}" if line else file.named.path
            sources: tuple[Source, ...] = (file.named.source, *((other.named.source,) if other else ()))
            said = f"{place}: {message}" + (f" ({other.named.path})" if other else "")
            found.setdefault(said, Finding(rule=rule, severity="blocking", message=said, sources=sources))
    return list(found.values())


def _mismatches(
    file: ProtoFile, providers: Sequence[ProtoFile]
) -> Iterator[tuple[_Rule, str, int | None, ProtoFile | None]]:
    for name, message in file.told.messages.items():
        other = next((one for one in providers if name in one.told.messages), None)
        if other is None:
            yield "contracts/field", f"no provider's .proto has the message {name}", message.line, None
            continue
        theirs = other.told.messages[name]
        for number, field in message.fields.items():
            for rule, said in _field(name, number, field, theirs.fields.get(number)):
                yield rule, said, field.line, other
        for number, field in theirs.fields.items():
            if field.required and number not in message.fields:
                said = f"field {number} of {name}, {field.name}, is required by the provider and not known here"
                yield "contracts/field", said, message.line, other
    for name, values in file.told.enums.items():
        other = next((one for one in providers if name in one.told.enums), None)
        if other is None:
            yield "contracts/field", f"no provider's .proto has the enum {name}", None, None
            continue
        theirs = other.told.enums[name]
        for number in dict.fromkeys([*values, *theirs]):
            if values.get(number) != theirs.get(number):
                here, there = values.get(number, "nothing"), theirs.get(number, "nothing")
                yield (
                    "contracts/type",
                    f"value {number} of {name} is {here} here and {there} at the provider",
                    None,
                    other,
                )


def _field(message: str, number: str, mine: _Field, theirs: _Field | None) -> Iterator[tuple[_Rule, str]]:
    if theirs is None:
        yield "contracts/field", f"field {number} of {message}, {mine.name}, is unknown to the provider"
        return
    if mine.name != theirs.name:
        said = f"field {number} of {message} is {mine.name} here and {theirs.name} at the provider"
        yield "contracts/field", said
    if mine.shown != theirs.shown:
        said = f"field {number} of {message}, {mine.name}, is {mine.shown} here and {theirs.shown} at the provider"
        yield "contracts/type", said


def parse_descriptors(value: Any) -> Descriptors:
    """Return what the reading program printed.

    Raises:
        ValidationError: It is of another form.
    """
    return Descriptors.model_validate(value)
