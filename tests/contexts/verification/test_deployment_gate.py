"""How far verified work is on its way to production."""

import pytest

from contexts.documents.context import Context
from contexts.documents.deployment import DeploymentAttempt
from contexts.documents.records import RunRecord
from contexts.documents.verification import CriterionResult, Evidence
from contexts.spec.model import Spec
from contexts.verification.deployment_gate import assess_gate, production_subject, staging_subject
from contexts.verification.rulings import answer_gate

AT = "2026-03-01T12:00:00Z"
SPEC = {
    "workflow_id": "shop",
    "parallel_tasks": [{"task_id": "api", "agent": "a"}],
    "success_criteria": {"all": [{"id": "works", "text": "it works", "check": "unit"}]},
    "verification": {"checks": [{"id": "unit", "argv": ["true"]}]},
    "deployment": {
        "checks": [{"id": "smoke", "argv": ["true"]}],
        "staging": {"argv": ["stage"], "url": "http://127.0.0.1:1", "checks": ["smoke"]},
        "production": {
            "argv": ["ship"],
            "gate": "go",
            "prerequisites": [
                {"id": "smoked", "text": "smoke on staging", "check": "smoke"},
                {"id": "works", "text": "it works", "criterion": "works"},
                {"id": "told", "text": "users were told", "manual": True},
            ],
        },
    },
}


def spec(**deployment):
    return Spec.model_validate({**SPEC, "deployment": {**SPEC["deployment"], **deployment}}, strict=False)


def subjects(of=None):
    deployment = (of or spec()).deployment
    found = {"staging": staging_subject(deployment.staging, "t1")}
    return found | ({"production": production_subject(deployment.production, "t1")} if deployment.production else {})


def staged(status="done", smoke="passed", **changes):
    check = Evidence(check="smoke", kind="command", status=smoke, argv=["true"], seconds=1)
    made = DeploymentAttempt(
        id="s1", environment="staging", subject=subjects()["staging"], status=status, argv=["stage"],
        started_at=AT, completed_at=AT, url="http://127.0.0.1:1", checks=[check],
    )  # fmt: skip
    return made.changed(**changes)


def shipped(status):
    return DeploymentAttempt(
        id="p1", environment="production", subject=subjects()["production"], status=status,
        argv=["ship"], started_at=AT, completed_at=AT,
    )  # fmt: skip


def verified(*deployments, criterion="met"):
    proof = {"reason": "because", "evidence": ["unit"]}
    return Context(
        version="1.0",
        workflow_id="shop",
        timestamp=AT,
        current_agent="integration-verifier",
        phase="integration-verified",
        criteria=[CriterionResult(id="works", text="it works", required=True, status=criterion, **proof)],
        evidence=[Evidence(check="unit", kind="command", status="passed", argv=["true"], seconds=1)],
        deployments=list(deployments),
        approvals=[],
        run=RunRecord(status="verified", tree="t1"),
    )


def deployed(context, *attempts):
    return context.changed(deployments=[*context.deployments, *attempts])


def answered(context, answer, ticked=("told",)):
    gate_state = assess_gate(spec(), context, subjects())
    asked = context.changed(deployment_readiness=gate_state.readiness)
    return answer_gate(asked, "go", answer=answer, by="Ann", note="so be it", at=AT, ticked=ticked)


def test_a_gate_waits_with_evidence_for_every_automatic_prerequisite():
    gate_state = assess_gate(spec(), verified(staged()), subjects())
    assert (gate_state.action, gate_state.status, gate_state.exit_code) == ("ask", "waiting-for-approval", 5)
    assert "plait approve shop go --by NAME --note TEXT --tick told" in gate_state.reasons[0]
    staging, production = gate_state.readiness.staging, gate_state.readiness.production
    assert staging.status == "deployed"
    assert staging.validation == "1 of 1 check passed on staging: smoke"
    assert [one.status for one in production.known] == ["met", "met", "pending"]
    assert production.known[0].evidence.status == "passed"
    assert production.known[1].evidence.evidence == ["unit"]


def test_an_approved_gate_lets_the_command_run():
    gate_state = assess_gate(spec(), answered(verified(staged()), "approve"), subjects())
    assert gate_state.action == "deploy"
    assert gate_state.readiness.production.known[2].by == "Ann"


def test_production_without_a_command_is_done_when_it_is_approved():
    production = {key: value for key, value in SPEC["deployment"]["production"].items() if key != "argv"}
    own = spec(production=production)
    context = verified(staged())
    gate_state = assess_gate(own, context, subjects(own))
    asked = context.changed(deployment_readiness=gate_state.readiness)
    done = answer_gate(asked, "go", answer="approve", by="Ann", note="", at=AT, ticked=["told"])
    after = assess_gate(own, done, subjects(own))
    assert (after.action, after.status, after.exit_code) == ("end", "approved", 0)


def test_an_approval_speaks_only_for_what_was_approved():
    approved = answered(verified(staged()), "approve")
    assert assess_gate(spec(), approved, {**subjects(), "production": "b" * 64}).action == "ask"
    base = spec().deployment.production
    same = {production_subject(base, "t1")}
    for other in (
        production_subject(base, "t2"),
        production_subject(base.model_copy(update={"argv": ("ship", "--all")}), "t1"),
        production_subject(base.model_copy(update={"prerequisites": base.prerequisites[:2]}), "t1"),
        production_subject(base, "t1", [("{spec_dir}/ship.sh", "c" * 64)]),
    ):
        assert other not in same
    longer = base.model_copy(update={"timeout_minutes": 90})
    assert production_subject(longer, "t1") in same, "a deadline is not what was approved"


def test_a_rejection_ends_with_its_reason_and_can_be_taken_back():
    rejected = answered(verified(staged()), "reject", ticked=())
    gate_state = assess_gate(spec(), rejected, subjects())
    assert (gate_state.action, gate_state.status, gate_state.exit_code) == ("end", "rejected", 1)
    assert gate_state.reasons == ("gate go rejected by Ann: so be it",)
    assert assess_gate(spec(), answered(rejected, "approve"), subjects()).action == "deploy"


def test_an_unmet_prerequisite_blocks_whoever_approves():
    gate_state = assess_gate(spec(), verified(staged(), criterion="unverified"), subjects())
    assert (gate_state.action, gate_state.status, gate_state.exit_code) == ("end", "deployment-blocked", 1)
    assert gate_state.reasons == ("prerequisite works is unmet: criterion works is unverified: because",)


def test_a_waived_criterion_is_a_met_prerequisite_that_says_so():
    gate_state = assess_gate(spec(), verified(staged(), criterion="waived"), subjects())
    assert gate_state.action == "ask"
    assert "is waived" in gate_state.readiness.production.known[1].reason


@pytest.mark.parametrize("attempt", [staged("failed", reason="exit code 3"), staged(smoke="failed"), staged(checks=[])])
def test_nothing_passes_staging_that_failed_there(attempt):
    gate_state = assess_gate(spec(), verified(attempt), subjects())
    assert (gate_state.action, gate_state.status, gate_state.exit_code) == ("end", "staging-failed", 1)
    assert gate_state.readiness.staging.status == "failed"
    assert gate_state.readiness.production.status == "blocked"
    assert "deployed_at" not in gate_state.readiness.production.to_json()


@pytest.mark.parametrize(
    ("status", "said", "code"), [("running", "unknown", 5), ("unknown", "unknown", 5), ("failed", "failed", 1)]
)
def test_a_production_deployment_that_did_not_end_well_is_never_repeated_silently(status, said, code):
    before = answered(verified(staged()), "approve")
    context = deployed(before, shipped(status))
    gate_state = assess_gate(spec(), context, subjects())
    assert (gate_state.action, gate_state.readiness.production.status, gate_state.exit_code) == ("ask", said, code)
    assert "--rerun" in gate_state.reasons[0]
    assert assess_gate(spec(), answered(context, "rerun", ()), subjects()).action == "deploy"
    done = assess_gate(spec(), answered(context, "done", ()), subjects())
    assert (done.action, done.status, done.exit_code) == ("end", "deployed", 0)
    assert assess_gate(spec(), answered(context, "reject", ()), subjects()).status == "rejected"


def test_a_consent_to_run_again_is_for_one_attempt():
    before = answered(verified(staged()), "approve")
    once = answered(deployed(before, shipped("running")), "rerun", ())
    twice = deployed(once, shipped("running").changed(id="p2"))
    assert assess_gate(spec(), twice, subjects()).action == "ask"


def test_a_finished_deployment_is_the_end():
    before = answered(verified(staged()), "approve")
    gate_state = assess_gate(spec(), deployed(before, shipped("done")), subjects())
    assert (gate_state.action, gate_state.status, gate_state.exit_code) == ("end", "deployed", 0)
    assert gate_state.readiness.production.deployed_at == AT


@pytest.mark.parametrize(
    ("prerequisite", "words"),
    [
        ({"id": "x", "text": "x"}, "exactly one of"),
        ({"id": "x", "text": "x", "manual": True, "check": "unit"}, "exactly one of"),
        ({"id": "x", "text": "x", "check": "other"}, "names check 'other', which is not run"),
        ({"id": "x", "text": "x", "criterion": "other"}, "names criterion 'other'; there are works"),
    ],
)
def test_a_prerequisite_that_nothing_can_decide_is_refused(prerequisite, words):
    with pytest.raises(ValueError, match=words):
        spec(production={"prerequisites": [prerequisite]})


def test_staging_takes_only_checks_that_exist():
    with pytest.raises(ValueError, match="names check 'other'"):
        spec(staging={"argv": ["stage"], "checks": ["other"]})
