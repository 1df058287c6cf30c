"""The notations that are read, each of them a whole text, and the places at which nothing is read.

Which texts state a figure is decided by their form and their place: ``45/50 passed (90%)`` as a whole text does, the
same within a sentence does not; nothing does in schemas, contracts, examples, and what is written for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contexts.audit.source_document import DATA, SourceDocument
from contexts.json.values import Path, number, text

NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_FOR_PEOPLE = frozenset(
    {"context_summary", "decisions", "description", "error_log", "notes", "pending_actions", "rationale", "summary"}
)
_SILENT = DATA | _FOR_PEOPLE
_PERCENT = re.compile(rf"({NUMBER}) ?%(?: average)?")
_FRACTION = re.compile(rf"([0-9]{{1,9}})/([0-9]{{1,9}})(?: tests)?(?: passed)?(?: \(({NUMBER}) ?%\))?")


def stated(document: SourceDocument) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a document at a place where figures and ticks are read, with its path."""
    for path, value in document.values:
        if _SILENT.isdisjoint(path):
            yield path, value


def percent(value: Any) -> float | None:
    """Return what ``91%``, ``91% average`` or a number says, in percent."""
    if (plain := number(value)) is not None:
        return plain
    match = _PERCENT.fullmatch(text(value).strip())
    return float(match.group(1)) if match else None


def fraction(value: Any) -> tuple[int, int, str] | None:
    """Return part, whole and, as written, percentage of ``45/50 passed (90%)``; the percentage may be empty."""
    match = _FRACTION.fullmatch(text(value).strip())
    return (int(match.group(1)), int(match.group(2)), match.group(3) or "") if match else None


def step(written: str) -> float:
    """Return the value of a number's last digit."""
    return float(10 ** -len(written.partition(".")[2]))
