"""How many of what, in words that agree."""

from __future__ import annotations

from collections.abc import Sequence


def noun(count: int, singular: str, plural: str = "") -> str:
    """Return a noun as its number wants it; the plural is that with an ``s`` where none is given."""
    return singular if count == 1 else plural or singular + "s"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return ``1 item`` or ``3 items``."""
    return f"{count:,} {noun(count, singular, plural)}"


def and_more(count: int, singular: str = "", plural: str = "") -> str:
    """Return ``and 3 more``, of a noun ``and 3 more places``; nothing where there are none."""
    if count <= 0:
        return ""
    return f"and {counted(count, f'more {singular}', plural and f'more {plural}')}" if singular else f"and {count} more"


def first_of(values: Sequence[str], most: int, between: str = ", ") -> str:
    """Return the first values and how many more there are: ``a, b and 3 more``."""
    return " ".join(filter(None, (between.join(values[:most]), and_more(len(values) - most))))
