"""What counts as worse between two verifications."""

from typing import Any

import pytest

from contexts.verification.regressions import find_regressions, unmet_now


def verification(criterion: str = "met", check: str = "passed", **result: Any) -> dict[str, Any]:
    return {
        "criteria": [{"id": "c", "status": criterion, "required": True}],
        "evidence": [{"check": "k", "status": check, "result": result}],
    }


@pytest.mark.parametrize(
    ("before", "now", "worse"),
    [
        ("met", "unmet", True),
        ("met", "unverified", True),
        ("waived", "unmet", True),
        ("unverified", "unmet", True),
        ("unmet", "unverified", False),
        ("unmet", "met", False),
        ("met", "waived", False),
    ],
)
def test_a_criterion_gets_worse_from_met_over_unverified_to_unmet(before: str, now: str, worse: bool) -> None:
    found = find_regressions(verification(before), verification(now))
    assert [(one.what, one.before, one.now) for one in found] == ([("criterion", before, now)] if worse else [])


def test_less_coverage_and_fewer_passing_tests_are_worse() -> None:
    before = verification(coverage={"percent": 91.5}, tests={"passed": 10})
    now = verification(coverage={"percent": 90.0}, tests={"passed": 9})
    assert [(one.what, one.before, one.now) for one in find_regressions(before, now)] == [
        ("coverage", "91.5", "90"),
        ("tests", "10", "9"),
    ]
    assert find_regressions(now, before) == ()


def test_what_only_one_of_them_has_is_not_compared() -> None:
    assert find_regressions({}, verification("unmet", "failed")) == ()


def test_only_required_criteria_count_as_unmet() -> None:
    now = {"criteria": [{"id": "a", "status": "unmet", "required": False}, {"id": "b", "status": "unmet"}]}
    assert unmet_now(now) == ("b",)
