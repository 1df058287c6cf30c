"""Texts that are too long to be shown whole."""

from __future__ import annotations


def brief(text: str, most: int) -> str:
    """Return text of at most ``most`` characters, with an ellipsis where there was more."""
    return text if len(text) <= most else text[: most - 1] + "…"
