"""Plait's own records in a document that it wrote are no claims to be judged; in other documents they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contexts.audit import Finding, SourceDocument, audit
from contexts.audit.plait_records import RECORDS, is_own, without_records
from contexts.audit.read_files import read_documents
from contexts.merge import assemble, contribute, merge_files

INSTANT = "2025-03-01T10:00:00Z"
LATER = "2025-03-01T12:30:00Z"
HEAD = {"version": "1.0", "workflow_id": "orders", "timestamp": "2025-03-01T09:00:00Z"}
PLAN = {
    **HEAD,
    "current_agent": "orchestrator",
    "phase": "parallel-execution",
    "parallel_tasks": [{"task_id": "api"}],
    "shared_constraints": ["No new tables"],
}
# Each of these members would be a finding if an agent had said it.
RECORDED: dict[str, Any] = {
    "run": {"id": "run-1", "status": "passed", "started_at": LATER, "completed_at": LATER, "tests": {"failed": 2}},
    "evidence": [
        {"check": "unit", "kind": "tests", "status": "passed", "completed_at": LATER, "result": {"failed": 1}}
    ],
    "criteria": [{"name": "speed", "status": "met", "measured": "P99: 310ms (target <300ms)"}],
    "findings": [{"rule": "thresholds/target-missed", "message": "P99: 410ms does not meet the target <300ms"}],
    "waivers": [{"target": "speed", "by": "lead", "why": "9 of 10 (95%)", "timestamp": LATER}],
    "settlements": [{"concern": "c", "by": "lead", "decision": "45/50 passed (98%)", "timestamp": LATER}],
    "approvals": [{"gate": "deploy", "by": "lead", "note": "3 x 4 = 13", "timestamp": LATER}],
    "deployments": [{"target": "staging", "started_at": LATER, "completed_at": INSTANT}],
}


def track() -> dict[str, Any]:
    return {
        **HEAD,
        "workflow_id": "orders-api",
        "task_id": "api",
        "parent_workflow_id": "orders",
        "timestamp": INSTANT,
        "current_agent": "api-agent",
        "phase": "api-complete",
        "decisions": ["Store money in cents"],
        "files_modified": ["src/api.py"],
        "execution": {
            "inputs": "0" * 64,
            "backend": "command",
            "started_at": LATER,
            "completed_at": INSTANT,
            "migration": "4f53cda18c2baa0c",
        },
    }


def merged(*, by_others: bool = False) -> dict[str, Any]:
    one = {**track(), "execution": {}} if by_others else track()
    document = assemble(PLAN, {"api": contribute(one)}, timestamp="2025-03-01T11:00:00Z", files_settled=True)
    return json.loads(json.dumps({**document, "kind": "workflow", "phase": "integration-verified"}))


def findings(folder: Path, *documents: Mapping[str, Any]) -> tuple[Finding, ...]:
    for index, document in enumerate(documents):
        (folder / f"{index}.json").write_text(json.dumps(document))
    loaded = read_documents([folder])
    return audit(loaded.documents, loaded.findings).findings


def told(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(f.rule, f.sources[0].pointer) for f in found if f.severity != "note"]


def test_an_exported_run_is_judged_by_what_its_agents_said(tmp_path: Path) -> None:
    assert told(findings(tmp_path, PLAN, track(), {**merged(), **RECORDED})) == []


@pytest.mark.parametrize("field", sorted(set(RECORDED) - {"findings", "run", "criteria", "approvals"}))
def test_the_same_member_is_judged_in_a_document_of_others(tmp_path: Path, field: str) -> None:
    document = {**merged(by_others=True), field: RECORDED[field]}
    assert not is_own(document)
    places = [pointer for _, pointer in told(findings(tmp_path, PLAN, {**track(), "execution": {}}, document))]
    assert any(pointer.startswith(f"/{field}/") for pointer in places)


def test_a_defect_beside_the_records_is_found(tmp_path: Path) -> None:
    document = {**merged(), **RECORDED, "decisions": []}
    assert ("fidelity/items-lost", "/decisions/0") in told(findings(tmp_path, PLAN, track(), document))


def test_records_within_the_tracks_a_document_holds_are_left_out_too(tmp_path: Path) -> None:
    document = {**merged(), **RECORDED, "track_contexts": {"api": {"context": track()}}}
    assert told(findings(tmp_path, PLAN, track(), document)) == []


SAID = "the program ended with exit code 1: P99: 310ms (target <300ms), 1048576 KB; the limit is 500 KB"


def undelivered() -> dict[str, Any]:
    """Return the document of a track that failed, as plait writes it."""
    return {
        **{key: value for key, value in track().items() if key not in {"decisions", "files_modified"}},
        "kind": "track",
        "phase": "api-failed",
        "status": "failed",
        "context_summary": f"Failed: {SAID}",
        "error_log": [{"timestamp": INSTANT, "agent": "api-agent", "error": SAID, "resolved": False}],
    }


@pytest.mark.parametrize("exported", [True, False])
def test_why_a_track_is_missing_makes_no_finding(tmp_path: Path, exported: bool) -> None:
    document = assemble(PLAN, {}, timestamp="2025-03-01T11:00:00Z", gaps={"api": SAID})
    assert SAID in json.dumps(document["omissions"])
    assert SAID in json.dumps(document["integration_concerns"])
    assert SAID in json.dumps(document["parallel_tasks"])
    merge = {**document, "kind": "workflow", "run": {"id": "run-1"}, "context_summary": f"partial: {SAID}"}
    if exported:
        found = findings(tmp_path, PLAN, undelivered(), merge)
    else:  # as a run judges its own documents
        documents = (PLAN, undelivered(), merge)
        found = audit([SourceDocument(str(i), without_records(one)) for i, one in enumerate(documents)]).findings
    assert told(found) == []


def test_what_is_merged_again_from_an_export_is_judged_alike(tmp_path: Path) -> None:
    failed = {**undelivered(), "execution": {**track()["execution"], "reason": SAID, "attempts": [{"reason": SAID}]}}
    gone = json.loads(json.dumps(assemble(PLAN, {}, timestamp="2025-03-01T11:00:00Z", gaps={"api": f"failed: {SAID}"})))
    finding = {"rule": "r", "severity": "blocking", "message": SAID, "sources": []}
    verified = {**gone, "findings": [finding], "kind": "workflow"}
    again = merge_files(
        ("parent", json.dumps(verified).encode()),
        [("track", json.dumps(failed).encode())],
        timestamp="2025-03-01T13:00:00Z",
    )
    document = json.loads(again.body)
    assert SAID in json.dumps(document["error_log"])
    assert "findings" in document
    assert told(findings(tmp_path, document)) == []
    spoken = {**document, "implementation_details": {"performance": "P99: 310ms (target <300ms)"}}
    assert ("thresholds/target-missed", "/implementation_details/performance") in told(findings(tmp_path, spoken))


def test_a_track_that_calls_itself_a_merge_hides_nothing(tmp_path: Path) -> None:
    claims = {
        "test_results": {"unit": "45/50 passed (98%)", "performance": "P95: 410ms (target <300ms)"},
        "integration_concerns": [{"kind": "missing-track", "concern": "9 of 10 (95%)"}],
    }
    plain, dressed = ({**track(), **claims, **more} for more in ({}, {"parallel_execution_summary": {}}))
    found = [audit([SourceDocument("tracks/api", without_records(one))]).findings for one in (plain, dressed)]
    assert told(found[0]) == told(found[1])
    assert {"arithmetic/percentage", "thresholds/target-missed"} <= {one.rule for one in found[1]}


def test_every_member_of_the_records_is_among_those_tried() -> None:
    assert RECORDS - RECORDED.keys() == {"execution", "compared_claims", "left_out", "_checksum"}


def test_a_digest_is_no_migration_that_a_track_must_have_written(tmp_path: Path) -> None:
    wrote = {**track(), "execution": {}, "implementation_details": {"migration": "004_add_total"}}
    for name, expected in (("4f53cda18c2baa0c", []), ("005_other", ["references/migration"])):
        document = {**merged(), "verification_results": {"database": {"migration": name}}}
        found = [rule for rule, _ in told(findings(tmp_path, PLAN, wrote, document))]
        assert [rule for rule in found if rule.startswith("references/")] == expected
