"""What a stored document says, on one screen: what people look for first, and how much there is of everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contexts.documents.version import SUMMARY_LIMIT
from contexts.json.values import items, mapping
from contexts.text.plural import and_more
from flows.cli.terminal.tables import instant, print_table, styled
from tasks.report.text import plain

if TYPE_CHECKING:
    from contexts.documents.base import JsonObject

_HEAD = ("workflow_id", "task_id", "group_id", "agent", "current_agent", "phase", "status", "next_agent", "timestamp")
_TOLD = ("decisions", "pending_actions", "integration_concerns", "findings")
_WORDS = ("choice", "action", "concern", "message", "topic", "error")
_COUNTED_BY = ("severity", "status")
_MOST_TRACKS = 20
_MOST_TOLD = 5
_LINE = 200


def print_outline(console: Console, name: str, document: JsonObject, *, whole: str) -> None:
    """Print the outline of a document.

    Args:
        console: Where to.
        name: What the document is called, with its revision.
        document: The document, expanded.
        whole: The command that prints all of it.
    """
    console.print(Text(name, "bold"), soft_wrap=True)
    head = [(key, instant(document[key]) if key == "timestamp" else document[key]) for key in _HEAD if key in document]
    _grid(console, ((key, styled(plain(value, _LINE))) for key, value in head if value not in (None, "")))
    if document.get("context_summary"):
        console.print(Text(plain(document["context_summary"], SUMMARY_LIMIT), "dim"), soft_wrap=False)
    rows = [mapping(one) for one in items(mapping(document.get("run")).get("tracks"))]
    if rows:
        rows.sort(key=lambda row: row.get("status") == "completed")
        _tracks(
            console,
            [
                (
                    plain(row.get("task_id"), 64),
                    plain(row.get("status"), 20),
                    "yes" if row.get("reused") else "",
                    plain(row.get("reason"), _LINE),
                )
                for row in rows
            ],
        )
    gone = {place for places in mapping(document.get("left_out")).values() for place in items(places)}
    for key in _TOLD:
        _told(console, key, items(document.get(key)), gone)
    _claims(console, [mapping(one) for one in items(document.get("compared_claims"))])
    known = {*_HEAD, *_TOLD, "context_summary", "compared_claims"}
    rest = [(key, Text(_amount(value))) for key, value in document.items() if key not in known and value]
    if rest:
        console.print()
        _grid(console, rest)
    console.print()
    console.print(Text(f"`{whole}` prints the whole document", "dim"), soft_wrap=True)


def _grid(console: Console, rows: Iterable[tuple[str, Text]]) -> None:
    named = [(plain(key, 40), value) for key, value in rows]
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True, min_width=max((len(key) for key, _ in named), default=0))
    grid.add_column(overflow="ellipsis", no_wrap=True)
    for key, value in named:
        grid.add_row(Text(key), value)
    console.print(grid)


def _tracks(console: Console, rows: Sequence[tuple[str, str, str, str]]) -> None:
    console.print()
    shown = rows[:_MOST_TRACKS]
    print_table(console, ("track", "status", "reused", "reason"), shown, cut=("reason",))
    if more := and_more(len(rows) - len(shown)):
        console.print(Text(more, "dim"))


def _told(console: Console, key: str, entries: list[Any], gone: Container[object]) -> None:
    if not entries:
        return
    console.print()
    console.print(Text(f"{key.replace('_', ' ')}: {_amount(entries)}", "bold"), soft_wrap=True)
    for index, entry in enumerate(entries[:_MOST_TOLD]):
        mark = "branch left out: " if f"/{key}/{index}" in gone else ""
        console.print(Text(f"  {mark}{_words(entry)}"), no_wrap=True, overflow="ellipsis")
    if more := and_more(len(entries) - _MOST_TOLD):
        console.print(Text(f"  {more}", "dim"))


def _claims(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    console.print()
    console.print(Text("claimed by agents, and shown by evidence", "bold"), soft_wrap=True)
    shown = sorted(rows, key=lambda row: row.get("agrees") is not False)[:_MOST_TOLD]
    columns = ("track", "check", "file", "figure", "claimed", "shown")
    keys = ("task_id", "check", "file", "figure", "claimed", "shown")
    print_table(console, columns, [[plain(row.get(key), 60) for key in keys] for row in shown], cut=("file",))
    if more := and_more(len(rows) - len(shown)):
        console.print(Text(more, "dim"))


def _words(entry: Any) -> str:
    known = mapping(entry)
    said = next((known[key] for key in _WORDS if isinstance(known.get(key), str)), entry)
    first = [known[key] for key in ("topic", "severity", "status") if isinstance(known.get(key), str)]
    text = f"{', '.join(first)}: {said}" if first and isinstance(said, str) else said
    return " ".join(plain(text, _LINE).split())


def _amount(value: Any) -> str:
    """Return how much there is of a field, and of what kind: ``12 entries (10 passed, 2 failed)``."""
    if isinstance(value, list):
        held = items(value)
        kinds = ", ".join(f"{number} {kind}" for kind, number in _kinds(held))
        return f"{len(held):,} {'entry' if len(held) == 1 else 'entries'}" + (f" ({kinds})" if kinds else "")
    if isinstance(value, dict):
        inner = mapping(value)
        names = ", ".join(plain(key, 40) for key in list(inner)[:6]) + (", ..." if len(inner) > 6 else "")
        return f"{len(inner):,} {'field' if len(inner) == 1 else 'fields'}" + (f" ({names})" if names else "")
    return " ".join(plain(value, _LINE).split())


def _kinds(entries: list[Any]) -> Iterator[tuple[str, int]]:
    for key in _COUNTED_BY:
        counted = Counter(plain(mapping(entry).get(key), 20) for entry in entries if mapping(entry).get(key))
        if counted:
            yield from sorted(counted.items())
            return
