"""The format that specs and context documents are written in: its version, and how long its summaries are."""

from __future__ import annotations

FORMAT_VERSION = "1.0"

SUMMARY_LIMIT = 500
"""Characters that a `context_summary` may have."""


def version_number(text: str) -> tuple[int, int]:
    """Return ``(major, minor)`` of a format version such as ``1.0``.

    Raises:
        ValueError: Not two numbers with a dot between them.
    """
    major, _, minor = text.partition(".")
    if not (major.isdecimal() and minor.isdecimal() and major.isascii() and minor.isascii() and len(text) < 10):
        raise ValueError(f"version {text[:20]!r} is not of the form '1.0'")
    return int(major), int(minor)
