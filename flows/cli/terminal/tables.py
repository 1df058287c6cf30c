"""Tables and short forms of numbers, sized to fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "completed": "green", "done": "green", "passed": "green", "met": "green", "ok": "green", "verified": "green",
    "reused": "cyan", "reuse": "cyan", "running": "yellow", "pending": "dim", "failed": "red", "fail": "red",
    "damaged": "red", "blocked": "magenta", "cancelled": "magenta", "out-of-budget": "magenta", "partial": "yellow",
    "warn": "yellow", "unverified": "yellow", "unmet": "red", "blocking": "red", "warning": "yellow", "note": "dim",
    "complete": "green", "interrupted": "yellow",
}  # fmt: skip

_GAP = 2
_LEAST = 6
"""Columns a text keeps on the narrowest terminal."""


def styled(word: str | None) -> Text:
    """Return a status word in its colour."""
    return Text(word or "", style=STYLES.get((word or "").lower(), ""))


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text | None]],
    *,
    right: Sequence[str] = (),
    fold: Sequence[str] = (),
    cut: Sequence[str] = (),
) -> None:
    """Print rows under their columns.

    Args:
        console: Where to.
        columns: Headings.
        rows: Cells; None is shown as nothing.
        right: Columns of numbers.
        fold: Columns whose text goes on in the next line where the terminal is narrow.
        cut: Columns that end in an ellipsis there; all others are shown whole.
    """
    cells = [[_cell(name, value) for name, value in zip(columns, row, strict=True)] for row in rows]
    widest = [max([len(name), *(row[place].cell_len for row in cells)]) for place, name in enumerate(columns)]
    widths = _widths(widest, [name in fold or name in cut for name in columns], console.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold underline")
    for name, width in zip(columns, widths, strict=True):
        table.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="fold" if name in fold else "ellipsis",
            no_wrap=name not in fold,
            width=width,
        )
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _widths(widest: Sequence[int], gives: Sequence[bool], available: int) -> list[int]:
    """Return a width for every column: whole where it does not give way, a fair share of the rest where it does."""
    widths = list(widest)
    giving = sorted((place for place, may in enumerate(gives) if may), key=lambda place: widest[place])
    rest = available - _GAP * (len(widest) - 1) - sum(widest[place] for place, may in enumerate(gives) if not may)
    for done, place in enumerate(giving):
        share = max(rest // (len(giving) - done), _LEAST)
        widths[place] = min(widest[place], share)
        rest -= widths[place]
    return widths


def _cell(column: str, value: str | Text | None) -> Text:
    if isinstance(value, Text):
        return value
    return styled(value) if column in {"status", "state", "action", "severity"} else Text(value or "")


def instant(value: Any) -> str:
    """Return an ISO 8601 instant to the minute, without the ``T``."""
    text = str(value or "")
    return text[:16].replace("T", " ") if len(text) >= 19 else text
