"""Success criteria in words about response times, errors and throughput, decided by the figures of a load."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from contexts.documents.base import Number
from contexts.documents.figures import RequestFigures
from contexts.documents.verification import Evidence
from contexts.text.quantities import Bound, read
from contexts.text.subjects import stem, subject

_SPEAKS_OF_TIME = re.compile(r"respon|latenc|\bapi\b|request|endpoint|\bp ?\d\d\b|percentile", re.IGNORECASE)
_SPEAKS_OF_ERRORS = re.compile(r"\berrors?\b|\bfailures?\b|\bfail", re.IGNORECASE)
_TOPIC = frozenset(
    stem(word)
    for word in """
    response responses respond time times latency latencies api request requests endpoint endpoints percentile average
    mean median avg max maximum error errors failure failures rate rates throughput load under below within less than
    more most least ms msec millisecond milliseconds s sec secs second seconds percent per rps qps tps req
    """.split()  # noqa: SIM905 - a paragraph reads better than sixty quoted words
)
_STATISTIC = re.compile(r"\bp ?\d\d\b|\b\d\d(?:th|st|nd|rd)\b", re.IGNORECASE)
_KEYS = {"p50": "p50_ms", "p95": "p95_ms", "p99": "p99_ms", "avg": "mean_ms", "max": "max_ms"}


@dataclass(frozen=True, slots=True)
class PerformanceVerdict:
    """How a criterion in words ended against the figures of loads."""

    status: Literal["met", "unmet", "unverified"]
    reason: str
    checks: tuple[str, ...]


def judge_performance(text: str, by_check: Mapping[str, Evidence]) -> PerformanceVerdict | None:
    """Decide a criterion such as ``Response time <100ms`` or ``P95 under 200 ms`` by the worst request it speaks of.

    Without a named statistic the 99th percentile counts. Words that name a request (of its id, method or path) narrow
    the criterion to such requests; words that name nothing that was measured leave it undecided.

    Returns:
        None where the words are about something no load measures.
    """
    bounds = read(text, bare_is="target").bounds
    keys = [_key(text, bound) for bound in bounds]
    if not bounds or None in keys:
        return None
    about = subject(_STATISTIC.sub(" ", text)).stems - _TOPIC
    figures = {
        (name, request): values
        for name, one in by_check.items()
        if one.status != "unverified" and one.figures.performance
        for request, values in one.figures.performance.requests.items()
    }
    meant = {place: values for place, values in figures.items() if about <= _words(place[1], values)}
    if not meant:
        return None
    lines: list[str] = []
    checks: list[str] = []
    met = True
    for bound, key in zip(bounds, keys, strict=True):
        found = {place: value for place, values in meant.items() if (value := _figure(values, key)) is not None}
        if len(found) < len(meant):
            missing = next(place for place in meant if place not in found)
            return PerformanceVerdict("unverified", f"{missing[1]} of {missing[0]} has no {key}", (missing[0],))
        choose = max if bound.upper else min
        name, request = place = choose(found, key=lambda one: found[one])
        met = met and bound.allows(found[place])
        lines.append(f"{key} of {request} is {found[place]:g}, target {bound}")
        checks.append(name)
    reason = f"{'; '.join(lines)} ({', '.join(dict.fromkeys(checks))})"
    failed = sorted({name for name, _ in meant if by_check[name].status == "failed"})
    errors = sum(values.errors for values in meant.values())
    if met and failed and errors and set(keys) != {"error_percent"}:
        # Times are those of the requests that were answered; more failed than the check allows.
        return PerformanceVerdict("unmet", f"{errors} requests failed; {reason}", tuple(failed))
    return PerformanceVerdict("met" if met else "unmet", reason, tuple(dict.fromkeys(checks)))


def _key(text: str, bound: Bound) -> str | None:
    dimension = bound.quantity.dimension
    if dimension == "time" and bound.upper and _SPEAKS_OF_TIME.search(text):
        return _KEYS.get(bound.statistic or "p99")
    if dimension == "percent" and bound.upper and _SPEAKS_OF_ERRORS.search(text):
        return "error_percent"
    if dimension == "rate" and not bound.upper:
        return "per_second"
    return None


def _figure(values: RequestFigures, key: str | None) -> Number | None:
    figures: Mapping[str | None, Number | None] = {
        "p50_ms": values.p50_ms, "p95_ms": values.p95_ms, "p99_ms": values.p99_ms, "mean_ms": values.mean_ms,
        "max_ms": values.max_ms, "error_percent": values.error_percent, "per_second": values.per_second,
    }  # fmt: skip
    return figures.get(key)


def _words(request: str, values: RequestFigures) -> frozenset[str]:
    told = f"{request} {values.method} {values.path}"
    return subject(re.sub(r"[/_.?=&-]", " ", told)).stems
