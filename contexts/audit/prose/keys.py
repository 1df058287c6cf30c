"""What the names of members say: target or measured value, statistic, unit; and the values and targets they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from contexts.json.values import number, text
from contexts.text.quantities import COMPARISONS, Bound, Measured, Quantity, as_quantity, read, statistic_name

_PARTS = re.compile(r"[pP]\d{2,3}|[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+|\d+")
TARGET = {
    "target",
    "targets",
    "threshold",
    "thresholds",
    "goal",
    "limit",
    "limits",
    "budget",
    "slo",
    "sla",
    "required",
    "expected",
    "objective",
    "objectives",
    "goals",
}
_MEASURED = {
    "measured",
    "measurement",
    "measurements",
    "actual",
    "actuals",
    "value",
    "observed",
    "result",
    "results",
    "current",
    "achieved",
    "score",
}
_STATS = {
    "p50",
    "p75",
    "p90",
    "p95",
    "p99",
    "p999",
    "avg",
    "average",
    "mean",
    "median",
    "max",
    "min",
    "maximum",
    "minimum",
}
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "seconds"), "s"),
    **dict.fromkeys(("minutes", "mins"), "min"),
    **dict.fromkeys(("percent", "pct"), "%"),
    **{unit.lower(): unit for unit in ("ms", "us", "KB", "MB", "bytes", "rps", "qps")},
    "hours": "h",
}
_UPPER = re.compile(
    r"latenc|respons|duration|time|elapsed|size|error|fail|memory|cpu|miss|loss|p9\d|p50|delay|lag|footprint",
    re.IGNORECASE,
)
_LOWER = re.compile(
    r"coverage|throughput|accurac|availab|uptime|rps|qps|score|recall|precision|hit|success|rate_per", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a member's name says: ``target`` or ``measured``, its statistic, its unit, and the words that are left."""

    kind: str
    statistic: str
    unit: str
    noun: frozenset[str]


@lru_cache(maxsize=8_192)
def key_of(name: str) -> Key:
    """Read a member's name."""
    parts = [part.lower() for part in _PARTS.findall(name[:80])]
    kind = "target" if set(parts) & TARGET else "measured" if set(parts) & _MEASURED else ""
    statistic = next((statistic_name(part) for part in parts if part in _STATS), "")
    unit = next((_UNITS[part] for part in reversed(parts) if part in _UNITS), "")
    noun = frozenset(parts) - TARGET - _MEASURED - _STATS - _UNITS.keys()
    return Key(kind, statistic, unit, noun)


def values_in(raw: Any, key: Key, unit: str) -> Iterator[Measured]:
    """Yield the measured values of a member."""
    plain = number(raw)
    if plain is not None:
        yield Measured(as_quantity(plain, key.unit or unit), key.statistic)
    elif isinstance(raw, str):
        for measured in read(raw).measured or _bare(raw, unit):
            yield replace(measured, statistic=measured.statistic or key.statistic)


def _bare(raw: str, unit: str) -> Iterator[Measured]:
    if raw.strip().replace(".", "", 1).isascii() and raw.strip().replace(".", "", 1).isdigit() and len(raw) < 20:
        yield Measured(as_quantity(float(raw), unit))


def bounds_in(raw: Any, key: Key, unit: str, context: str, operator: str) -> Iterator[Bound]:
    """Yield the targets of a member: a number with its unit and operator, or a text."""
    plain = number(raw)
    if plain is not None:
        quantity: Quantity = as_quantity(plain, key.unit or unit)
        if operator in COMPARISONS:
            yield Bound(COMPARISONS[operator], quantity, key.statistic)
        elif _UPPER.search(context) and not _LOWER.search(context):
            yield Bound("<=", quantity, key.statistic)
        elif _LOWER.search(context):
            yield Bound(">=", quantity, key.statistic)
        elif quantity.dimension == "time":
            yield Bound("<=", quantity, key.statistic)
    elif isinstance(raw, str):
        for bound in read(raw, bare_is="target").bounds:
            bare = bound.compare == "<=" and not re.search(r"[<≤]|most|within|up to", raw)
            statistic = bound.statistic or key.statistic
            if bare and _LOWER.search(context):
                yield Bound(">=", bound.quantity, statistic)
            else:
                yield Bound(bound.compare, bound.quantity, statistic)


_WORDS_OF_LIMIT: dict[str, Literal["<", "<=", ">", ">="]] = {
    **dict.fromkeys(("at_least", "not_below", "minimum", "min"), ">="),
    **dict.fromkeys(("at_most", "not_above", "maximum", "max", "within", "up_to"), "<="),
    **dict.fromkeys(("below", "under", "less_than"), "<"),
    **dict.fromkeys(("above", "over", "more_than"), ">"),
}
_OPERATORS = ("op", "operator", "comparator")


def stated_bounds(members: Mapping[str, object], metric: Key) -> Iterator[tuple[str, Bound]]:
    """Yield the bounds that an object states by an operator and a value, or by words; with the key of the number.

    Args:
        members: Such as ``{"op": "<", "value": 60}`` or ``{"at_least": "60 MB/s"}``.
        metric: What the name of the metric says of its unit and statistic.
    """
    operator = next((operator_of(members[key]) for key in _OPERATORS if key in members), "")
    stated = [("value", operator)] if "value" in members else []
    for key, compare in (*stated, *((k, c) for k, c in _WORDS_OF_LIMIT.items() if k in members)):
        if compare not in COMPARISONS:
            continue
        plain = number(members[key])
        read_values = [*read(text(members[key])).measured, *_bare(text(members[key]), metric.unit)]
        quantity = as_quantity(plain, metric.unit or text(members.get("unit"))) if plain is not None else None
        if quantity is None and len(read_values) == 1:
            quantity = read_values[0].quantity
        if quantity is not None:
            yield key, Bound(COMPARISONS[compare], quantity, metric.statistic)


def operator_of(raw: Any) -> str:
    """Bring an operator to one spelling."""
    return text(raw).replace("\u2264", "<=").replace("\u2265", ">=")
