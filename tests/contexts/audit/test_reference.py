"""The reference's own documents hold defects that readers have found by hand; the audit finds each at its place.

The same is tested on the project's documents in test_precision, with the defects that each corpus's expected.json names.
"""

from __future__ import annotations

import pytest

from contexts.audit import AuditReport, Finding, audit
from contexts.audit.read_files import read_documents
from tests.reference import DOCUMENTS, FOLDER

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def report() -> AuditReport:
    loaded = read_documents([DOCUMENTS])
    return audit(loaded.documents, loaded.findings)


def at(report: AuditReport, document: str, pointer: str) -> list[Finding]:
    return [f for f in report.findings if any((s.document, s.pointer) == (document, pointer) for s in f.sources)]


@pytest.mark.parametrize(
    ("document", "pointer", "rule", "severity"),
    [
        ("6-verified.json", "/verification_results/performance/measurements/PUT ~1api~1profile", "thresholds/target-missed", "warning"),
        ("1-parent.json", "/success_criteria/backend/2", "thresholds/criterion-relaxed", "warning"),
        ("2-frontend.json", "/api_contract_assumptions/POST ~1api~1profile~1:userId~1avatar/error_codes/1", "fidelity/status-code-lost", "warning"),
        ("5-merged.json", "/integration_concerns/1/backend_provides", "claims/undocumented", "warning"),
        ("2-frontend.json", "/decisions/0", "fidelity/items-lost", "blocking"),
        ("3-backend.json", "/decisions/3", "fidelity/items-changed", "blocking"),
        ("3-backend.json", "/pending_actions/1", "fidelity/items-lost", "blocking"),
        ("4-tests.json", "/test_data/test_users/0/id", "assumptions/fixture", "warning"),
        ("6-verified.json", "/verification_results/security/checks/5", "claims/pass-beside-pending", "warning"),
        ("6-verified.json", "/deployment_readiness/production/prerequisites/1", "claims/approval-without-record", "warning"),
        ("6-verified.json", "/verification_results/test_execution/results/unit_tests", "arithmetic/tests-unaccounted", "warning"),
        ("5-merged.json", "/metrics/total_test_coverage", "arithmetic/mean", "warning"),
        ("4-tests.json", "/implementation_details/page_objects/ProfileViewPage/selectors/name", "assumptions/selector", "warning"),
        ("6-verified.json", "/verification_results/performance/measurements/GET ~1api~1profile", "references/endpoint", "warning"),
    ],
)  # fmt: skip
def test_a_known_defect_is_found_at_its_place(
    report: AuditReport, document: str, pointer: str, rule: str, severity: str
) -> None:
    assert (rule, severity) in {(f.rule, f.severity) for f in at(report, document, pointer)}


def test_fifteen_of_sixteen_decisions_are_missed_in_one_finding_and_one_pair(report: AuditReport) -> None:
    lost = [f for f in report.findings if f.rule == "fidelity/items-lost" and "decisions" in f.message]
    assert len(lost) == 1
    assert "14 of 16" in lost[0].message
    places = {(s.document, s.pointer) for s in lost[0].sources if not s.document.startswith("5")}
    assert len(places) == 14
    changed = [f for f in report.findings if f.rule == "fidelity/items-changed" and "the decision " in f.message]
    assert len(changed) == 1


def test_the_only_kept_decision_is_no_finding(report: AuditReport) -> None:
    assert at(report, "3-backend.json", "/decisions/5") == []


def test_a_get_that_meets_its_target_is_no_missed_target(report: AuditReport) -> None:
    rules = {
        f.rule
        for f in at(report, "6-verified.json", "/verification_results/performance/measurements/GET ~1api~1profile")
    }
    assert rules == {"references/endpoint"}


def test_the_report_about_the_workflow_gives_four_speedups_that_disagree() -> None:
    loaded = read_documents([FOLDER])
    found = audit(loaded.documents, loaded.findings).findings
    (finding,) = [f for f in found if f.rule == "arithmetic/speedups-disagree"]
    assert all(factor in finding.message for factor in ("2.25x", "2.6x", "2.7x", "3x"))
