"""Where documents report measured values and targets that a success criterion may speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from contexts.audit.prose.keys import bounds_in, key_of, operator_of, stated_bounds
from contexts.audit.prose.measures import choose
from contexts.audit.prose.tables import cells
from contexts.audit.source_document import LONGEST_TEXT, SourceDocument
from contexts.documents.findings import Source
from contexts.json.values import Path, number, text
from contexts.text.quantities import Bound, Measured, Reading, as_percent, as_quantity, read, statistic_name

_STATISTIC = re.compile(r"(?:p\d{2,3}|avg|mean|median|max)\Z", re.IGNORECASE)
_DIGIT = re.compile(r"[0-9]")
# A value and its unit, and nothing else.
_VALUE = re.compile(r"[~≈]?\s{0,2}\d[\d.,]{0,12}\s?[a-zA-Zµ%/]{1,12}\Z")
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


def bounds_of(members: Mapping[str, object], context: str) -> Iterator[Bound]:
    """Yield the target of an object with target, unit, operator and statistic members, or of one that is a target."""
    statistic = statistic_name(text(members.get("statistic")) or text(members.get("percentile")))
    operator = next((operator_of(members[k]) for k in ("op", "operator", "comparator") if members.get(k)), "")
    if "target" in members:
        found = bounds_in(members["target"], key_of(""), text(members.get("unit")), context, operator)
    else:
        found = (bound for _, bound in stated_bounds(members, key_of(text(members.get("metric")))))
    for bound in found:
        yield replace(bound, statistic=bound.statistic or statistic)


def reports(document: SourceDocument) -> tuple[Reported, ...]:
    """Return every place of a document that reports values or targets (read once a document)."""
    known: tuple[Reported, ...] | None = document.memo.get("reports")
    if known is None:
        known = document.memo["reports"] = tuple(_read_reported(document))
    return known


def _read_reported(document: SourceDocument) -> Iterator[Reported]:
    taken = set[Path]()
    for path, members in document.objects:
        if path[:1] != ("success_criteria",):
            for reported in _object_reported(document, path, members):
                taken.update({reported.path, reported.bound_path})
                yield reported
    for path, value in document.values:
        if not isinstance(value, str | int | float) or isinstance(value, bool) or not path or path in taken:
            continue
        if path[0] == "success_criteria":
            continue
        if isinstance(value, str):
            yield from _text_reported(document, path, value)
            continue
        unit, statistic = _unit_of(str(path[-1]))
        if not unit and str(path[-1]).lower() in TOTALS:
            keys = "/".join(str(part) for part in path).lower()
            unit = "%" if "coverage" in keys and "count" not in keys else ""
        if unit:
            share = unit == "%" and any(_speaks(part) == "coverage" for part in path)
            quantity = as_percent(float(value)) if share else as_quantity(float(value), unit)
            yield Reported(document, path, (Measured(quantity, statistic),), ())


def _text_reported(document: SourceDocument, path: Path, value: str) -> Iterator[Reported]:
    if "|" in value and "\n" in value:
        for cell in cells(value[:LONGEST_TEXT]) if _DIGIT.search(value) or "percent" in value.lower() else ():
            bounds = () if cell.bound is None else (cell.bound,)
            yield Reported(document, path, (cell.measured,), bounds, words=cell.words)
    elif (
        any(map(_speaks, path))
        or path[0] in {"metrics", "verification_results"}
        or (path[0] == "implementation_details" and _VALUE.match(value))
    ) and (_DIGIT.search(value, 0, 400) or "percent" in value):
        reading = read(value[:400], bare_is="target" if path[-1] == "target" else "measured")
        if reading.measured or reading.bounds:
            named = _unit_of(str(path[-1]))[1]
            measured = tuple(replace(m, statistic=m.statistic or named) for m in _meant(reading, value))
            yield Reported(document, path, measured, reading.bounds)


def _meant(reading: Reading, words: str) -> tuple[Measured, ...]:
    """Leave out what a text says of another thing behind its target: ``2.4 s (target <2.5 s), 3.4 s on another phone``.

    Any other value there may be the one that counts, as in ``2.4 s before (target <2.5 s), now 3.4 s``.
    """
    last = reading.bounds[-1].quantity if reading.bounds else None
    alike = [m for m in reading.measured if last is not None and m.quantity.dimension == last.dimension]
    if last is None or any(m.statistic for m in alike) or not any(m.quantity.start < last.start for m in alike):
        return reading.measured
    starts = [*sorted(m.quantity.start for m in reading.measured), len(words)]

    def is_of_another(m: Measured) -> bool:
        after = next((start for start in starts if start > m.quantity.start), len(words))
        return m.quantity.start > last.start and bool(_ELSEWHERE.match(words[m.quantity.end : after]))

    return tuple(m for m in reading.measured if m not in alike or not is_of_another(m))


_ELSEWHERE = re.compile(
    r"\s{0,3}(?:on|in|with|for|under|at)\s(?:another|other|an?\s[^,;.]{0,60}?\b(?:other|different|not|outside))\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=8_192)
def _speaks(part: str | int) -> str:
    """Return what a step of a path says that values below it are: ``coverage``, ``speed``, or nothing."""
    if not isinstance(part, str):
        return ""
    return "coverage" if "coverage" in part.lower() else "speed" if SPEAKS_OF_SPEED.search(part) else ""


def _object_reported(document: SourceDocument, path: Path, members: Mapping[str, object]) -> Iterator[Reported]:
    """Read an object that names its metric or criterion and holds a value, perhaps with a target."""
    key = next(
        (k for k in ("value", "measured", "actual", "observed") if isinstance(members.get(k), str | int | float)), None
    )
    link = next(
        (text(members.get(k)) for k in ("criterion", "criterion_id", "metric", "id", "name") if text(members.get(k))),
        "",
    )
    if key is None and link:
        yield from _by_statistic(document, path, members, link)
    if key is None or not link or isinstance(members[key], bool):
        return
    if key == "value" and "target" not in members and {"op", "operator", "comparator"} & members.keys():
        bounds = tuple(bounds_of(members, link))
        yield Reported(document, (*path, key), (), bounds, link, link, (*path, key))
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


def _by_statistic(document: SourceDocument, path: Path, members: Mapping[str, object], link: str) -> Iterator[Reported]:
    """Read the members of an object with a unit that are named after nothing but their statistic, such as ``p95``."""
    unit = text(members.get("unit"))
    words = " ".join(value for value in members.values() if isinstance(value, str))
    for name, value in members.items():
        shown = number(value)
        if unit and shown is not None and _STATISTIC.match(name):
            measured = Measured(as_quantity(shown, unit), statistic_name(name.lower()))
            yield Reported(document, (*path, name), (measured,), (), words, link)


@lru_cache(maxsize=8_192)
def _unit_of(key: str) -> tuple[str, str]:
    """Return the unit and the statistic that a key such as ``p99_ms`` names."""
    lower = key.lower()
    found = re.search(r"(?:^|_)(p\d{2,3}|avg|mean|median|max)(?:_|$)", lower)
    statistic = statistic_name(found.group(1)) if found else ""
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
    return "", statistic
