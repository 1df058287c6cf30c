"""Arithmetic of tables in texts: a total row against the rows above it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import Doubt
from contexts.audit.prose.tables import tables
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import track

_TOTAL = re.compile(r"\W{0,4}(?:grand |overall )?(?:totals?|sum|in all)\W{0,4}\Z", re.IGNORECASE)
# A maximum, a mean or a rate of a total row is no sum.
_NO_SUM = re.compile(
    r"\bp ?\d\d|delay|latenc|time|duration|avg|average|mean|median|max|min\b|peak|rate|per\b|/|%|percent|coverage"
    r"|ratio|score|target|limit|version|year|port|status|\bids?\b|unique|distinct|threads|workers|users|remain|left|open|backlog|balance|cumul|running|free|connections",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\W{0,4}(\d{1,3}(?:[, \u00a0\u202f]\d{3}){1,4}|\d{1,12})(?:\s?[a-zA-Z]{1,12})?\W{0,4}\Z")


@claim_rule(
    "arithmetic/column",
    "warning",
    "The total row of a table is not the sum of the rows above it.",
    example=(
        track(
            "loader",
            implementation_details={
                "load": "| hour | rows |\n| --- | --- |\n| 1 | 400 |\n| 2 | 500 |\n| total | 990 |"
            },
        ),
    ),
    clean=(
        track(
            "loader",
            implementation_details={
                "load": "| hour | rows |\n| --- | --- |\n| 1 | 400 |\n| 2 | 500 |\n| total | 900 |"
            },
        ),
    ),
)
def column(documents: DocumentSet) -> Iterator[Doubt]:
    """Add up every column of whole numbers above a row called total."""
    for document in documents.current:
        for path, value in document.figures:
            if "|" not in value or "\n" not in value:
                continue
            for header, rows in tables(value):
                for message in _wrong(header, rows):
                    yield doubt("arithmetic/column", message, (document.source(path),))


def _wrong(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    *parts, total = rows
    if len(parts) < 2 or not _TOTAL.match(total[0]) or any(_TOTAL.match(row[0]) for row in parts):
        return
    for index, name in enumerate(header[1:], start=1):
        amounts = [_count(row[index]) for row in rows]
        if _NO_SUM.search(name) or None in amounts:
            continue
        *listed, stated = [amount for amount in amounts if amount is not None]
        # A stock or a peak is carried to the last row: it is not summed.
        if sum(listed) != stated and stated not in {max(listed), listed[-1]}:
            yield f"the rows of {name!r} add up to {sum(listed):,}, and the total row says {stated:,}"


def _count(cell: str) -> int | None:
    match = _COUNT.match(cell)
    return int(re.sub(r"\D", "", match.group(1))) if match else None
