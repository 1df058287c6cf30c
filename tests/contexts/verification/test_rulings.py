"""Typed decisions of people on a context."""

import pytest

from contexts.documents.codec import dump, validate
from contexts.documents.context import Context
from contexts.documents.findings import Finding, Source
from contexts.documents.merged import Concern, Settled
from contexts.documents.verification import Evidence
from contexts.errors import InputError
from contexts.spec.model import Spec
from contexts.verification.criteria import decide
from contexts.verification.open_items import concern_fingerprint, fingerprint, open_items
from contexts.verification.rulings import (
    answer_gate,
    apply_settlements,
    apply_waivers,
    settle,
    superseded_by,
    tick,
    waive,
)
from contexts.verification.verdict import reach_verdict

AT = "2026-03-01T12:00:00.000Z"
WHO = {"by": "Ann", "why": "known and accepted", "at": AT}


def finding(pointer="/limits/0", quote="220 ms", rule="thresholds/missed", severity="blocking", message="too slow"):
    source = Source(document="tracks/api", pointer=pointer, quote=quote)
    return Finding(rule=rule, severity=severity, message=message, sources=(source,))


def concern(text="Two choices", tracks=("api", "page")):
    return Concern(concern=text, kind="contradicting-decisions", status="open", tracks=list(tracks), files=[])


def ran(status):
    return Evidence(check="unit", kind="command", status=status, argv=["x"], seconds=1)


def production(**changes):
    manual = {"id": "told", "text": "users were told", "manual": True, "status": "pending"}
    proven = {"id": "tested", "text": "tests pass", "status": "met"}
    return {"gate": "go", "subject": "a" * 64, "status": "waiting", "prerequisites": [proven, manual], **changes}


def context(**changes):
    return validate(document(**changes))


def document(**changes):
    return {
        "version": "1.0",
        "workflow_id": "shop",
        "timestamp": "2026-03-01T11:00:00Z",
        "current_agent": "integration-verifier",
        "phase": "verification-failed",
        "criteria": [
            {"id": "fast", "text": "it is fast", "required": True, "status": "unmet", "reason": "220 ms"},
            {"id": "good", "text": "it is good", "required": True, "status": "met", "reason": "check unit passed"},
        ],
        "evidence": [{"check": "unit", "kind": "tests", "status": "failed", "argv": ["x"], "seconds": 1}],
        "findings": [
            one.to_json() for one in (finding(), finding("/limits/1"), finding(rule="claims/undone", quote="done"))
        ],
        "integration_concerns": [one.to_json() for one in (concern(), concern("A third choice", ["tests"]))],
        "deployment_readiness": {"production": production()},
        "run": {"status": "verification-failed", "tree": "f00"},
        **changes,
    }


def test_a_waived_criterion_ends_waived_and_says_who_and_why():
    made = waive(context(), "fast", **WHO)
    spec = Spec.model_validate_json(
        '{"workflow_id": "shop", "parallel_tasks": [{"task_id": "api", "agent": "a"}],'
        '"success_criteria": {"all": [{"id": "fast", "text": "it is fast", "check": "unit"}]},'
        '"verification": {"checks": [{"id": "unit", "argv": ["x"]}]}}'
    )
    evidence = [ran("failed")]
    (result,) = decide(spec, evidence, made.waivers)
    assert result.status == "waived"
    assert "Ann: known and accepted" in result.reason
    verdict = reach_verdict(
        spec,
        tracks={"api": "completed"},
        left_out=[],
        evidence=evidence,
        criteria=[result],
        findings=[],
        waivers=made.waivers,
    )
    assert verdict.reasons == ("check unit failed: see its log",), "the criterion is waived, the check is not"
    both = waive(made, "unit", **WHO).waivers
    lifted = reach_verdict(
        spec,
        tracks={"api": "completed"},
        left_out=[],
        evidence=evidence,
        criteria=[result],
        findings=[],
        waivers=both,
    )
    assert (lifted.status, lifted.exit_code) == ("verified", 0)


def test_a_waiver_of_a_finding_holds_for_that_place_and_value_only():
    one = finding()
    waivers = waive(context(), "thresholds/missed:/limits/0", **WHO).waivers
    assert waivers[0].to_json() | {"timestamp": AT} == {
        "target": "thresholds/missed", "kind": "finding", "by": "Ann", "why": "known and accepted", "timestamp": AT,
        "fingerprint": fingerprint(one), "document": "tracks/api", "pointer": "/limits/0",
    }  # fmt: skip
    later = [one, finding("/limits/1"), finding(quote="350 ms"), finding(message="said in other words")]
    assert [bool(each.waived) for each in apply_waivers(later, waivers)] == [True, False, False, True]


def test_a_waived_finding_does_not_block_and_says_that_it_is_waived():
    spec = Spec.model_validate_json(
        '{"workflow_id": "shop", "parallel_tasks": [{"task_id": "api", "agent": "a"}],'
        '"verification": {"checks": [{"id": "unit", "argv": ["x"]}]}}'
    )
    made = waive(context(), "thresholds/missed", every=True, **WHO)
    marked = apply_waivers(context().findings, made.waivers)
    verdict = reach_verdict(
        spec,
        tracks={"api": "completed"},
        left_out=[],
        evidence=[ran("passed")],
        criteria=[],
        findings=marked,
    )
    assert verdict.reasons == ("claims/undone: too slow",)
    assert [one.status for one in open_items(made.changed(findings=marked)) if one.kind == "finding"] == [
        "waived", "waived", "blocking",
    ]  # fmt: skip


def test_a_rule_that_fits_several_findings_waives_none_of_them_unless_all_is_said():
    with pytest.raises(InputError, match="fits 2 findings") as error:
        waive(context(), "thresholds/missed", **WHO)
    assert fingerprint(context().findings[1]) in error.value.message
    assert len(waive(context(), "thresholds/missed", every=True, **WHO).waivers) == 2


def test_six_digits_of_a_fingerprint_name_its_finding_or_concern_and_fewer_do_not():
    mark, concerned = fingerprint(context().findings[2]), concern_fingerprint(concern())
    assert [one.fingerprint for one in waive(context(), mark[:6], **WHO).waivers] == [mark]
    assert [one.fingerprint for one in waive(context(), f"finding:{mark[:9]}", **WHO).waivers] == [mark]
    assert len(settle(context(), concerned[:6], choice="the first", **WHO).settlements) == 1
    with pytest.raises(InputError, match="has nothing called"):
        waive(context(), mark[:5], **WHO)


def test_digits_that_begin_several_fingerprints_are_refused_with_all_of_them():
    marked: dict[str, str] = {}
    places = (f"/limits/{number}" for number in range(100_000))
    one, other = next(
        (marked[mark[:6]], place)
        for place in places
        for mark in [fingerprint(finding(place))]
        if marked.setdefault(mark[:6], place) != place
    )
    several = context(findings=[finding(one).to_json(), finding(other).to_json()])
    marks = sorted(fingerprint(each) for each in several.findings)
    with pytest.raises(InputError, match=f"begins 2 fingerprints, {marks[0]}, {marks[1]}: give more digits") as error:
        waive(several, marks[0][:6], **WHO)
    assert error.value.exit_code == 2
    assert len(waive(several, marks[0], **WHO).waivers) == 1


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("fats", "did you mean fast?"),
        ("threshold/missed", "did you mean thresholds/missed"),
        ("zzz", "plait edit shop list"),
        ("good", "is met: there is nothing to waive"),
        ("go", "has nothing called 'go'"),
    ],
)
def test_what_cannot_be_waived_is_refused_with_near_names(target, words):
    with pytest.raises(InputError, match=words) as error:
        waive(context(), target, **WHO)
    assert error.value.exit_code == 2


def test_nothing_is_waived_twice_or_without_a_name_and_a_reason():
    made = waive(context(), "fast", **WHO)
    with pytest.raises(InputError, match="waived already"):
        waive(made, "fast", **WHO)
    for missing in ("by", "why"):
        with pytest.raises(InputError, match=f"--{missing} is empty"):
            waive(context(), "fast", **{**WHO, missing: " "})


def test_a_name_that_a_criterion_and_a_check_share_must_be_told_apart():
    shared = context(
        evidence=[{"check": "fast", "kind": "tests", "status": "failed", "argv": ["x"], "seconds": 1}], findings=[]
    )
    with pytest.raises(InputError, match="criterion:fast or check:fast"):
        waive(shared, "fast", **WHO)
    assert waive(shared, "check:fast", **WHO).waivers[0].kind == "check"


@pytest.mark.parametrize("name", ["1", "contradicting-decisions:api,page", concern_fingerprint(concern())])
def test_a_concern_is_settled_by_number_by_kind_and_tracks_or_by_fingerprint(name):
    made = settle(context(), name, choice="the first", **WHO)
    first, second = apply_settlements(context().integration_concerns, made.settlements)
    assert first.status == "settled"
    assert first.settlement == Settled(choice="the first", by="Ann", why="known and accepted", timestamp=AT)
    assert second.status == "open"
    with pytest.raises(InputError, match="concern 1 of shop is settled so already, by Ann"):
        settle(made, name, choice="the first", **WHO)


def test_a_later_settlement_holds_and_the_earlier_one_stays_on_record():
    made = settle(context(), "1", choice="the first", **WHO)
    again = settle(made, "1", choice="the second", **{**WHO, "by": "Bea"})
    assert superseded_by(again, again.settlements[0]) is None
    assert superseded_by(again, again.settlements[1]).by == "Ann"
    first, second = apply_settlements(context().integration_concerns, again.settlements)
    assert (first.settlement.choice, first.settlement.by) == ("the second", "Bea")
    assert [one.choice for one in first.settled_before] == ["the first"]
    assert "settled_before" not in second.to_json()
    back = settle(again.changed(integration_concerns=[first, second]), "1", choice="the first", **WHO)
    assert apply_settlements([first], back.settlements)[0].settlement.choice == "the first"


def test_a_changed_concern_is_not_settled_by_the_earlier_choice():
    made = settle(context(), "1", choice="the first", **WHO)
    assert apply_settlements([concern("Three choices")], made.settlements)[0].status == "open"


def test_an_approval_needs_every_manual_prerequisite_ticked_by_somebody():
    given = {"by": "Ann", "note": "go", "at": AT}
    with pytest.raises(InputError, match="told is not ticked: pass --tick told"):
        answer_gate(context(), "go", answer="approve", **given)
    with pytest.raises(InputError, match="'tested' is no manual prerequisite of gate go; there are told"):
        answer_gate(context(), "go", answer="approve", ticked=["tested"], **given)
    made = answer_gate(context(), "go", answer="approve", ticked=["told"], **given)
    assert made.approvals[0].decision == "approved"
    assert made.approvals[0].ticked == ["told"]
    assert tick(context(), "go", ticked=["told"], **given).approvals[0].decision == "ticked"


def test_a_rejection_needs_its_reason_and_no_tick():
    with pytest.raises(InputError, match="--note is empty"):
        answer_gate(context(), "go", answer="reject", by="Ann", note="", at=AT)
    made = answer_gate(context(), "go", answer="reject", by="Ann", note="not on a Friday", at=AT)
    assert made.approvals[0].decision == "rejected"


@pytest.mark.parametrize("status", ["deployed", "approved", "blocked"])
def test_nothing_is_answered_at_a_gate_where_nothing_waits(status):
    passed = context(deployment_readiness={"production": production(status=status)})
    with pytest.raises(InputError, match=f"is {status}: nothing waits there"):
        answer_gate(passed, "go", answer="reject", by="Ann", note="no", at=AT)


def test_a_deployment_of_unknown_end_is_not_approved_again_but_named():
    began = {"id": "abc", "environment": "production", "subject": "a" * 64, "argv": ["x"], "started_at": AT}
    unsure = production(status="unknown", evidence={**began, "status": "running"})
    given = {"by": "Ann", "note": "looked", "at": AT}
    waiting = context(deployment_readiness={"production": unsure})
    with pytest.raises(InputError, match="--rerun to run it again"):
        answer_gate(waiting, "go", answer="approve", ticked=["told"], **given)
    assert answer_gate(waiting, "go", answer="rerun", **given).approvals[0].attempt == "abc"
    with pytest.raises(InputError, match="has none"):
        answer_gate(context(), "go", answer="rerun", **given)


def test_a_decided_document_is_still_a_context_of_the_known_form():
    made = settle(waive(context(), "fast", **WHO), "1", choice="the first", **WHO)
    made = answer_gate(made, "go", answer="approve", ticked=["told"], by="Ann", note="go", at=AT)
    read = Context.model_validate_json(dump(made.to_json()))
    assert read == made
    assert read.waivers and read.settlements and read.approvals  # noqa: PT018 all three were added
    assert (read.current_agent, read.timestamp) == ("editor", AT)


def test_what_older_programs_wrote_into_entries_stays_there():
    older = document(
        waivers=[{"target": "old", "by": "Bea", "why": "then", "timestamp": AT, "ticket": 7}],
        findings=[{**finding().to_json(), "hint": "look there"}],
        integration_concerns=[{**concern().to_json(), "weight": 3}],
        house_rules={"any": None},
    )
    made = settle(waive(validate(older), "thresholds/missed", **WHO), "1", choice="the first", **WHO).to_json()
    changed = {"waivers", "settlements", "timestamp", "current_agent"}
    assert {key: value for key, value in made.items() if key not in changed} == {
        key: value for key, value in older.items() if key not in changed
    }
    assert made["waivers"][0] == older["waivers"][0]
    read = validate(made)
    assert apply_waivers(read.findings, read.waivers)[0].to_json()["hint"] == "look there"
    assert apply_settlements(read.integration_concerns, read.settlements)[0].to_json()["weight"] == 3


def test_a_fingerprint_that_was_noted_of_a_source_without_all_its_members_still_fits():
    said = {"rule": "r/one", "severity": "warning", "message": "m"}
    whole, part = (
        Finding.model_validate_json(dump({**said, "sources": [source]}))
        for source in ({"document": "d", "pointer": "/p", "quote": ""}, {"document": "d", "pointer": "/p"})
    )
    assert (fingerprint(whole), fingerprint(part)) == ("1b462fe6028f", "1071f4f01e6e")
