from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.documents.verification import CriterionResult, Evidence, WaiverEntry
from contexts.spec.model import Criterion, Spec, Verification
from contexts.verification.criteria import decide, parse_target
from tests.contexts.verification.made import counts, coverage, ran

CHECKS = ("unit", "e2e", "backend-tests", "coverage", "speed")


def spec(*criteria: str | dict[str, Any]) -> Spec:
    made = Spec.model_validate(
        {
            "workflow_id": "feature",
            "parallel_tasks": ({"task_id": "api", "agent": "developer"},),
            "verification": {"checks": tuple({"id": name, "argv": ("true",)} for name in CHECKS)},
            "success_criteria": {"api": criteria},
        }
    )
    assert isinstance(made.verification, Verification)
    return made


def judged(criterion: str | dict[str, Any], *evidence: Evidence, waivers: Any = ()) -> CriterionResult:
    decided = [WaiverEntry.model_validate_json(json.dumps(one)) for one in waivers]
    (result,) = decide(spec(criterion), evidence, decided)
    return result


def status(criterion: str | dict[str, Any], *evidence: Evidence) -> str:
    return judged(criterion, *evidence).status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">= 90", (">=", 90)), ("<100", ("<", 100)), ("> 1.5 %", (">", 1.5)), ("== 0", ("==", 0)), ("= 3", ("=", 3)),
        ("!= 2", ("!=", 2)), ("<= -4", ("<=", -4)),
    ],
)  # fmt: skip
def test_a_target_is_a_comparison_and_a_number(text: str, expected: tuple[str, float]) -> None:
    assert parse_target(text) == expected


@pytest.mark.parametrize("text", ["", "90", "about 90", ">= ninety", ">= 90ms", ">> 3", "> 1e5", "> nan", ">= 90 > 3"])
def test_anything_else_is_no_target(text: str) -> None:
    with pytest.raises(ValueError, match="comparison and a number"):
        parse_target(text)


def test_a_structured_criterion_ends_as_its_check_did() -> None:
    wanted = {"text": "Works", "check": "unit"}
    assert status(wanted, ran("unit")) == "met"
    assert status(wanted, ran("unit", "failed", reason="2 tests failed")) == "unmet"
    assert status(wanted, ran("unit", "unverified", reason="no such program")) == "unverified"
    assert status(wanted, ran("e2e")) == "unverified"
    assert status(wanted) == "unverified"
    assert judged(wanted, ran("unit", "failed", reason="2 tests failed")).reason == "check unit failed: 2 tests failed"
    assert judged(wanted, ran("unit", "unverified")).reason == "check unit: could not run"
    assert judged(wanted, ran("unit")).evidence == ["unit"]
    assert judged(wanted).evidence == []


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        (">= 90", 90, "met"), (">= 90", 89.99, "unmet"), ("> 90", 90, "unmet"), ("< 100", 99, "met"),
        ("<= 100", 100, "met"), ("< 100", 100, "unmet"), ("== 3", 3.0, "met"), ("= 3", 4, "unmet"), ("!= 3", 4, "met"),
    ],
)  # fmt: skip
def test_a_metric_is_compared_with_its_target(target: str, value: float, expected: str) -> None:
    wanted = {"text": "Fast", "check": "speed", "metric": "requests.profile.p99_ms", "target": target}
    result = {"requests": {"profile": {"p99_ms": value}}}
    assert status(wanted, ran("speed", kind="performance", result=result)) == expected


@pytest.mark.parametrize("result", [None, {}, {"p99": None}, {"p99": "45"}, {"p99": True}, {"p99": [1]}, {"other": 1}])
def test_a_metric_without_a_number_is_unverified(result: Any) -> None:
    wanted = {"text": "Fast", "check": "speed", "metric": "p99", "target": "< 100"}
    assert status(wanted, ran("speed", result=result)) == "unverified"
    assert status({**wanted, "metric": "p99.ms"}, ran("speed", result=result)) == "unverified"


@pytest.mark.parametrize("target", [None, "fast", ""])
def test_a_metric_without_a_usable_target_is_unverified_and_stops_nobody(target: str | None) -> None:
    given_criterion = Criterion(text="Fast", check="speed", metric="p99", target=target)
    made = spec("x").model_copy(update={"success_criteria": {"api": (given_criterion,)}})
    (result,) = decide(made, [ran("speed", result={"p99": 3})])
    assert result.status == "unverified"


def test_a_good_number_out_of_a_failed_check_proves_nothing() -> None:
    wanted = {"text": "Fast", "check": "speed", "metric": "p99", "target": "< 100"}
    found = judged(wanted, ran("speed", "failed", result={"p99": 3}, reason="exit code 1"))
    assert found.status == "unmet"
    assert found.reason == "check speed failed: exit code 1 (p99 is 3, target < 100)"


@pytest.mark.parametrize(
    "text",
    [
        "All tests passing",
        "all tests pass",
        "Tests pass.",
        "All tests are passing",
        "All tests pass in CI",
        "The tests must pass",
    ],
)
def test_all_tests_passing_is_decided_by_every_check_of_tests(text: str) -> None:
    assert status(text, ran("unit", result=counts(5)), ran("e2e", result=counts(2))) == "met"
    assert (
        "7 tests passed in e2e, unit"
        in judged(text, ran("unit", result=counts(5)), ran("e2e", result=counts(2))).reason
    )
    assert status(text, ran("unit"), ran("e2e", "failed")) == "unmet"
    assert status(text, ran("unit"), ran("e2e", "unverified")) == "unverified"
    assert status(text, ran("unit", "unverified"), ran("e2e", "failed")) == "unmet"
    assert status(text, ran("unit", kind="command"), ran("coverage", kind="coverage")) == "unverified"
    assert status(text) == "unverified"


def test_tests_without_a_report_are_met_by_their_exit_code_and_said_so() -> None:
    assert judged("All tests pass", ran("unit")).reason == "unit passed (no report counts the tests)"


def test_a_report_without_a_passed_test_is_no_evidence() -> None:
    assert status("All tests pass", ran("unit", result=counts(0))) == "unverified"
    assert status("All tests pass", ran("unit", result=counts(3)), ran("e2e", result=counts(0))) == "unverified"


def test_tests_of_a_kind_are_decided_by_checks_called_so() -> None:
    assert status("E2E tests pass", ran("unit"), ran("e2e")) == "met"
    assert status("E2E tests pass", ran("unit", "failed"), ran("e2e")) == "met"
    assert status("E2E tests pass", ran("unit")) == "unverified"
    assert status("All backend tests pass", ran("backend-tests"), ran("e2e", "failed")) == "met"
    assert status("All backend tests pass", ran("unit")) == "unverified"


@pytest.mark.parametrize(
    "text", ["No tests pass", "Not all tests pass", "Few tests pass", "0 tests pass", "Tests never pass"]
)
def test_words_that_turn_the_meaning_around_are_not_met_by_passing_tests(text: str) -> None:
    assert status(text, ran("unit", result=counts(5))) == "unverified"


@pytest.mark.parametrize(
    ("text", "percent", "expected"),
    [
        ("Test coverage >90%", 90.01, "met"), ("Test coverage >90%", 90, "unmet"), ("Coverage >= 90 %", 90, "met"),
        ("coverage 80%", 80, "met"), ("code coverage of 80%", 79, "unmet"), ("coverage at least 80.5%", 80.5, "met"),
        ("Coverage <5%", 4, "met"), ("coverage <= 5%.", 6, "unmet"),
    ],
)  # fmt: skip
def test_coverage_in_words_is_compared_with_what_was_measured(text: str, percent: float, expected: str) -> None:
    assert status(text, ran("coverage", kind="coverage", result=coverage(percent))) == expected


def test_the_lowest_of_several_coverages_decides() -> None:
    found = judged("Coverage >90%", ran("unit", result=coverage(95)), ran("e2e", result=coverage(50)))
    assert (found.status, found.evidence) == ("unmet", ["e2e"])


def test_coverage_nobody_measured_is_unverified() -> None:
    text = "Test coverage >90%"
    for evidence in (
        [],
        [ran("unit")],
        [ran("unit", result=counts(5))],
        [ran("coverage", "failed", result=coverage(99))],
        [ran("coverage", "unverified", result=coverage(99))],
        [ran("coverage", result=coverage(None))],
        [ran("coverage", result={"coverage": {"files": {}}})],
    ):
        assert status(text, *evidence) == "unverified"


def test_branch_and_line_coverage_are_what_they_say() -> None:
    found = ran("coverage", result=coverage(95, branch_percent=60, line_percent=99))
    assert status("Branch coverage >90%", found) == "unmet"
    assert status("Line coverage >98%", found) == "met"
    assert status("Branch coverage >90%", ran("coverage", result=coverage(95))) == "unverified"
    assert status("Frontend coverage >90%", found) == "unverified"


@pytest.mark.parametrize(
    "text",
    ["Form validation with Zod", "Response time <100ms", "Component tests >85% coverage", "Tests", "x" * 500, "passed"],
)
def test_other_words_are_unverified_however_much_passed(text: str) -> None:
    everything = [ran(name, result={**counts(9), **coverage(100)}) for name in CHECKS]
    found = judged(text, *everything)
    assert (found.status, found.evidence) == ("unverified", [])
    assert "name one with 'check'" in found.reason


def test_a_waiver_lifts_what_is_not_met_and_says_who_and_why() -> None:
    waiver = {"target": "api.1", "by": "Kim", "why": "later", "timestamp": "2026-01-15T09:00:00Z"}
    found = judged({"text": "Works", "check": "unit"}, ran("unit", "failed"), waivers=[waiver])
    assert found.status == "waived"
    assert found.reason == "waived by Kim: later (it was unmet: check unit failed)"
    assert judged("Anything", waivers=[waiver]).status == "waived"
    assert judged({"text": "Works", "check": "unit"}, ran("unit"), waivers=[waiver]).status == "met"
    assert judged({"text": "Works", "id": "named"}, waivers=[waiver]).status == "unverified"
    assert judged({"text": "Works", "id": "named"}, waivers=[{**waiver, "target": "named"}]).status == "waived"


def test_blank_criteria_are_none_and_the_others_keep_their_numbers() -> None:
    assert [one.id for one in decide(spec("a", "  ", "b"), [])] == ["api.1", "api.3"]


def test_what_is_not_required_says_so() -> None:
    assert judged({"text": "Nice", "required": False}).required is False


words = st.sampled_from(
    [
        "all",
        "no",
        "tests",
        "test",
        "pass",
        "passing",
        "coverage",
        ">",
        "90%",
        ">90%",
        "e2e",
        "unit",
        "are",
        "not",
        "the",
    ]
)


@given(
    st.lists(words, min_size=1, max_size=7).map(" ".join)
    | st.fixed_dictionaries(
        {"text": st.just("x")},
        optional={
            "check": st.sampled_from(CHECKS),
            "metric": st.sampled_from(["coverage.percent", "tests.passed"]),
            "target": st.sampled_from([">= 0", "< 1000", "> 90"]),
        },
    ),
    st.lists(
        st.builds(
            ran,
            st.sampled_from(CHECKS),
            st.sampled_from(["failed", "unverified", "passed"]),
            st.sampled_from(["tests", "coverage", "command"]),
            result=st.sampled_from([None, {}, counts(3), coverage(95), {**counts(1), **coverage(99)}]),
        ),
        max_size=4,
        unique_by=lambda one: one.check,
    ),
)
def test_nothing_is_ever_met_without_a_passed_check_that_it_names(
    criterion: str | dict[str, Any], evidence: list[Evidence]
) -> None:
    found = judged(criterion, *evidence)
    passed = {one.check for one in evidence if one.status == "passed"}
    if found.status == "met":
        assert found.evidence
        assert set(found.evidence) <= passed
    assert status(criterion) == "unverified"
