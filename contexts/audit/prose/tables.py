"""Markdown tables in texts: measured values beside targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from contexts.audit.prose.keys import bounds_in, key_of
from contexts.text.quantities import Bound, Measured, read, verdict


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its target in one row of a table, and the words that say what they are."""

    measured: Measured
    bound: Bound | None
    words: str
    ticked: bool | None


def _tables(words: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield the tables of a text: the header, and the rows that have as many cells."""
    header, rows = list[str](), list[list[str]]()
    for line in (*words.splitlines(), ""):
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(row) < 2:
            if header and rows:
                yield header, rows
            header, rows = [], []
        elif not header:
            header = row
        elif len(row) == len(header) and not set("".join(row)) <= set("-: "):
            rows.append(row)


def cells(words: str) -> Iterator[Cell]:
    """Read a table's values; a column whose header speaks of a target holds the target of the values to its left."""
    for header, rows in _tables(words):
        for row in rows:
            yield from _row(header, row)


def _row(header: list[str], row: list[str]) -> Iterator[Cell]:
    labelled = not key_of(header[0]).statistic
    label = row[0] if labelled else ""
    ticked = verdict(" ".join(row))
    seen = list[tuple[Measured, str]]()
    targeted = any(key_of(name).kind == "target" for name in header if name)
    for name, cell in list(zip(header, row, strict=True))[int(labelled) :]:
        key = key_of(name)
        if key.kind == "target" and seen:
            for bound in bounds_in(cell, key, "", f"{seen[-1][1]} {name}", ""):
                chosen = _meant(bound, seen)
                if chosen is not None:
                    measured, words = chosen
                    shown = Bound(bound.compare, bound.quantity, bound.statistic or measured.statistic)
                    yield Cell(measured, shown, words, ticked)
            seen.clear()
            continue
        words = f"{label} {name}".strip()
        values = [replace(m, statistic=m.statistic or key_of(words).statistic) for m in read(cell).measured]
        if len(values) == 1 and not targeted:
            yield Cell(values[0], None, words, ticked)
        seen.extend([(values[0], words)] if len(values) == 1 else [])


def _meant(bound: Bound, seen: list[tuple[Measured, str]]) -> tuple[Measured, str] | None:
    """Return the value of a row that its target is for: that of its statistic, else the nearest."""
    same = [one for one in seen if one[0].quantity.dimension == bound.quantity.dimension]
    if bound.statistic and any(measured.statistic for measured, _ in same):
        same = [one for one in same if one[0].statistic == bound.statistic]
    return same[-1] if same and (bound.statistic or same[-1] is seen[-1]) else None
