"""What a model's docstring says of its fields, and the JSON Schema of a model with these words in it."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from contexts.documents.base import JsonObject


def attributes_of(model: type[BaseModel]) -> dict[str, str]:
    """Return the lines under ``Attributes:`` of a model and what it inherits from, by field."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if not issubclass(owner, BaseModel) or "Attributes:" not in (owner.__doc__ or ""):
            continue
        body = inspect.cleandoc(owner.__doc__ or "").split("Attributes:\n", 1)[1]
        for entry in re.split(r"\n(?=    \S)", body):
            name, _, text = entry.strip().partition(": ")
            found[name] = " ".join(text.split())
    return found


def described_schema(model: type[BaseModel]) -> JsonObject:
    """Return a model's JSON Schema in which every field says what it is, for prompts and tools."""
    schema: JsonObject = model.model_json_schema(mode="validation")
    for one in {model, *models_in(model)}:
        place: JsonObject = schema if one is model else schema["$defs"].get(one.__name__, {})
        if not place:
            continue
        summary = inspect.cleandoc(one.__doc__ or "").split("\n\n")[0]
        place["description"] = _plain(summary)
        for name, words in attributes_of(one).items():
            if name in place.get("properties", {}):
                place["properties"][name]["description"] = _plain(words)
    return schema


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the models that a model's fields lead to, as they are met, some of them again and again."""
    for field in model.model_fields.values():
        for inner in _inner(field.annotation):
            yield inner
            yield from models_in(inner)


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _inner(argument)
