"""Arithmetic of amounts of money: lines, subtotal, taxes and total of one object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import Doubt
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import track
from contexts.json_values import Path, mapping, number, sequence

_TOTAL = re.compile(r"(?:grand_|order_|invoice_)?(?:total|gross)(?P<unit>_[a-z]{1,12})?\Z")
_SUBTOTAL = re.compile(r"(?:subtotal|net)(_[a-z]{1,12})?\Z")
_ADDED = {"tax", "taxes", "vat", "shipping", "fee", "fees", "tip", "surcharge", "delivery", "handling"}
_TAKEN = {"discount", "discounts", "rebate", "credit"}
_LINES = ("lines", "items", "line_items", "positions")

Wrong = tuple[str, str, tuple[Path, ...]]


@claim_rule(
    "arithmetic/amounts",
    "warning",
    "A total of money is not its subtotal with what is added and taken, or a subtotal not the sum of its lines.",
    example=(
        track("billing", implementation_details={"sample": {"subtotal_eur": 100, "vat_eur": 19, "total_eur": 129}}),
    ),
    clean=(
        track("billing", implementation_details={"sample": {"subtotal_eur": 100, "vat_eur": 19, "total_eur": 119}}),
    ),
    yields_to=("arithmetic/total", "arithmetic/derived"),
)
def amounts(documents: DocumentSet) -> Iterator[Doubt]:
    """Add up what the names of members say belongs together; a member of the same unit that is not known stops it."""
    for document in documents.current:
        for path, members in document.objects_with(_is_of_money):
            for key, message, others in (*_totals(members), *_subtotals(members)):
                sources = (document.source((*path, *other)) for other in others)
                yield doubt("arithmetic/amounts", message, (document.source((*path, key)), *sources))


@lru_cache(maxsize=8_192)
def _is_of_money(key: str) -> bool:
    return _TOTAL.match(key) is not None or _SUBTOTAL.match(key) is not None


def _totals(members: Mapping[str, Any]) -> Iterator[Wrong]:
    for key in members:
        match = _TOTAL.match(key)
        if match is None:
            continue
        unit = match.group("unit") or ""
        base = next(
            (f"{name}{unit}" for name in ("subtotal", "net") if number(members.get(f"{name}{unit}")) is not None), ""
        )
        stated = number(members[key])
        if not base or stated is None:
            continue
        parts = {
            k: number(v) for k, v in members.items() if k not in {key, base} and number(v) is not None and _of(k, unit)
        }
        names = {k: k.removesuffix(unit).rsplit("_", 1)[-1] for k in parts}
        if not parts or not set(names.values()) <= _ADDED | _TAKEN:
            continue
        exact = number(members[base]) or 0.0
        for k, value in parts.items():
            exact += -abs(value or 0.0) if names[k] in _TAKEN else value or 0.0
        included = abs(stated - (number(members[base]) or 0.0)) < 0.006  # taxes may be part of the subtotal
        if abs(exact - stated) > 0.006 and not included:
            others = tuple((k,) for k in (base, *parts))
            yield key, f"{' and '.join((base, *parts))} make {exact:.10g}, and {key} is {stated:.10g}", others


def _of(key: str, unit: str) -> bool:
    if unit:
        return key.endswith(unit)
    return key in _ADDED | _TAKEN


def _subtotals(members: Mapping[str, Any]) -> Iterator[Wrong]:
    lines = next((name for name in _LINES if len(sequence(members.get(name))) > 1), "")
    for key in members if lines else ():
        match = _SUBTOTAL.match(key)
        stated = number(members[key])
        if match is None or stated is None:
            continue
        unit = match.group(1) or ""
        rows = [mapping(row) for row in sequence(members[lines])]
        field = next((f"{n}{unit}" for n in ("amount", "line_total", "total") if f"{n}{unit}" in rows[0]), "")
        values = [number(row.get(field)) for row in rows]
        exact = sum(value for value in values if value is not None)
        if field and None not in values and abs(exact - stated) > 0.006:
            yield key, f"{field} of {lines} adds up to {exact:.10g}, and {key} is {stated:.10g}", ((lines,),)
