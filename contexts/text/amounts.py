"""Sizes and durations as people read them."""

from __future__ import annotations


def size(count: float | None) -> str:
    """Return a number of bytes in the unit that fits; a KB is 1,024 bytes, as for the limits of documents.

    None is nothing.
    """
    if count is None:
        return ""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KB", "MB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}" if count < 100 else f"{count:.0f} {unit}"
    return f"{count / 1024:.1f} GB"


def duration(seconds: float) -> str:
    """Return seconds as a sentence says them: ``40 ms``, ``7.5 s``, ``2 min 5 s``, ``1 h 3 min``, ``2 d 4 h``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for one, big, unit, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= one:
            rest = whole % one // unit
            return f"{whole // one} {big}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def clock(seconds: float | None) -> str:
    """Return seconds as a clock that goes on shows them, in few columns: ``4.2 s``, ``3 m 07 s``, ``2 h 05 m``.

    None is nothing.
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m"
