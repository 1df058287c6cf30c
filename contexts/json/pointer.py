"""JSON Pointers (RFC 6901): where in a JSON value something is."""

from __future__ import annotations

from typing import Any

from jsonpointer import EndOfList, JsonPointer, JsonPointerException, escape, unescape


def pointer(*parts: str | int) -> str:
    """Return the pointer of a path of keys and indexes; the empty path is the whole value."""
    return "".join(f"/{escape(str(part))}" for part in parts)


def resolve(value: Any, where: str) -> Any:
    """Return the value a pointer leads to.

    Raises:
        KeyError: It leads nowhere, or is no pointer.
    """
    try:
        found: Any = JsonPointer(where).resolve(value)
    except JsonPointerException as error:
        raise KeyError(where) from error
    if isinstance(found, EndOfList):
        raise KeyError(where)
    return found


def last_part(where: str) -> str:
    """Return the key or index a pointer ends with."""
    return unescape(where.rpartition("/")[2])
