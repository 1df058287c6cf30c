"""Where documents report measured values and targets that a success criterion may speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from contexts.audit.documents import LONGEST_TEXT, SourceDocument
from contexts.audit.findings import Source
from contexts.audit.measures import cells, choose, target_bounds
from contexts.audit.quantities import Bound, Measured, as_percent, as_quantity, read, statistic_name
from contexts.contract.values import Path, number, text

_DIGIT = re.compile(r"[0-9]")
TOTALS = {
    "total",
    "overall",
    "coverage",
    "test_coverage",
    "total_coverage",
    "total_test_coverage",
    "percent",
    "combined",
    "lines",
    "line",
    "branch",
    "branches",
    "line_coverage",
    "branch_coverage",
    "code_coverage",
    "average",
    "unit",
    "statements",
    "functions",
}


SPEAKS_OF_SPEED = re.compile(r"perform|latenc|respon|measure|benchmark|timing", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reported:
    """Values reported in one place of a document."""

    document: SourceDocument
    path: Path
    values: tuple[Measured, ...]
    bounds: tuple[Bound, ...]
    words: str = ""
    link: str = ""
    bound_path: Path = ()

    def chosen(self, bound: Bound) -> Measured | None:
        """Return the value a criterion speaks of."""
        return choose([m for m in self.values if m.quantity.dimension == bound.quantity.dimension], bound)

    def meets(self, bound: Bound) -> bool:
        """Tell whether the value meets a criterion; what the criterion does not speak of does."""
        chosen = self.chosen(bound)
        return chosen is None or bound.allows(chosen.quantity.base)

    def source(self) -> Source:
        """Return where the values are."""
        return self.document.source(self.path)


def bounds_of(members: Mapping[str, Any], context: str) -> Iterator[Bound]:
    """Yield the target of an object with target, unit, operator and statistic members."""
    statistic = statistic_name(text(members.get("statistic")) or text(members.get("percentile")))
    operator = next(
        (
            text(members.get(k)).replace("≤", "<=").replace("≥", ">=")
            for k in ("op", "operator", "comparator")
            if members.get(k)
        ),
        "",
    )
    for bound in target_bounds(members.get("target"), text(members.get("unit")), context, operator):
        yield replace(bound, statistic=bound.statistic or statistic)


def reports(document: SourceDocument) -> tuple[Reported, ...]:
    """Return every place of a document that reports values or targets (read once a document)."""
    known = _READ.get(document)
    if known is None:
        known = _READ[document] = tuple(_read_reported(document))
    return known


_READ: WeakKeyDictionary[SourceDocument, tuple[Reported, ...]] = WeakKeyDictionary()


def _read_reported(document: SourceDocument) -> Iterator[Reported]:
    taken = set[Path]()
    for path, members in document.objects:
        if path[:1] != ("success_criteria",):
            for reported in _object_reported(document, path, members):
                taken.update({reported.path, reported.bound_path})
                yield reported
    for path, value in document.values:
        if (
            path in taken
            or path[:1] == ("success_criteria",)
            or not isinstance(value, str | int | float)
            or isinstance(value, bool)
        ):
            continue
        if isinstance(value, str) and not _DIGIT.search(value):
            continue
        keys = "/".join(str(part) for part in path)
        if isinstance(value, str):
            if "|" in value and "\n" in value:
                for cell in cells(value[:LONGEST_TEXT]):
                    bounds = () if cell.bound is None else (cell.bound,)
                    yield Reported(document, path, (cell.measured,), bounds, words=cell.words)
            elif _DIGIT.search(value, 0, 400) and (
                SPEAKS_OF_SPEED.search(keys)
                or "coverage" in keys.lower()
                or path[0] in {"metrics", "verification_results"}
            ):
                reading = read(value[:400])
                if reading.measured or reading.bounds:
                    yield Reported(document, path, reading.measured, reading.bounds)
            continue
        unit, statistic = _unit_of(str(path[-1]) if path else "", keys)
        if unit:
            share = unit == "%" and "coverage" in keys.lower()
            quantity = as_percent(float(value)) if share else as_quantity(float(value), unit)
            yield Reported(document, path, (Measured(quantity, statistic),), ())


def _object_reported(document: SourceDocument, path: Path, members: Mapping[str, Any]) -> Iterator[Reported]:
    """Read an object that names its metric or criterion and holds a value, perhaps with a target."""
    key = next(
        (k for k in ("value", "measured", "actual", "observed") if isinstance(members.get(k), str | int | float)), None
    )
    link = next(
        (text(members.get(k)) for k in ("criterion", "criterion_id", "metric", "id", "name") if text(members.get(k))),
        "",
    )
    if key is None or not link or isinstance(members[key], bool):
        return
    unit, statistic = (
        text(members.get("unit")),
        statistic_name(text(members.get("statistic")) or text(members.get("percentile"))),
    )
    shown = number(members[key])
    values = (
        (Measured(as_quantity(shown, unit), statistic),) if shown is not None else read(text(members[key])).measured
    )
    words = " ".join(value for value in members.values() if isinstance(value, str))
    bounds = tuple(bounds_of(members, words)) if "target" in members else ()
    yield Reported(document, (*path, key), values, bounds, words, link, (*path, "target") if bounds else ())


def _unit_of(key: str, keys: str) -> tuple[str, str]:
    lower = key.lower()
    found = re.search(r"(?:^|_)(p\d{2,3}|avg|mean|median|max)(?:_|$)", lower)
    statistic = {"mean": "avg", "median": "p50"}.get(found.group(1), found.group(1)) if found else ""
    for suffix, unit in (
        ("_ms", "ms"),
        ("_seconds", "s"),
        ("_s", "s"),
        ("_percent", "%"),
        ("_pct", "%"),
        ("_rps", "rps"),
        ("_mb", "MB"),
        ("_kb", "KB"),
    ):
        if lower.endswith(suffix):
            return unit, statistic
    if lower in TOTALS and "coverage" in keys.lower() and "count" not in keys.lower():
        return "%", statistic
    return "", statistic
