from __future__ import annotations

from typing import get_args

import pytest

from contexts.spec.checks import Check
from contexts.verification.areas import AREAS, areas_of
from tests.contexts.verification.made import counts, ran

FIVE = {"api_contract_alignment", "test_execution", "performance", "security", "database_migration"}


def test_every_kind_of_check_belongs_to_one_of_the_five_areas() -> None:
    assert set(AREAS) == {get_args(kind)[1].tag for kind in get_args(get_args(Check)[0])}
    assert set(AREAS.values()) == FIVE


def test_an_area_without_evidence_is_unverified() -> None:
    areas = areas_of([]).to_json()
    assert areas.keys() == FIVE
    assert {area["status"] for area in areas.values()} == {"unverified"}
    assert all(area["checks"] == [] and area["reason"] for area in areas.values())


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["passed"], "passed"), (["passed", "unverified"], "unverified"), (["unverified", "failed"], "failed"),
        (["passed", "failed"], "failed"),
    ],
)  # fmt: skip
def test_an_area_is_as_bad_as_its_worst_check(statuses: list[str], expected: str) -> None:
    evidence = [ran(f"c{number}", status) for number, status in enumerate(statuses)]
    areas = areas_of(evidence).to_json()
    assert (areas["test_execution"]["status"], areas["security"]["status"]) == (expected, "unverified")


def test_every_entry_of_an_area_carries_its_evidence() -> None:
    full = ran("unit", exit_code=0, tree="t", result=counts(1), log={"sha256": "0", "size": 1}, reason="")
    (line,) = areas_of([full]).to_json()["test_execution"]["checks"]
    assert line == {
        "check": "unit", "status": "passed", "exit_code": 0, "seconds": 1, "tree": "t",
        "result": counts(1), "log": {"sha256": "0", "size": 1},
    }  # fmt: skip


def test_tests_are_counted_by_check_and_in_all() -> None:
    evidence = [
        ran("unit", "failed", result=counts(299, 300)),
        ran("e2e", result=counts(19)),
        ran("lint", kind="command"),
    ]
    area = areas_of(evidence).to_json()["test_execution"]
    assert area["results"] == {"unit": "299/300 passed (99%)", "e2e": "19/19 passed (100%)"}
    assert area["total"] == "318/319 tests passed (99%)"


def test_times_stand_beside_their_targets_and_no_tick_does() -> None:
    figures = {
        "method": "GET", "path": "/api/profile", "count": 200, "errors": 3, "p50_ms": 42.0, "p95_ms": 78.5, "p99_ms": 220,
        "targets": {"p95_ms": 100, "p99_ms": 200, "errors": 0}, "error_percent": 1.5, "concurrency": 1,
        "per_second": 9, "status": {"200": 197}, "met": False,
    }  # fmt: skip
    whole = {"errors": 6, "count": 400, "percentile": "nearest rank", "ready_seconds": 1, "floor_ms": 0.1}
    result = {"performance": {**whole, "requests": {"one": figures, "two": figures}}}
    evidence = [ran("load", "failed", kind="performance", result=result)]
    said = "P50: 42ms, P95: 78.5ms, P99: 220ms, 3 of 200 requests failed (target P95 <= 100ms, P99 <= 200ms)"
    assert areas_of(evidence).to_json()["performance"]["measurements"] == {
        "GET /api/profile": said,
        "GET /api/profile (two)": said,
    }


def test_the_migration_is_the_head_that_was_reached() -> None:
    one = ran("schema", kind="migrations", result={"migrations": {"heads": ["003"]}})
    assert areas_of([one]).to_json()["database_migration"]["migration"] == "003"


def test_areas_without_figures_have_no_such_lines() -> None:
    areas = areas_of([ran("unit"), ran("load", "unverified", kind="performance")]).to_json()
    assert areas["test_execution"].keys() == {"status", "checks"}
    assert areas["performance"].keys() == {"status", "checks"}
