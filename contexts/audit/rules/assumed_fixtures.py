"""Fixtures: test data that the provider's own types refuse."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import track
from contexts.audit.source_document import SourceDocument, moment
from contexts.contracts.compatibility import resolve_name, spell
from contexts.contracts.model import Schema
from contexts.contracts.patterns import matches
from contexts.documents.findings import Doubt, Source
from contexts.json.values import Path, sequence
from contexts.text.plural import counted

_NEGATIVE = re.compile(
    r"invalid|bad|wrong|malformed|negative|error|broken|reject|fail|unhappy|corrupt|attack", re.IGNORECASE
)


_FIXTURES = re.compile(r"fixture|test_data|test_users|testdata|seed|sample|mock|example_data|test_", re.IGNORECASE)


@claim_rule(
    "assumptions/fixture",
    "warning",
    "A fixture holds a value that the provider's type refuses.",
    example=(
        track(
            "api",
            implementation_details={
                "endpoints": {"GET /items/{id}": {"response_model": "Item"}},
                "schemas": {"Item": {"fields": "id: UUID, name: str"}},
            },
        ),
        track("e2e", test_data={"items": [{"id": "item-1", "name": "Lamp"}]}),
    ),
    clean=(
        track(
            "api",
            implementation_details={
                "endpoints": {"GET /items/{id}": {"response_model": "Item"}},
                "schemas": {"Item": {"fields": "id: UUID, name: str"}},
            },
        ),
        track("e2e", test_data={"items": [{"id": "8f14e45f-ceea-467f-9f3b-2d1b7a1c9a10", "name": "Lamp"}]}),
    ),
)
def fixture(documents: DocumentSet) -> Iterator[Doubt]:
    """Match each record of test data with the provider's schema it shares most members with, and try its values."""
    shapes = [
        (c.document, name, resolve_name(s, c.definitions))
        for c in documents.providers
        for name, s in c.definitions.items()
    ]
    shapes = [(d, name, shape) for d, name, shape in shapes if shape.kind == "object" and len(shape.fields) >= 2]
    if not shapes:
        return
    # Of shapes with the same members the first is as like as any: many tracks may answer the same.
    by_field: dict[str, dict[frozenset[str], tuple[str, str, Schema]]] = {}
    uses = Counter[str]()
    for item in shapes:
        names = [entry.name for entry in item[2].fields]
        uses.update(names)
        for name in names:
            by_field.setdefault(name, {}).setdefault(frozenset(names), item)
    groups: dict[tuple[str, str, str, str], list[tuple[Path, str]]] = {}
    places: dict[tuple[str, str, str, str], SourceDocument] = {}
    for document in documents.tracks:
        for path, record in document.objects_with(by_field.__contains__):
            if not _is_fixture(path, record):
                continue
            rarest = min(record.keys() & by_field.keys(), key=lambda key: (uses[key], key))
            provider, name, shape = max(by_field[rarest].values(), key=lambda item: _likeness(record, item[2]))
            if _likeness(record, shape) < 0.5:
                continue
            for entry in shape.fields:
                for inner, why in _refused(record.get(entry.name), entry.schema) if entry.name in record else ():
                    key = (document.name, provider, name, entry.name)
                    groups.setdefault(key, []).append(((*path, entry.name, *inner), why))
                    places[key] = document
    for key, members in groups.items():
        document = places[key]
        _, provider, name, entry = key
        yield doubt(
            "assumptions/fixture",
            f"{entry} of {counted(len(members), 'fixture')} is refused by {name}: {members[0][1]}",
            (*(document.source(path) for path, _ in members), _definition(documents.by_name[provider], name)),
        )


def _definition(document: SourceDocument, name: str) -> Source:
    short = name.rsplit("/", 1)[-1]
    path = next(
        (
            p
            for p, _ in document.values
            if p and p[-1] == short and len(p) > 1 and p[-2] in {"schemas", "models", "types"}
        ),
        ("task_id",),
    )
    return document.source(path)


def _is_fixture(path: Path, record: Mapping[str, object]) -> bool:
    keys = " ".join(part for part in path if isinstance(part, str))
    return (
        bool(_FIXTURES.search(keys))
        and len(record) >= 2
        and not _NEGATIVE.search(keys)
        and not record.keys() & {"expected_error", "valid"}
    )


def _likeness(record: Mapping[str, object], shape: Schema) -> float:
    names = {entry.name for entry in shape.fields}
    shared = len(record.keys() & names)
    return (shared / len(record) + shared / len(names)) / 2 if shared >= 2 and shared / len(record) >= 0.6 else 0.0


def _refused(value: Any, schema: Schema) -> Iterator[tuple[Path, str]]:
    """Yield where below a value its type refuses it, and why."""
    if schema.kind in {"any", "unknown", "reference", "union", "file"}:
        return
    if value is None:
        if not schema.nullable:
            yield (), "null where the type is not nullable"
        return
    actual = _kind(value)
    if actual != schema.kind and not (actual == "integer" and schema.kind == "number"):
        yield (), f"{actual} where {spell(schema)} is needed"
    elif schema.enum and isinstance(value, str) and json.dumps(value, ensure_ascii=False) not in schema.enum:
        yield (), f"{value[:60]!r} is none of {', '.join(schema.enum[:7])}"
    elif isinstance(value, str):
        if why := _refused_text(value, schema):
            yield (), why
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if why := _outside(float(value), schema, ""):
            yield (), why
    elif actual == "array":
        if why := _outside(float(len(sequence(value))), schema, " elements"):
            yield (), why
        for index, item in enumerate(sequence(value) if schema.items else ()):
            yield from (((index, *inner), why) for inner, why in _refused(item, schema.items or schema))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = (("string", str), ("integer", int), ("number", float), ("array", list), ("object", dict))
    return next((name for name, kind in kinds if isinstance(value, kind)), "")


def _refused_text(value: str, schema: Schema) -> str:
    if schema.format == "uuid" and not _is_uuid(value):
        return f"{value[:60]!r} is no UUID"
    if schema.format == "email" and not re.fullmatch(
        r"[^@\s]{1,64}@[^@\s.]{1,63}(?:\.[^@\s.]{1,63}){1,8}", value[:320]
    ):
        return f"{value[:60]!r} is no e-mail address"
    if schema.format in {"date-time", "date"} and moment(value) is None:
        return f"{value[:60]!r} is no {schema.format}"
    if schema.pattern and not matches(schema.pattern, value):
        return f"{value[:60]!r} does not match {schema.pattern[:60]}"
    return _outside(float(len(value)), schema, " characters")


def _outside(size: float, schema: Schema, unit: str) -> str:
    if schema.high is not None and size > schema.high:
        return f"{size:g}{unit}, and {schema.high:g} is the most"
    if schema.low is not None and size < schema.low:
        return f"{size:g}{unit}, and {schema.low:g} is the least"
    return ""


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True
