"""Arithmetic of derived figures: rates, shares, differences and savings beside the figures they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.prose.speedups import spoken_times
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import track
from contexts.documents.findings import Doubt
from contexts.json.values import Path, mapping, number, sequence, text
from contexts.text.quantities import Quantity, as_quantity, quantities

# Only keys that have this can name a derived figure.
_DERIVED = re.compile(r"percent|pct|share|_per_|diff|delta|gap|sav|(?:by|per)_", re.IGNORECASE)
_NO_SUM = re.compile(
    r"duration|time|second|minute|hour|percent|pct|rate|coverage|avg|mean|p\d\d|max|min(?!or)|_ms\Z|score|version|port",
    re.IGNORECASE,
)
_SECONDS = {"seconds": 1.0, "s": 1.0, "minutes": 60.0, "ms": 0.001, "hours": 3600.0}


@claim_rule(
    "arithmetic/derived",
    "warning",
    "A rate, share, difference or saving is not what the figures beside it give.",
    example=(
        track(
            "loader",
            implementation_details={"first_load": {"rows": 9000, "duration_seconds": 60, "rows_per_second": 180}},
        ),
    ),
    clean=(
        track(
            "loader",
            implementation_details={"first_load": {"rows": 9000, "duration_seconds": 60, "rows_per_second": 150}},
        ),
    ),
    yields_to=("arithmetic/percentage", "arithmetic/total", "arithmetic/speedup"),
)
def derived(documents: DocumentSet) -> Iterator[Doubt]:
    """Recompute what an object's own members determine; names decide what belongs together, in doubt nothing does."""
    for document in documents.current:
        covering = document.has_key(_is_of_coverage)
        for path, members in document.objects:
            if not (
                any(map(_may_be_derived, members))
                or any(isinstance(value, dict | list) for value in members.values())
                or (covering and any(_is_of_coverage(str(part)) for part in path))
            ):
                continue
            figures = {k: v for k, raw in members.items() if (v := _figure(raw)) is not None}
            for key, message, others in (
                *(_shares(path, figures) if len(figures) > 2 else ()),
                *(_rates(figures) if len(figures) > 2 else ()),
                *(_differences(figures) if len(figures) > 2 else ()),
                *_savings(members, figures),
                *_by_sums(members, figures),
                *_column_sums(members, figures),
            ):
                yield doubt(
                    "arithmetic/derived",
                    message,
                    (document.source((*path, key)), *(document.source((*path, *other)) for other in others)),
                )


Wrong = tuple[str, str, tuple[Path, ...]]


@lru_cache(maxsize=8_192)
def _may_be_derived(key: str) -> bool:
    return _DERIVED.search(key) is not None


@lru_cache(maxsize=8_192)
def _is_of_coverage(key: str) -> bool:
    return "coverage" in key.lower()


def _figure(raw: Any) -> Quantity | None:
    plain = number(raw)
    if plain is not None:
        return as_quantity(plain)
    only = quantities(raw) if isinstance(raw, str) and len(raw) <= 12 and "%" in raw else ()
    return only[0] if len(only) == 1 and only[0].dimension == "percent" else None


def _tokens(key: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", key.lower()))


def _shares(path: Path, figures: Mapping[str, Quantity]) -> Iterator[Wrong]:
    """A percentage beside its part and whole: ``rejected_percent``, ``rows_rejected``, ``rows``."""
    for key, stated in figures.items():
        coverage = stated.dimension == "percent" or key in {"percent", "coverage", "total"}
        words = _tokens(key)
        if not words & {"percent", "pct", "share"} and not (
            coverage and "coverage" in "/".join(map(str, path)).lower()
        ):
            continue
        for part_key, part in figures.items():
            whole_key = _whole_of(part_key, figures)
            distinct = _tokens(part_key) - _tokens(whole_key or "")
            meant = (words & distinct) or (
                "covered" in distinct and not words - {"percent", "pct", "coverage", "total", "line", "branch"}
            )
            if (
                whole_key is None
                or part_key == key
                or not meant
                or key in {whole_key, part_key}
                or not figures[whole_key].value
            ):
                continue
            exact = 100 * part.value / figures[whole_key].value
            of_one = 0 < stated.value <= 1 and abs(100 * stated.value - exact) < 200 * stated.step * (1 + 1e-9)
            if abs(stated.value - exact) >= 2 * stated.step * (1 + 1e-9) and not of_one:
                yield (
                    key,
                    f"{part.value:g} of {figures[whole_key].value:g} is {exact:.4g}%, not {stated.value:g}%",
                    ((part_key,), (whole_key,)),
                )


def _whole_of(part_key: str, figures: Mapping[str, Quantity]) -> str | None:
    """Return the key of the whole that a part belongs to: its noun alone, or with ``total``."""
    words = _tokens(part_key)
    candidates = [
        key
        for key in figures
        if key != part_key and len(words) > 1 and (rest := _tokens(key) - {"total", "all"}) and rest < words
    ]
    return candidates[0] if len(candidates) == 1 else None


def _rates(figures: Mapping[str, Quantity]) -> Iterator[Wrong]:
    """``rows_per_second`` beside rows and a duration."""
    for key, stated in figures.items():
        match = re.fullmatch(r"(\w{1,40}?)_per_(second|minute|hour)", key)
        spans = [
            (k, _SECONDS[m.group(1)])
            for k in figures
            if (m := re.fullmatch(r"(?:total_|load_)?duration_(seconds|s|minutes|ms|hours)", k))
        ]
        if match is None or len(spans) != 1:
            continue
        noun = match.group(1)
        amounts = [
            k for k in figures if k in {noun, f"{noun}_total", f"total_{noun}", f"{noun}_loaded", f"{noun}_count"}
        ]
        seconds = figures[spans[0][0]].value * spans[0][1] / {"second": 1, "minute": 60, "hour": 3600}[match.group(2)]
        if len(amounts) == 1 and seconds:
            exact = figures[amounts[0]].value / seconds
            if abs(stated.value - exact) > max(2 * stated.step, 0.01 * exact):
                amount, span = figures[amounts[0]].value, figures[spans[0][0]].value
                yield (
                    key,
                    f"{amount:g} in {span:g} is {exact:.4g}, not {stated.value:g}",
                    ((amounts[0],), (spans[0][0],)),
                )


def _differences(figures: Mapping[str, Quantity]) -> Iterator[Wrong]:
    """``difference_eur`` beside exactly two other members that end the same way."""
    for key, stated in figures.items():
        match = re.fullmatch(r"(?:difference|delta|diff|gap)(_\w{1,20})?", key)
        if match is None:
            continue
        suffix = match.group(1) or ""
        others = [k for k in figures if k != key and (k.endswith(suffix) if suffix else "_" not in k)]
        if len(others) == 2:
            exact = abs(figures[others[0]].value - figures[others[1]].value)
            if abs(abs(stated.value) - exact) > 2 * stated.step + 1e-6:
                yield (
                    key,
                    f"{others[0]} and {others[1]} differ by {exact:g}, not {stated.value:g}",
                    ((others[0],), (others[1],)),
                )


def _savings(members: Mapping[str, object], figures: Mapping[str, Quantity]) -> Iterator[Wrong]:
    """Time saved is sequential less parallel time, and its percentage is of the sequential time."""
    if not any("sav" in key for key in members):
        return
    times = {
        k: v for k, v in figures.items() if re.search(r"(?:sequential|parallel|saved)_(?:minutes|seconds|hours)\Z", k)
    }
    by_kind = {kind: k for kind in ("sequential", "parallel", "saved") for k in times if k.startswith(kind)}
    minutes: dict[str, tuple[float, Path]] = {kind: (times[k].value, (k,)) for kind, k in by_kind.items()}
    for name, raw in members.items():
        if isinstance(raw, str) and len(raw) < 200:
            for quantity, kind in spoken_times(raw, name):
                minutes.setdefault(kind, (quantity.base / 60_000, (name,)))
    if "sequential" not in minutes or "parallel" not in minutes:
        return
    (sequential, s_at), (parallel, p_at) = minutes["sequential"], minutes["parallel"]
    if "saved" in by_kind and abs(times[by_kind["saved"]].value - (sequential - parallel)) > 0.5:
        yield (
            by_kind["saved"],
            f"{sequential:g} less {parallel:g} is {sequential - parallel:g}, not {times[by_kind['saved']].value:g}",
            (s_at, p_at),
        )
    for key, raw in members.items():
        if not re.match(r"saved|time_saved|savings", key) or key in by_kind.values() or not sequential:
            continue
        share = (
            figures[key]
            if key in figures
            else next((q for q in quantities(text(raw)) if q.dimension == "percent"), None)
        )
        exact = 100 * (sequential - parallel) / sequential
        percent = share is not None and (share.dimension == "percent" or "percent" in key)
        if share is not None and percent and abs(share.value - exact) >= 2 * share.step:
            yield (
                key,
                f"{sequential - parallel:g} of {sequential:g} is {exact:.4g}%, not {share.value:g}%",
                (s_at, p_at),
            )
        spans = [q for q in quantities(text(raw)[:80]) if q.dimension == "time" and q.unit != "m"]
        told = sum(q.base for q in spans[:2]) / 60_000
        if spans and abs(told - (sequential - parallel)) > max(1.0, 2 * spans[-1].step / 60_000):
            yield (
                key,
                f"{sequential:g} less {parallel:g} minutes is {sequential - parallel:g}, not {told:g}",
                (s_at, p_at),
            )


def _by_sums(members: Mapping[str, object], figures: Mapping[str, Quantity]) -> Iterator[Wrong]:
    """``by_country_eur`` must add up to one of the members that end the same way."""
    for key, raw in members.items():
        match = re.fullmatch(r"(?:by|per)_[a-z]{1,30}(_[a-z]{1,20})", key)
        parts = [number(v) for v in mapping(raw).values()]
        same = [
            k for k in figures if match and k.endswith(match.group(1)) and not re.match(r"difference|delta|diff|gap", k)
        ]
        if match is None or len(parts) < 2 or any(p is None for p in parts) or not same:
            continue
        amount = sum(p for p in parts if p is not None)
        if all(abs(amount - figures[k].value) > 0.01 + 2 * figures[k].step for k in same):
            yield key, f"{key} adds up to {amount:.10g}, which is none of {', '.join(same)}", tuple((k,) for k in same)


def _column_sums(members: Mapping[str, object], figures: Mapping[str, Quantity]) -> Iterator[Wrong]:
    """``rows_total`` beside ``sources: [{rows}, ...]``, ``model_tests`` beside ``models: {name: {tests}}``."""
    for container, raw in members.items() if figures else ():
        if not isinstance(raw, dict | list):
            continue
        rows = [
            mapping(v)
            for v in (mapping(raw).values() if isinstance(raw, dict) else sequence(raw))
            if isinstance(v, dict)
        ]
        size = len(mapping(raw)) if isinstance(raw, dict) else len(sequence(raw))
        if len(rows) < 2 or len(rows) != size:
            continue
        single = container.removesuffix("s")
        for field in rows[0]:
            values = [number(row.get(field)) for row in rows]
            if _NO_SUM.search(field) or any(v is None for v in values):
                continue
            amount = sum(v for v in values if v is not None)
            for key in (
                f"{field}_total",
                f"total_{field}",
                f"{single}_{field}",
                field if field in {"passed", "failed", "total", "tests"} else "",
            ):
                if key in figures and abs(figures[key].value - amount) > 2 * figures[key].step:
                    yield (
                        key,
                        f"{key} is {figures[key].value:g}, and {field} of {container} adds up to {amount:g}",
                        ((container,),),
                    )
            summed = _whole_beside(members, container, field)
            if summed is not None and summed[1] != amount:
                yield (
                    container,
                    f"{field} of {container} adds up to {amount:g}, and {summed[0][0]} says {summed[1]:g}",
                    (summed[0],),
                )


def _whole_beside(members: Mapping[str, object], container: str, field: str) -> tuple[Path, float] | None:
    """Return what an object of totals beside results says of one of their fields."""
    if container not in {"results", "suites", "by_suite", "by_kind"} or field not in {
        "passed",
        "failed",
        "total",
        "tests",
    }:
        return None
    for name in ("total", "totals", "overall", "all"):
        amount = number(mapping(members.get(name)).get(field))
        if amount is not None:
            return (name, field), amount
    return None
