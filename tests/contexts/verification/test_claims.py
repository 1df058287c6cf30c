"""What agents claim is compared with evidence where it names what shows it, and decides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.documents.context import Context
from contexts.documents.verification import Evidence
from contexts.verification.claims import compare_claims

EVIDENCE = [
    Evidence.model_validate_json(
        """{"check": "unit", "kind": "tests", "status": "passed", "argv": ["x"], "seconds": 1, "result": {
        "tests": {"tests": 12, "passed": 11, "failed": 0, "errors": 0, "skipped": 1, "seconds": 1},
        "coverage": {"line_percent": 91.2, "files": {"app/items.py": {"percent": 95, "lines": 20}}}}}"""
    )
]


def document(*claims: dict[str, Any], **members: Any) -> Context:
    head = {"version": "1.0", "workflow_id": "w-api", "timestamp": "2025-03-01T10:00:00Z", "current_agent": "a", "phase": "p"}  # fmt: skip
    return Context.model_validate({**head, "task_id": "api", "claimed_results": list(claims), **members})


def test_a_claim_that_evidence_shows_raises_nothing() -> None:
    claims = ({"check": "unit", "tests": 12, "passed": 10, "coverage": 91.5}, {"file": "app/items.py", "coverage": 95})
    rows, doubts = compare_claims({"api": document(*claims)}, EVIDENCE)
    assert doubts == []
    assert [(one.check, one.figure, one.claimed, one.shown, one.agrees) for one in rows] == [
        ("unit", "tests", 12, 12, True),
        ("unit", "passed", 10, 11, True),
        ("unit", "coverage", 91.5, 91.2, True),
        ("unit", "coverage", 95, 95, True),
    ]


def test_a_claim_that_evidence_contradicts_is_one_warning_with_both_numbers() -> None:
    wrong = {"check": "unit", "tests": 14, "passed": 14, "coverage": 99}
    _, doubts = compare_claims({"api": document({"check": "unit", "tests": 12}, wrong)}, EVIDENCE)
    assert [(one.rule, one.severity, one.sources[0].place) for one in doubts] == [
        ("claims/evidence", "warning", ("tracks/api", "/claimed_results/1"))
    ]
    assert "tests 14 (shown: 12), passed 14 (shown: 11), coverage 99 (shown: 91.2)" in doubts[0].message


@pytest.mark.parametrize(
    "claim",
    [{"check": "load", "tests": 3}, {"file": "app/other.py", "coverage": 40}, {"tests": 3}, {"file": "app/items.py", "tests": 3}],
)  # fmt: skip
def test_a_claim_that_names_nothing_that_shows_it_is_shown_as_claimed(claim: dict[str, Any]) -> None:
    rows, doubts = compare_claims({"api": document(claim)}, EVIDENCE)
    assert doubts == []
    assert [(one.shown, one.agrees) for one in rows] == [(None, None)]


def test_what_older_documents_say_of_coverage_is_shown_and_not_judged() -> None:
    rows, doubts = compare_claims({"api": document(implementation_details={"test_coverage": 12.5})}, EVIDENCE)
    assert doubts == []
    assert [(one.figure, one.claimed, one.agrees) for one in rows] == [("coverage", 12.5, None)]
    assert compare_claims({"api": document().changed(claimed_results="all pass")}, EVIDENCE) == ([], [])
