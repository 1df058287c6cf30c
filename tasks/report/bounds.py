"""Keep a report readable and small: how many items, and how many characters, a list may bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields as attributes
from dataclasses import is_dataclass
from typing import TypeVar, cast

from contexts.text.visible import show_invisible
from tasks.report.text import LONGEST
from tasks.report.values import Listed

Given = TypeVar("Given")
Item = TypeVar("Item")

_MARKUP = 250
"""Characters of markup an item brings, about."""


def listed(given: Sequence[Given], make: Callable[[Given], Item], *, most: int, budget: int) -> Listed[Item]:
    """Return the first items of a list, as many as fit.

    Args:
        given: What there is.
        make: Makes an item of the report.
        most: How many at most.
        budget: How many characters they may bring together, as the page holds them.
    """
    shown: list[Item] = []
    spent = 0
    for one in given[:most]:
        item = make(one)
        spent += _MARKUP + _weight(item)
        if shown and spent > budget:
            break
        shown.append(item)
    return Listed(tuple(shown), len(given))


def _weight(value: object) -> int:
    if isinstance(value, str):
        text = value[:LONGEST]
        return len(text) if text.isalnum() else len(show_invisible(text).encode()) + 5 * sum(map(text.count, "<>&\"'"))
    if isinstance(value, tuple):
        return sum(40 + _weight(one) for one in cast("tuple[object, ...]", value))
    if is_dataclass(value):
        return sum(_weight(getattr(value, one.name)) for one in attributes(value))
    return 8
