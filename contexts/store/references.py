"""Find and replace the references that documents of any shape hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.refs import BlobRef, ContextRef

_FIELDS = {"sha256", "size", "media_type"}
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def _as_blob(value: Mapping[str, Any]) -> BlobRef | None:
    if set(value) != _FIELDS or not isinstance(value["sha256"], str) or not _SHA256.match(value["sha256"]):
        return None
    size, media_type = value["size"], value["media_type"]
    if type(size) is not int or not isinstance(media_type, str):
        return None
    return BlobRef(sha256=value["sha256"], size=size, media_type=media_type)


def _as_document(value: Mapping[str, Any]) -> ContextRef | None:
    if set(value) != set(ContextRef.model_fields):
        return None
    try:
        return ContextRef.model_validate(value, strict=True)
    except ValidationError:
        # An object that happens to have these keys, with other things in them.
        return None


def objects_in(value: Any) -> Iterator[JsonObject]:
    """Yield every object in a JSON value, the outer ones first."""
    pending: list[Any] = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node  # pyright: ignore[reportUnknownVariableType] JSON of unknown shape
            pending.extend(node.values())  # pyright: ignore[reportUnknownArgumentType] same
        elif isinstance(node, list):
            pending.extend(node)  # pyright: ignore[reportUnknownArgumentType] same


def blobs_in(value: Any) -> tuple[BlobRef, ...]:
    """Return every distinct blob a value refers to."""
    refs = (_as_blob(node) for node in objects_in(value))
    return tuple({ref.sha256: ref for ref in refs if ref}.values())


def documents_in(value: Any) -> tuple[ContextRef, ...]:
    """Return every distinct document revision a value refers to."""
    refs = (_as_document(node) for node in objects_in(value))
    return tuple({str(ref): ref for ref in refs if ref}.values())


def replace_blobs(value: Any, by: Mapping[str, BlobRef]) -> Any:
    """Return a value with references replaced, by the digest they had."""
    if isinstance(value, dict):
        ref = _as_blob(value)  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
        if ref:
            return by.get(ref.sha256, ref).model_dump()
        return {key: replace_blobs(item, by) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType] same
    if isinstance(value, list):
        return [replace_blobs(item, by) for item in value]  # pyright: ignore[reportUnknownVariableType] same
    return value
