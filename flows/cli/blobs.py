"""Find and replace the blob references in documents of any shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from contexts.model.refs import BlobRef

_FIELDS = {"sha256", "size", "media_type"}
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def _as_blob(value: Mapping[str, Any]) -> BlobRef | None:
    if value.keys() != _FIELDS or not isinstance(value["sha256"], str) or not _SHA256.match(value["sha256"]):
        return None
    size, media_type = value["size"], value["media_type"]
    if type(size) is not int or not isinstance(media_type, str):
        return None
    return BlobRef(sha256=value["sha256"], size=size, media_type=media_type)


def blobs_in(value: Any) -> tuple[BlobRef, ...]:
    """Return every distinct blob a value refers to, in the order met."""
    found: dict[str, BlobRef] = {}
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            ref = _as_blob(node)  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
            if ref:
                found.setdefault(ref.sha256, ref)
            else:
                pending.extend(node.values())  # pyright: ignore[reportUnknownArgumentType] same
        elif isinstance(node, Iterable) and not isinstance(node, str | bytes):
            pending.extend(node)  # pyright: ignore[reportUnknownArgumentType] same
    return tuple(found.values())


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
