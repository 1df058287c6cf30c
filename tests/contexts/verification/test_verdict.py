from __future__ import annotations

from typing import Any

import pytest

from contexts.documents.findings import Finding, Waived
from contexts.documents.verification import CriterionResult, WaiverEntry
from contexts.spec.model import Spec
from contexts.verification.verdict import STATE_NAMES, Verdict, reach_verdict
from tests.contexts.verification.made import ran


def spec(**fields: Any) -> Spec:
    return Spec.model_validate(
        {
            "workflow_id": "feature",
            "parallel_tasks": (
                {"task_id": "api", "agent": "developer"},
                {"task_id": "web", "agent": "developer"},
                {"task_id": "docs", "agent": "writer", "required": False},
            ),
            "verification": {
                "checks": ({"id": "unit", "argv": ("x",)}, {"id": "lint", "argv": ("x",), "required": False})
            },
            **fields,
        }
    )


def criterion(status: Any, *, required: bool = True) -> CriterionResult:
    return CriterionResult(id="api.1", text="x", required=required, status=status, reason="because")


DONE = {"api": "completed", "web": "completed", "docs": "completed"}
WHO = {"by": "Kim", "why": "later", "timestamp": "2026-01-15T09:00:00Z"}
WAIVER = WaiverEntry(target="unit", **WHO)
BLOCKING = Finding(rule="contract/response", severity="blocking", message="the page expects another field")
WAIVED = BLOCKING.changed(waived=Waived(**WHO))


def verdict(made: Spec | None = None, **fields: Any) -> Verdict:
    known: dict[str, Any] = {
        "tracks": DONE,
        "left_out": (),
        "evidence": [ran()],
        "criteria": (),
        "findings": (),
        **fields,
    }
    return reach_verdict(made or spec(), **known)


def test_all_tracks_done_and_all_required_checks_passed_is_verified() -> None:
    found = verdict(criteria=[criterion("met"), criterion("waived")])
    assert found == Verdict("verified", 0, ())
    assert (found.phase, STATE_NAMES[found.status]) == ("integration-verified", "Completed")


@pytest.mark.parametrize("status", ["failed", "blocked", "cancelled", "pending", "running"])
def test_a_required_track_that_is_not_completed_makes_the_run_partial(status: str) -> None:
    found = verdict(tracks={**DONE, "web": status})
    assert (found.status, found.exit_code, STATE_NAMES[found.status]) == ("partial", 3, "Partial")
    assert found.reasons == (f"required track web {status}",)
    assert verdict(tracks={**DONE, "docs": status}).status == "verified"


def test_a_required_track_nobody_speaks_of_makes_the_run_partial() -> None:
    assert verdict(tracks={"api": "completed"}).reasons == ("required track web never ran",)


def test_a_branch_that_was_left_out_makes_the_run_partial() -> None:
    found = verdict(left_out=["docs"])
    assert (found.exit_code, found.reasons) == (3, ("branch of track docs conflicts and was left out",))


def test_a_quorum_counts_completed_tracks_and_no_longer_asks_which() -> None:
    made = spec(policy={"quorum": 2})
    assert verdict(made, tracks={**DONE, "web": "failed"}).status == "verified"
    found = verdict(made, tracks={**DONE, "web": "failed", "docs": "failed"})
    assert found.reasons == ("1 of 2 tracks that make the quorum completed",)
    assert found.exit_code == 3
    assert verdict(made, tracks=DONE, left_out=["web"]).exit_code == 3
    assert verdict(made, tracks={}).reasons == ("0 of 2 tracks that make the quorum completed",)


def test_a_blocking_finding_fails_and_only_a_waiver_lifts_it() -> None:
    found = verdict(findings=[BLOCKING])
    assert (found.status, found.exit_code) == ("verification-failed", 1)
    assert (found.phase, STATE_NAMES[found.status]) == ("verification-failed", "VerificationFailed")
    assert found.reasons == ("contract/response: the page expects another field",)
    assert verdict(findings=[WAIVED]).status == "verified"
    assert verdict(findings=[WAIVED, BLOCKING]).exit_code == 1


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_other_findings_do_not_fail(severity: str) -> None:
    assert verdict(findings=[BLOCKING.changed(severity=severity)]).status == "verified"


def test_a_required_check_that_failed_fails_and_only_a_waiver_lifts_it() -> None:
    bad = [ran(status="failed", reason="2 tests failed")]
    found = verdict(evidence=bad)
    assert (found.status, found.reasons) == ("verification-failed", ("check unit failed: 2 tests failed",))
    assert verdict(evidence=[ran(status="failed")]).reasons == ("check unit failed: see its log",)
    assert verdict(evidence=bad, waivers=[WAIVER]).status == "verified"


def test_a_required_check_that_could_not_run_is_incomplete_never_passed() -> None:
    found = verdict(evidence=[ran(status="unverified")])
    assert (found.status, found.exit_code) == ("verification-incomplete", 1)
    assert (found.phase, STATE_NAMES[found.status]) == ("verification-incomplete", "VerificationIncomplete")
    assert found.reasons == ("check unit could not be verified: it did not run",)
    assert verdict(evidence=[ran(status="unverified")], waivers=[WAIVER]).status == "verified"


def test_a_required_check_without_any_evidence_is_incomplete() -> None:
    found = verdict(evidence=[ran("lint")])
    assert (found.status, found.reasons) == ("verification-incomplete", ("check unit gave no evidence",))
    assert verdict(evidence=[], waivers=[WAIVER]).status == "verified"


@pytest.mark.parametrize("status", ["failed", "unverified"])
def test_a_check_that_is_not_required_decides_nothing(status: str) -> None:
    assert verdict(evidence=[ran(), ran("lint", status)]).status == "verified"


def test_unmet_and_unverified_criteria_count_where_they_are_required() -> None:
    assert verdict(criteria=[criterion("unmet")]).status == "verification-failed"
    assert verdict(criteria=[criterion("unverified")]).status == "verification-incomplete"
    assert (
        verdict(criteria=[criterion("unmet", required=False), criterion("unverified", required=False)]).exit_code == 0
    )


def test_what_weighs_more_comes_first_and_everything_is_told() -> None:
    found = verdict(
        tracks={**DONE, "api": "failed"},
        findings=[BLOCKING],
        criteria=[criterion("unverified"), criterion("unmet")],
        evidence=[ran(status="failed")],
    )
    assert found.status == "partial"
    assert [reason.split()[0] for reason in found.reasons] == [
        "required", "contract/response:", "check", "criterion", "criterion",
    ]  # fmt: skip
    assert verdict(criteria=[criterion("unverified"), criterion("unmet")]).status == "verification-failed"


def test_a_spec_with_nothing_to_verify_is_completed_and_says_so() -> None:
    found = verdict(spec(verification={}), evidence=[])
    assert (found.status, found.exit_code, found.phase) == ("completed", 0, "integration-unverified")
    assert "nothing was verified" in found.reasons[0]


def test_a_spent_budget_outranks_a_partial_run() -> None:
    found = verdict(tracks={**DONE, "web": "out-of-budget", "api": "failed"})
    assert (found.status, found.exit_code, STATE_NAMES[found.status]) == ("out-of-budget", 4, "OutOfBudget")
