"""What counts as worse between two verifications."""

from typing import Any

import pytest

from contexts.documents.context import Context
from contexts.documents.verification import CriterionResult, Reverification
from contexts.verification.regressions import find_regressions, unmet_now
from tests.contexts.verification.made import counts, coverage, ran

AT = "2026-01-15T09:00:00Z"


def verification(*criteria: CriterionResult, check: str = "passed", **result: Any) -> Reverification:
    evidence = [ran("k", check, result=result)]
    return Reverification(timestamp=AT, commit="c", tree="t", criteria=[*criteria], evidence=evidence, worse=[])


def criterion(status: Any, name: str = "c", *, required: bool = True) -> CriterionResult:
    return CriterionResult(id=name, text="x", required=required, status=status, reason="because")


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
    found = find_regressions(verification(criterion(before)), verification(criterion(now)))
    assert [(one.what, one.before, one.now) for one in found] == ([("criterion", before, now)] if worse else [])


def test_less_coverage_and_fewer_passing_tests_are_worse() -> None:
    before = verification(**coverage(91.5), **counts(10))
    now = verification(**coverage(90.0), **counts(9))
    assert [(one.what, one.before, one.now) for one in find_regressions(before, now)] == [
        ("coverage", "91.5", "90"),
        ("tests", "10", "9"),
    ]
    assert find_regressions(now, before) == ()


def test_what_only_one_of_them_has_is_not_compared() -> None:
    nothing = Context(version="1.0", workflow_id="shop", timestamp=AT, current_agent="a", phase="merged")
    assert find_regressions(nothing, verification(criterion("unmet"), check="failed")) == ()


def test_only_required_criteria_count_as_unmet() -> None:
    assert unmet_now(verification(criterion("unmet", "a", required=False), criterion("unmet", "b"))) == ("b",)
