"""Sentences and objects that look like a contradiction and are none, beside the same with one."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.audit import SourceDocument, audit
from contexts.audit.sample_documents import file_name, merged, parent, plan, track, verified


def told(*documents: Any) -> list[str]:
    sources = [SourceDocument(file_name(index, document), document) for index, document in enumerate(documents)]
    return [finding.rule for finding in audit(sources).findings if finding.severity != "note"]


@pytest.mark.parametrize(
    "details",
    [
        {"schedule": {"gap_days": [1, 2, 3], "total_days": 6}},
        {"coverage": {"lines_total": 900, "by_file": {"a.py": 3, "b.py": 4}, "tests": {"total": 7}}},
        {"rehearsals": {"a.spec": {"tests": 2}, "b.spec": {"tests": 3}, "total": 5}, "summary": "5 rehearsals"},
    ],
)
def test_parts_are_added_up_only_to_the_whole_they_are_parts_of(details: dict[str, Any]) -> None:
    assert told(track("api", implementation_details=details)) == []


def test_a_percentile_is_compared_with_the_target_of_the_same_percentile_only() -> None:
    criteria = {"api": ["GET /items stays below 40 ms at P95"]}
    table = "| P50 | P95 | P99 |\n| --- | --- | --- |\n| 10 ms | {} ms | 55 ms |"
    for value, expected in ((38, []), (45, ["thresholds/criterion-unmet"])):
        measured = {"performance": {"measurements": {"GET /items": table.format(value)}}}
        assert told(parent(success_criteria=criteria), verified(success_criteria=criteria, verification_results=measured)) == expected  # fmt: skip


def test_a_bandwidth_in_bits_is_compared_with_one_in_bytes() -> None:
    for value, expected in (("480 Mbit/s", []), ("448 Mbit/s", ["thresholds/target-missed"])):
        upload = {"measured": value, "target": "at least 60 MB/s"}
        assert told(verified(verification_results={"performance": {"measurements": {"upload": upload}}})) == expected


def test_requests_may_fail_in_a_load_that_passed_and_tests_may_not() -> None:
    for noun, expected in (("requests", []), ("passed", ["claims/passed-with-failures"])):
        ran = {"status": "passed", "evidence": [{"exit_code": 0, "result": {noun: 1000, "failed": 5}}]}
        assert told(verified(verification_results={"performance": ran})) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("Run the accessibility audit of the portal", ["claims/pass-beside-pending"]),
        ("Schedule the yearly accessibility review", []),
        ("External accessibility audit", []),
    ],
)
def test_an_area_passed_contradicts_its_own_verification_that_is_still_to_do(action: str, expected: list[str]) -> None:
    document = verified(verification_results={"accessibility": {"status": "passed"}}, pending_actions=[action])
    assert told(document) == expected


def test_a_step_done_in_one_environment_and_open_in_another_is_a_rollout() -> None:
    done = {"status": "completed", "migration": "0042_slots", "applied_to": ["staging"], "pending": ["production"]}
    left = {"production": {"status": "waiting", "prerequisites": ["⏳ Run database migration 0042_slots"]}}
    assert told(verified(verification_results={"database_migration": done}, deployment_readiness=left)) == []


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("✅ Data protection impact assessment signed by the officer", ["claims/approval-without-record"]),
        ("✅ Uploads are signed by the storage client", []),
        ("✅ The findings of last year's audit concern the old version", []),
    ],
)
def test_only_what_claims_an_approval_needs_its_record(claim: str, expected: list[str]) -> None:
    assert told(verified(deployment_readiness={"production": {"prerequisites": [claim]}})) == expected


def test_a_mean_is_that_of_the_tracks_it_names() -> None:
    tasks = [{"task_id": name, "test_coverage": f"{share}%"} for name, share in (("api", 90), ("ui", 80), ("e2e", 100))]
    for said, expected in (("85% average (api, ui)", []), ("88% average (api, ui)", ["arithmetic/mean"])):
        summary = {"parallel_execution_summary": {"tasks": tasks}, "metrics": {"test_coverage": said}}
        assert told(merged(**summary)) == expected


def test_coverage_by_track_names_tracks_or_what_a_document_speaks_of() -> None:
    both = (plan("api", "ui"), track("api"), track("ui", files_modified=["scripts/load.sh"]))
    for other, expected in (("scripts", []), ("share-portal", ["references/unknown-track"])):
        coverage = {"api": "90%", "ui": "80%", other: "70%"}
        assert told(*both, verified(verification_results={"tests": {"coverage": coverage}})) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2.4 s (target <2.5 s), 3.4 s on a phone that is not in the fleet", []),
        ("3.4 s (target <2.5 s), 2.4 s on another phone", ["thresholds/target-missed"]),
        ("target <2.5 s, measured 3.4 s", ["thresholds/target-missed"]),
        ("2.4 s in the last release (target <2.5 s), now 3.4 s", ["thresholds/criterion-unmet"]),
        ("2.4 s in the lab (target <2.5 s); 3.4 s in production", ["thresholds/criterion-unmet"]),
        ("2.4 s as a mock (target <2.5 s), 3.4 s on a phone, not good", ["thresholds/criterion-unmet"]),
    ],
)
def test_what_a_text_says_of_another_thing_behind_its_target_is_no_value_of_the_criterion(
    said: str, expected: list[str]
) -> None:
    criteria = {"app": ["Cold start under 2.5 s"]}
    measured = {"performance": {"cold_start": said}}
    assert told(parent(success_criteria=criteria), verified(success_criteria=criteria, verification_results=measured)) == expected  # fmt: skip


def test_a_screen_may_be_that_of_a_track_whose_document_is_not_here() -> None:
    def pages(**selectors: str) -> dict[str, Any]:
        return {"page_objects": {"Cart": {"selectors": {"sum": "[data-testid='cart-sum']", **selectors}}}}

    ui = track("ui", implementation_details={"components": {"Cart": {"test_ids": ["cart-sum"]}}})
    other = {"page_objects": {**pages()["page_objects"], "Help": {"selectors": {"close": "[data-testid='close']"}}}}
    assert told(track("e2e", implementation_details=other), ui) == []
    assert told(plan("e2e", "ui"), track("e2e", implementation_details=other), ui) == ["assumptions/selector"]
    assert told(track("e2e", implementation_details=pages(gone="[data-testid='gone']")), ui) == ["assumptions/selector"]
