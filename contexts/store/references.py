"""Find and replace the references that documents of any shape hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from contexts.documents.refs import BlobRef, ContextRef
from contexts.json.values import is_list, is_object

_FIELDS = {"sha256", "size", "media_type"}
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def _as_blob(value: Mapping[str, object]) -> BlobRef | None:
    if set(value) != _FIELDS:
        return None
    digest, size, media_type = value["sha256"], value["size"], value["media_type"]
    if not isinstance(digest, str) or not _SHA256.match(digest):
        return None
    if type(size) is not int or not isinstance(media_type, str):
        return None
    return BlobRef(sha256=digest, size=size, media_type=media_type)


def _as_document(value: Mapping[str, object]) -> ContextRef | None:
    if set(value) != set(ContextRef.model_fields):
        return None
    try:
        return ContextRef.model_validate(value, strict=True)
    except ValidationError:
        # An object that happens to have these keys, with other things in them.
        return None


def objects_in(value: Any) -> Iterator[Mapping[str, object]]:
    """Yield every object in a JSON value, the outer ones first."""
    pending: list[Any] = [value]
    while pending:
        node = pending.pop()
        if is_object(node):
            yield node
            pending.extend(node.values())
        elif is_list(node):
            pending.extend(node)


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
    if is_object(value):
        ref = _as_blob(value)
        if ref:
            return by.get(ref.sha256, ref).model_dump()
        return {key: replace_blobs(item, by) for key, item in value.items()}
    if is_list(value):
        return [replace_blobs(item, by) for item in value]
    return value
