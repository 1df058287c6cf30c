"""Where documents state measured values and targets: in prose, in structured members, in tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contexts.audit.documents import SourceDocument
from contexts.audit.quantities import (
    COMPARISONS,
    Bound,
    Measured,
    Quantity,
    Reading,
    as_quantity,
    read,
    statistic_name,
    verdict,
)
from contexts.contract.values import Path, mapping, number, text

_PARTS = re.compile(r"[pP]\d{2,3}|[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+|\d+")
_TARGET = {
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
_SPOKEN_OF = re.compile(
    r"perform|measure|benchmark|latenc|result|metric|coverage|timing|verification|quality|load|slo|target",
    re.IGNORECASE,
)
_WISHES = re.compile(
    r"criteri|require|constraint|decision|pending|scope|scenario|assumption|prerequisite|goal|target", re.IGNORECASE
)
_WORD_OF_TARGET = re.compile(r"\b(?:targets?|goal|budget|threshold|slo|sla|objective)\b", re.IGNORECASE)

_NAMES_TARGET = re.compile("|".join(sorted(_TARGET)), re.IGNORECASE)
# A value beside its target takes two numbers, and a sign or word that tells them apart.
_NUMBERS = re.compile(r"\d+")
_COMPARED = re.compile(
    r"[<>≤≥]|\b(?:under|below|less|fewer|most|more|up to|within|over|above|greater|least|targets?|goal|budget|limit"
    r"|threshold|slo|sla|requir|must|should|expected|allowed|criterion|need|objective|ceiling|cap|baseline)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A measured value beside its target: where each is, and whether the author calls it met."""

    measured: Measured
    bound: Bound
    at: Path
    bound_at: Path
    ticked: bool | None


def pairs(document: SourceDocument) -> Iterator[Pair]:
    """Yield every measured value that a document puts beside a target."""
    for path, words in document.figures:
        if "|" in words and "\n" in words:
            for cell in cells(words):
                if cell.bound is not None:
                    yield Pair(cell.measured, cell.bound, path, path, cell.ticked)
            for line in words.splitlines():
                if "|" not in line:
                    yield from _prose(path, line)
        else:
            yield from _prose(path, words)
    for path, members in document.objects:
        yield from _structured(path, members)
        yield from _twins(path, members)


def _prose(path: Path, words: str) -> Iterator[Pair]:
    if len(_NUMBERS.findall(words)) < 2 or not _COMPARED.search(words):
        return  # reading every sentence to the end is what would take the time
    reading = read(words)
    if not reading.measured or not reading.bounds:
        return
    keys = " ".join(str(part) for part in path)
    told = reading.ticked is not None or _WORD_OF_TARGET.search(words) or any(m.statistic for m in reading.measured)
    if not told and not _SPOKEN_OF.search(keys):
        return
    if _WISHES.search(keys) and reading.ticked is None:
        return
    for bound, measured in matched(reading):
        yield Pair(measured, bound, path, path, reading.ticked)


def matched(reading: Reading) -> Iterator[tuple[Bound, Measured]]:
    """Put each target of a text with the value it is meant for: the nearest before it, else the nearest after it."""
    last = 0
    for index, bound in enumerate(reading.bounds):
        start = bound.quantity.start
        following = reading.bounds[index + 1].quantity.start if index + 1 < len(reading.bounds) else 10**9
        same = [m for m in reading.measured if m.quantity.dimension == bound.quantity.dimension]
        before = [m for m in same if last <= m.quantity.start < start]
        after = [m for m in same if start < m.quantity.start < following]
        chosen = choose(before, bound) or choose(after, bound)
        last = bound.quantity.end
        if chosen is not None:
            yield bound, chosen


def choose(values: Sequence[Measured], bound: Bound) -> Measured | None:
    """Return the value a target speaks of: its own statistic, else the highest percentile, else the only value."""
    if bound.statistic:
        exact = [m for m in values if m.statistic == bound.statistic]
        bare = [m for m in values if not m.statistic]
        return (exact or (bare if len(values) == 1 else []) or [None])[0]
    percentiles = [m for m in values if m.statistic[:1] == "p"]
    if percentiles:
        return max(percentiles, key=lambda m: float(m.statistic[1:]))
    usual = [m for m in values if m.statistic not in {"max", "min"}]
    return (usual or list(values) or [None])[-1]


@dataclass(frozen=True, slots=True)
class _Key:
    kind: str
    statistic: str
    unit: str
    noun: frozenset[str]


def _key(name: str) -> _Key:
    parts = [part.lower() for part in _PARTS.findall(name[:80])]
    kind = "target" if set(parts) & _TARGET else "measured" if set(parts) & _MEASURED else ""
    statistic = next((statistic_name(part) for part in parts if part in _STATS), "")
    unit = next((_UNITS[part] for part in reversed(parts) if part in _UNITS), "")
    noun = frozenset(parts) - _TARGET - _MEASURED - _STATS - _UNITS.keys()
    return _Key(kind, statistic, unit, noun)


def _structured(path: Path, members: Mapping[str, Any]) -> Iterator[Pair]:
    """Read objects that hold a target member beside measured ones."""
    if not _NAMES_TARGET.search(" ".join(members)):
        return
    keys = {name: _key(name) for name, value in members.items() if isinstance(value, str | int | float)}
    targets = [
        (name, key) for name, key in keys.items() if key.kind == "target" and not isinstance(members[name], bool)
    ]
    if not targets:
        return
    context = " ".join([*(str(part) for part in path), text(members.get("metric")), text(members.get("name"))])
    unit = text(members.get("unit"))
    ticked = verdict(f"{text(members.get('status'))} {text(members.get('result'))}")
    for name in ("met", "passed", "ok"):
        ticked = members[name] if isinstance(members.get(name), bool) else ticked
    for name, key in targets:
        for bound in _bounds(
            members[name], key, unit, f"{context} {name}", text(members.get("operator")) or text(members.get("op"))
        ):
            values = [
                (other, value)
                for other, its in keys.items()
                if other != name
                and (
                    its.kind == "measured"
                    or (its.statistic and not its.kind)
                    or (key.noun and its.noun == key.noun and not its.kind)
                )
                for value in _values(members[other], its, unit or (key.unit if not its.unit else ""))
                if value.quantity.dimension == bound.quantity.dimension
                and (not key.noun or not its.noun or its.noun == key.noun)
            ]
            chosen = choose([value for _, value in values], bound)
            if chosen is not None:
                where = next(other for other, value in values if value is chosen)
                yield Pair(chosen, bound, (*path, where), (*path, name), ticked)


def _values(raw: Any, key: _Key, unit: str) -> Iterator[Measured]:
    plain = number(raw)
    if plain is not None:
        yield Measured(as_quantity(plain, key.unit or unit), key.statistic)
    elif isinstance(raw, str):
        for measured in read(raw).measured or _bare(raw, unit):
            yield replace(measured, statistic=measured.statistic or key.statistic)


def _bare(raw: str, unit: str) -> Iterator[Measured]:
    if raw.strip().replace(".", "", 1).isascii() and raw.strip().replace(".", "", 1).isdigit() and len(raw) < 20:
        yield Measured(as_quantity(float(raw), unit))


def _bounds(raw: Any, key: _Key, unit: str, context: str, operator: str) -> Iterator[Bound]:
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


def _twins(path: Path, members: Mapping[str, Any]) -> Iterator[Pair]:
    """Read ``{"targets": {"p95_ms": 200}, "measured": {"p95_ms": 220}}``."""
    if not _NAMES_TARGET.search(" ".join(members)):
        return
    targets = [
        (name, mapping(value))
        for name, value in members.items()
        if isinstance(value, dict) and _key(name).kind == "target"
    ]
    measured = [
        (name, mapping(value))
        for name, value in members.items()
        if isinstance(value, dict) and _key(name).kind == "measured"
    ]
    for target_name, wanted in targets:
        for measured_name, had in measured:
            for name in wanted.keys() & had.keys():
                key, context = _key(name), f"{' '.join(map(str, path))} {name}"
                for bound in _bounds(wanted[name], key, "", context, ""):
                    values = [
                        v for v in _values(had[name], key, "") if v.quantity.dimension == bound.quantity.dimension
                    ]
                    chosen = choose(values, bound)
                    if chosen is not None:
                        yield Pair(chosen, bound, (*path, measured_name, name), (*path, target_name, name), None)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its target in one row of a table, and the words that say what they are."""

    measured: Measured
    bound: Bound | None
    words: str
    ticked: bool | None


def cells(words: str) -> Iterator[Cell]:
    """Read Markdown tables: a column whose header speaks of a target holds the target of the value to its left."""
    header: list[str] = []
    for line in words.splitlines():
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(row) < 2:
            header = []
        elif not header:
            header = row
        elif len(row) == len(header) and not set("".join(row)) <= set("-: "):
            yield from _row(header, row)


def _row(header: list[str], row: list[str]) -> Iterator[Cell]:
    label, last = row[0], None
    ticked = verdict(" ".join(row))
    for name, cell in zip(header[1:], row[1:], strict=True):
        key = _key(name)
        if key.kind == "target" and last is not None:
            measured, words = last
            for bound in _bounds(cell, key, "", f"{words} {name}", ""):
                if bound.quantity.dimension == measured.quantity.dimension:
                    shown = Bound(bound.compare, bound.quantity, bound.statistic or measured.statistic)
                    yield Cell(measured, shown, words, ticked)
            last = None
            continue
        words = f"{label} {name}"
        values = [replace(m, statistic=m.statistic or _key(words).statistic) for m in read(cell).measured]
        if len(values) == 1 and not any(header_name and _key(header_name).kind == "target" for header_name in header):
            yield Cell(values[0], None, words, ticked)
        last = (values[0], words) if len(values) == 1 else last


def target_bounds(raw: Any, unit: str, context: str, operator: str) -> Iterator[Bound]:
    """Read a target member: a number with its unit and operator, or a text."""
    yield from _bounds(raw, _key(""), unit, context, operator)
