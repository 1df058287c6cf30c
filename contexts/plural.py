"""How many of what, in words that agree."""

from __future__ import annotations


def noun(count: int, singular: str, plural: str = "") -> str:
    """Return a noun as its number wants it; the plural is that with an ``s`` where none is given."""
    return singular if count == 1 else plural or singular + "s"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return ``1 item`` or ``3 items``."""
    return f"{count:,} {noun(count, singular, plural)}"
