"""Identifiers, relative paths and keys: everything that becomes a file name, a branch or an object key."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath

from contexts.errors import BadIdentifier

_ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_ID = 64


@lru_cache(maxsize=1024)  # the same few ids are checked at every border
def is_id(value: str) -> bool:
    """Say whether a string is an id."""
    return len(value) <= MAX_ID and _ID.match(value) is not None and not value.endswith(".lock")


def check_id(value: str, what: str = "id") -> str:
    """Return a valid id unchanged.

    Raises:
        BadIdentifier: Not ``[a-z0-9]+([._-][a-z0-9]+)*``, longer than 64 characters, or ending in ``.lock``.
    """
    if not is_id(value):
        shown = _CONTROL.sub("?", value[:80])
        raise BadIdentifier(
            f"{what} {shown!r} is not usable: lower-case letters, digits and single '.', '_' or '-' between them, "
            f"at most {MAX_ID} characters, not ending in .lock",
            value=value[:200],
        )
    return value


def check_relative_path(value: str) -> str:
    """Return a relative path that stays inside its root, unchanged.

    Raises:
        BadIdentifier: Empty, absolute, with ``..``, backslashes, NUL or control characters.
    """
    shown = _CONTROL.sub("?", value[:200])
    if not value or _CONTROL.search(value) or "\\" in value:
        raise BadIdentifier(f"path {shown!r} is empty or holds control characters or backslashes", value=value[:200])
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", value):
        raise BadIdentifier(f"path {shown!r} must be relative and stay inside its folder", value=value[:200])
    return value


def is_key(key: str) -> bool:
    """Say whether a string is an object key."""
    return len(key) <= 900 and all(_SEGMENT.match(segment) for segment in key.split("/"))


def check_key(key: str) -> str:
    """Return an object key unchanged.

    Raises:
        BadIdentifier: A segment is empty, begins with a dot, or holds anything but letters, digits and ``._-``.
    """
    if not is_key(key):
        raise BadIdentifier(f"store key {_CONTROL.sub('?', key[:120])!r} is not a plain relative key", value=key[:200])
    return key
