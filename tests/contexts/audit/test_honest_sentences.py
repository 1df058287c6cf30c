"""What somebody wrote, in sentences or in figures, is said to be doubtful at most: it never decides a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.audit import RULES, DocumentSet, Finding, SourceDocument, audit
from contexts.audit.read_files import read_documents
from contexts.audit.registry import ClaimRule, doubt, found, rule
from contexts.audit.sample_documents import track
from contexts.audit.saved import audit_saved
from contexts.documents.findings import Doubt, Source
from contexts.documents.verification import Evidence
from contexts.merge import assemble, contribute
from contexts.spec.model import Spec
from contexts.verification.verdict import Verdict, reach_verdict

CORPORA = Path(__file__).parent / "corpora"
HEAD = {"version": "1.0", "workflow_id": "orders", "current_agent": "orchestrator", "kind": "workflow"}
PARENT = {
    **HEAD,
    "timestamp": "2025-03-01T09:00:00Z",
    "phase": "parallel-execution",
    "parallel_tasks": [{"task_id": "api", "agent": "api-agent", "scope": "orders"}],
    "success_criteria": {"api": [{"text": "All tests pass", "check": "unit"}, "GET /orders below 200 ms at P95"]},
    "shared_constraints": ["No new tables"],
}
SPEC = Spec.model_validate(
    {
        "workflow_id": "orders",
        "parallel_tasks": ({"task_id": "api", "agent": "api-agent"},),
        "verification": {"checks": ({"id": "unit", "argv": ("x",)},)},
    }
)
PASSED = [Evidence(check="unit", kind="tests", status="passed", argv=["x"], seconds=1)]
# All of them are true of work whose checks pass.
SENTENCES = (
    "The median fell from 900 ms to 120 ms (target 200 ms).",
    "P99 was 640 ms, over the limit of 500 ms; with the cache it is 310 ms.",
    "4 of 5 screens are translated (100% of the visible ones).",
    "30 tests altogether (20 unit, 15 integration, 5 of them in both).",
    "20 requests per second for 30 seconds, 450 requests answered, the rest were turned away.",
    "38 of 40 tests passed at first, all 40 pass now.",
    "Passed: 12, failed: 3 before the change; 15 pass since.",
    "The contract asks for 99.95%, the old host gave 99.2%, so the service moved.",
    "Coverage: 71% (goal 70%, stretch goal 85%).",
    "A refund is requested, approved or declined.",
    "Migration is done; the pending action on migrations is another track's.",
    "8 x 512 x 512 = 2 097 152 bytes at most.",
    "Uploads of 12 MB are refused, the limit is 10 MB.",
    "The suite took 90 s, now 30 s, which is 3x faster; on the build server 4x.",
    "Error codes 400 and 404 are handled; 409 is handled by the framework.",
    "Started 2031-01-01T00:00:00Z in the fixtures, ended 2030-01-01T00:00:00Z.",
    "Security review completed for the login; a review of payments is still pending.",
    "Two of the three retries failed, the third succeeded.",
    "❌ before, ✅ after: 7/9 passed, then 9/9 passed",
    "Average of 80 and 90 and 100 is 95 when weighted.",
    "Everything documented in docs/api.md, which the docs track writes.",
    "Die Antwortzeit sank von 250 ms auf 80 ms (Ziel: 100 ms).",
)


def judged(**members: Any) -> tuple[list[Finding], Verdict]:
    """Audit a run whose only track left these members, as verification does, and reach its verdict."""
    document = {
        **track("api"),
        **members,
        "kind": "track",
        "status": "completed",
        "execution": {"inputs": "0" * 64, "backend": "command"},
    }
    ended = assemble(PARENT, {"api": contribute(document)}, timestamp="2025-03-01T11:00:00Z", files_settled=True)
    merged = json.loads(json.dumps({**ended, "kind": "workflow"}))
    findings = audit_saved({"context": PARENT, "tracks/api": document, "merged": merged})
    tracks = {"api": "completed"}
    verdict = reach_verdict(SPEC, tracks=tracks, left_out=(), evidence=PASSED, criteria=(), findings=findings)
    return findings, verdict


PLACES = {
    "summary": lambda said: {"context_summary": said},
    "decision": lambda said: {"decisions": [said]},
    "decision with a topic": lambda said: {"decisions": [{"topic": "speed", "choice": said, "rationale": said}]},
    "notes": lambda said: {"test_results": {"passed": 3, "failed": 0, "notes": said}},
    "action": lambda said: {"pending_actions": [said]},
    "error": lambda said: {
        "error_log": [{"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": said, "resolved": False}]
    },
    "details": lambda said: {"implementation_details": {"performance": said, "security_measures": [said]}},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("said", SENTENCES)
def test_a_true_sentence_leaves_a_run_verified_wherever_it_stands(place: str, said: str) -> None:
    findings, verdict = judged(**PLACES[place](said))
    assert (verdict.status, verdict.reasons) == ("verified", ()), findings


amounts = st.one_of(st.integers(0, 10**6).map(str), st.floats(0, 10**4, allow_nan=False).map(lambda n: f"{n:.2f}"))
units = st.sampled_from(
    ["", "%", " ms", " s", " minutes", " MB", " tests", " requests per second", "x", " of 40", "/46 passed"]
)
WORDS = """passed failed target limit P95 P99 now before after total average coverage goal below above at most approved
    documented completed pending done faster than in and the started ended ✅ ❌ ⏳ ( ) , ; : = x GET /orders 404"""
words = st.sampled_from(WORDS.split())
pieces = st.one_of(words, st.tuples(amounts, units).map("".join))
sentences = st.lists(pieces, min_size=1, max_size=14).map(" ".join)
KEYS = """status result passed failed total tests coverage performance measurements target value unit p50 p95 p99
    started_at completed_at timestamp duration_minutes checks notes summary speedup pending completed security
    results exit_code errors migrations files unit_tests test_count"""
keys = st.sampled_from(KEYS.split())
leaves = st.one_of(
    sentences, st.integers(-5, 10**6), st.floats(0, 10**3, allow_nan=False), st.booleans(), st.none(),
    st.sampled_from(["passed", "failed", "completed", "2025-02-30T10:00:00Z", "2031-01-01T00:00:00Z"]),
)  # fmt: skip
claims = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


@given(said=sentences, claimed=st.dictionaries(keys, claims, min_size=1, max_size=5))
def test_no_words_and_no_figures_of_an_agent_decide_a_run(said: str, claimed: dict[str, Any]) -> None:
    findings, verdict = judged(
        context_summary=said,
        decisions=[said],
        pending_actions=[said],
        test_results={**claimed, "notes": said},
        implementation_details=claimed,
        verification_results=claimed,
        performance=claimed,
    )
    assert verdict.status == "verified", findings


def test_what_contradicts_itself_is_still_found_and_only_warned_of() -> None:
    findings, verdict = judged(test_results={"unit": "45/50 passed (98%)", "performance": "P95: 410ms (target <300ms)"})
    assert {(one.rule, one.severity) for one in findings} == {
        ("arithmetic/percentage", "warning"),
        ("thresholds/target-missed", "warning"),
    }
    assert verdict.status == "verified"


def test_one_sentence_is_warned_of_once_though_the_merge_refers_to_it() -> None:
    said = "45/50 passed (98%)"
    for members in ({"implementation_details": {"told": said}}, {"test_results": {"unit": said}}):
        findings, _ = judged(**members)
        assert [one.rule for one in findings] == ["arithmetic/percentage"], members


def test_a_contract_that_contradicts_another_still_decides() -> None:
    ui = {**track("ui"), "api_contract_assumptions": {"GET /items/:id": {"response": "{ id: number }"}}}
    api = {
        **track("api"),
        "implementation_details": {"endpoints": {"GET /items/{id}": {"response_model": "Item"}}, "schemas": {"Item": {"fields": "id: str"}}},
    }  # fmt: skip
    findings = audit_saved({"tracks/ui": ui, "tracks/api": api})
    assert {(one.rule, one.severity) for one in findings} == {("contracts/type", "blocking")}


DECIDE = {
    "contracts/auth", "contracts/field", "contracts/limit", "contracts/missing-endpoint", "contracts/presence",
    "contracts/port", "contracts/status-code", "contracts/type", "contracts/variable",
    "fidelity/contract-changed", "fidelity/contract-lost", "fidelity/error-lost", "fidelity/items-changed",
    "fidelity/items-invented", "fidelity/items-lost", "fidelity/promise-lost", "fidelity/status-contradicts",
    "fidelity/track-missing",
    "input/contradictory-ids", "input/duplicate-key", "input/newer-version", "input/not-json", "input/too-deep",
    "input/too-large",
    "references/context-ref", "references/parent", "references/unknown-track",
}  # fmt: skip
"""Comparisons of contracts with each other, and of plait's records with what they are of."""


def test_only_comparisons_of_contracts_and_of_records_may_block() -> None:
    assert {one.id for one in RULES.values() if one.severity == "blocking"} == DECIDE
    assert not [one.id for one in RULES.values() if isinstance(one, ClaimRule) and one.id in DECIDE]


READERS = "artifacts assumed_fixtures assumptions figures performance ticks timestamps"


def test_every_rule_of_a_module_that_reads_words_or_figures_is_one_that_cannot_block() -> None:
    of_readers = [one for one in RULES.values() if one.find.__module__.rpartition(".")[2] in READERS.split()]
    assert {one.find.__module__.rpartition(".")[2] for one in of_readers} == set(READERS.split())
    assert [one.id for one in of_readers if not isinstance(one, ClaimRule)] == []


def test_no_case_of_the_corpora_blocks_by_what_it_says() -> None:
    for case in sorted(path.parent for path in CORPORA.glob("*/*/expected.json")):
        read = read_documents([path for path in sorted(case.glob("*.json")) if path.name != "expected.json"])
        for finding in audit(read.documents, read.findings).findings:
            assert finding.severity != "blocking" or finding.rule in DECIDE, case
            assert isinstance(finding, Doubt) == isinstance(RULES[finding.rule], ClaimRule)


@pytest.mark.parametrize("severity", ["blocking", "fatal"])
def test_a_doubt_of_another_severity_cannot_be_made(severity: Any) -> None:
    place = Source(document="a.json", pointer="/a", quote="9 of 10")
    with pytest.raises(ValueError, match="should be 'warning' or 'note'"):
        Doubt(rule="arithmetic/total", severity=severity, message="wrong", sources=(place,))
    with pytest.raises(ValueError, match="should be 'warning' or 'note'"):
        doubt("arithmetic/total", "wrong", (place,), severity)


def test_a_rule_over_words_that_builds_another_finding_breaks_the_audit_instead_of_blocking() -> None:
    def loud(documents: DocumentSet) -> Iterator[Any]:
        yield Finding(
            rule="claims/loud",
            severity="blocking",
            message="wrong",
            sources=(documents.documents[0].source(("task_id",)),),
        )

    one = ClaimRule("claims/loud", "warning", "Too loud.", example=(), clean=(), find=loud)
    with pytest.raises(TypeError, match="claims/loud"):
        list(one.apply(DocumentSet("orders", (SourceDocument("a.json", track("api")),))))


def test_neither_kind_of_rule_builds_the_findings_of_the_other() -> None:
    with pytest.raises(TypeError, match="doubt"):
        found("arithmetic/total", "wrong", ())
    with pytest.raises(TypeError, match="found"):
        doubt("contracts/type", "wrong", ())


@pytest.mark.parametrize("family", ["claims", "arithmetic", "thresholds", "time", "assumptions"])
def test_no_rule_of_a_family_of_claims_can_be_registered_as_blocking(family: str) -> None:
    with pytest.raises(ValueError, match="never blocks"):
        rule(f"{family}/new", "blocking", "New.", example=(), clean=())(lambda _: ())
