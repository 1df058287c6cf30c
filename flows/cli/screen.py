"""Tables and short forms of numbers, sized to fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "completed": "green", "done": "green", "passed": "green", "met": "green", "ok": "green", "verified": "green",
    "reused": "cyan", "reuse": "cyan", "running": "yellow", "pending": "dim", "failed": "red", "fail": "red",
    "damaged": "red", "blocked": "magenta", "cancelled": "magenta", "out-of-budget": "magenta", "partial": "yellow",
    "warn": "yellow", "unverified": "yellow", "unmet": "red", "blocking": "red", "warning": "yellow", "note": "dim",
    "complete": "green",
}  # fmt: skip


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
    title: str | None = None,
) -> None:
    """Print rows under their columns.

    Args:
        console: Where to.
        columns: Headings.
        rows: Cells; None is shown as nothing.
        right: Columns of numbers.
        fold: Columns whose text may go on in the next line; all others are cut with an ellipsis.
        title: A line above.
    """
    if title:
        console.print(Text(title, style="bold"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="fold" if name in fold else "ellipsis",
            no_wrap=name not in fold,
        )
    for row in rows:
        table.add_row(*(_cell(name, value) for name, value in zip(columns, row, strict=True)))
    console.print(table)


def _cell(column: str, value: str | Text | None) -> Text:
    if isinstance(value, Text):
        return value
    return styled(value) if column in {"status", "state", "action", "severity"} else Text(value or "")


def instant(value: Any) -> str:
    """Return an ISO 8601 instant to the second, without the ``T``."""
    text = str(value or "")
    return text[:19].replace("T", " ") if len(text) >= 19 else text


def size(count: int | None) -> str:
    """Return a number of bytes in the largest unit that keeps it above one."""
    if count is None:
        return ""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KB"
    return f"{count / 1024 / 1024:.1f} MB"


def seconds(value: float | None) -> str:
    """Return a duration: 4.2 s, 3 m 07 s, 2 h 05 m."""
    if value is None:
        return ""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m"
