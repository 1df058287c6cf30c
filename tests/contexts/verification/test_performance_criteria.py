"""Criteria in words about times, errors and throughput, decided by what a load measured."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.verification.performance_criteria import judge_performance
from tests.contexts.verification.made import ran

WHOLE = {"errors": 0, "count": 200, "percentile": "nearest rank", "ready_seconds": 1, "floor_ms": 0.1}
PROFILE = {
    "method": "GET", "path": "/api/profile", "count": 100, "errors": 0, "error_percent": 0, "concurrency": 1,
    "per_second": 50, "status": {"200": 100}, "targets": {"errors": 0}, "met": True, "p50_ms": 20, "p95_ms": 80, "p99_ms": 120,
}  # fmt: skip
ORDERS = {**PROFILE, "path": "/api/orders", "per_second": 20, "p50_ms": 40, "p95_ms": 180, "p99_ms": 300}


def judged(text: str, check: str = "passed", **changes: Any) -> tuple[str, str] | None:
    """Status and reason after a load on two requests; changes are those of the second's figures."""
    requests = {"profile": PROFILE, "orders": {**ORDERS, **changes}}
    evidence = ran("load", check, kind="performance", result={"performance": {**WHOLE, "requests": requests}})
    found = judge_performance(text, {"load": evidence, "unit": ran()})
    return (found.status, found.reason) if found else None


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("Response time <100ms", "unmet", "p99_ms of orders is 300, target <100ms (load)"),
        ("P95 response time under 200 ms", "met", "p95_ms of orders is 180, target p95 <200ms (load)"),
        ("Profile response time below 130 ms", "met", "p99_ms of profile is 120, target <130ms (load)"),
        (
            "Throughput of at least 20 requests per second",
            "met",
            "per_second of orders is 20, target >=20 requests per second (load)",
        ),
        ("Error rate below 1%", "met", "error_percent of profile is 0, target <1% (load)"),
    ],
)
def test_the_worst_request_the_words_speak_of_decides(text: str, status: str, reason: str) -> None:
    assert judged(text) == (status, reason)


@pytest.mark.parametrize("text", ["All tests pass", "Payments answer within 100 ms", "Response times are good"])
def test_words_about_something_no_load_measured_are_left_to_others(text: str) -> None:
    assert judged(text) is None


def test_a_time_that_was_not_measured_is_unverified() -> None:
    text = "P99 response time under 500 ms"
    assert judged(text, p99_ms=None) == ("unverified", "orders of load has no p99_ms")
    assert judged(text, "unverified") is None, "a check that could not run measured nothing"


def test_quick_answers_do_not_make_up_for_requests_that_failed() -> None:
    found = judged("P99 response time under 500 ms", "failed", errors=3)
    assert found is not None
    assert (found[0], found[1].startswith("3 requests failed; ")) == ("unmet", True)
