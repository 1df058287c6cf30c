"""Text an agent may have written, made fit to show: nothing invisible, nothing endless, one way to say a number."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson

from contexts.documents.base import parse_instant
from contexts.text.visible import show_invisible

LONGEST = 2_000
"""Characters of one value a report shows; the rest is in the store."""


def cut(text: str, most: int = LONGEST) -> str:
    """Return text of at most ``most`` characters, saying how long it was if it was longer."""
    return text if len(text) <= most else f"{text[:most].rstrip()} … [cut: {len(text):,} characters in all]"


def plain(value: object, most: int = LONGEST) -> str:
    """Return any JSON value as one safe, bounded text: a string as it is, nothing as an empty one, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return show_invisible(cut(value, most))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)[:40]
    return show_invisible(cut(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode(), most))


def number(value: Any) -> float:
    """Return a JSON number as a finite float, 0 where there is something else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if abs(value) < 1e15 else 0.0


def instant(value: Any) -> datetime | None:
    """Return an ISO 8601 instant, or None for anything else."""
    try:
        return parse_instant(value).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def noun(plural: str, count: float) -> str:
    """Return a noun as its number wants it: ``criteria`` and 1 give ``criterion``."""
    if count != 1:
        return plural
    return "criterion" if plural == "criteria" else plural.removesuffix("s")


def sentence(text: str) -> str:
    """Return text beginning with a capital, unless it begins with the name of a file, rule or field."""
    first = text.partition(" ")[0].rstrip(".,:;")
    return text if re.search(r"[^\W\d][./_:]\S|\S[/_]", first) else text[:1].upper() + text[1:]


def moment(value: datetime | None) -> str:
    """Return an instant in words, to the second, UTC."""
    return value.strftime("%d %B %Y, %H:%M:%S UTC").lstrip("0") if value else ""
