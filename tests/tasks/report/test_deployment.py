"""The deployment as the report of a run tells it."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.store.contexts import ContextStore
from tasks.report import build_report, gather
from tasks.report.deployment_data import Deployed
from tests.tasks.report.page import Page
from tests.tasks.report.stored import (
    put_deployed_run,
    put_poisoned_deployment,
    put_run,
)


def deployed(store: ContextStore, **changes: Any) -> Deployed:
    found = gather(store, put_deployed_run(store, **changes)).deployment
    assert found
    return found


def production(usual: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a readiness of production alone, with these fields."""
    kept = {key: usual["deployment_readiness"]["production"][key] for key in ("gate", "subject", "prerequisites")}
    return {"production": {**kept, **changes}}


def test_only_a_run_with_a_deployment_has_the_section(store: ContextStore, page: Page):
    usual = Page(build_report(store, put_run(store)).decode())
    assert "deployment" not in usual.texts
    assert "#deployment" not in [one.get("href") for _, one in usual.elements]
    assert "#deployment" in [one.get("href") for _, one in page.elements]
    assert page.open == []


def test_staging_says_what_is_where_since_when_and_how_its_checks_went(page: Page):
    text = page.said("deployment")
    for said in (
        "Staging",
        "./deploy.sh staging",
        "URLhttps://staging.example.com",
        "Tree444444444444",
        "Commit999999999999",
        "Deployed2 March 2026, 09:00:12 UTC",
        "Began2 March 2026, 09:00:10 UTC",
        "1 of 1 check passed",
        "smoke",
        "uploading sent",
    ):
        assert said in text


def test_the_gate_says_who_answered_when_with_which_note_and_ticks(page: Page):
    text = page.said("deployment")
    assert "by Ann on 2 March 2026, 09:00:20 UTC Told them at noonTicked: told" in text
    assert "by Cem on 2 March 2026, 09:00:40 UTC The disk is larger" in text
    assert "Users were toldTicked by Ann" in text
    assert text.index("Run once more") < text.index("Told them at noon") < text.index("Too early")


def test_an_answer_for_other_work_is_told_apart(store: ContextStore):
    gate = deployed(store).gate
    assert gate
    assert [(one.by, bool(one.about)) for one in gate.answers.shown] == [("Cem", False), ("Ann", False), ("Bea", True)]
    assert "tree 888888888888" in gate.answers.shown[2].about
    assert gate.status.word == "approved"


def test_production_says_when_with_which_exit_code_and_what_was_tried_before(page: Page):
    text = page.said("deployment")
    assert "Deployed2 March 2026, 09:00:54 UTC" in text
    assert "Exit code0" in text
    assert "1 earlier deployment FailedProductionThe disk is full" in text
    assert "Exit code9" in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("waiting", "Nothing was deployed: the gate waits for a person."),
        ("blocked", "Nothing was deployed: what must hold before it does not."),
        ("deploying", "its end is not recorded"),
        ("unknown", "did not report its end"),
    ],
)
def test_production_without_an_end_says_how_far_it_is(
    store: ContextStore, usual: dict[str, Any], status: str, words: str
):
    found = deployed(store, deployment_readiness=production(usual, status=status), approvals=[], deployments=[])
    assert found.staging is None
    assert found.production and words in found.production.reason  # noqa: PT018
    assert found.gate and not found.gate.answers.total  # noqa: PT018
    assert found.gate.status.word == ("blocked" if status == "blocked" else "waiting")


def test_a_failed_deployment_says_its_exit_code_and_reason(store: ContextStore, usual: dict[str, Any]):
    failed = usual["deployments"][1]
    found = deployed(store, deployment_readiness=production(usual, status="failed", evidence=failed))
    assert found.production
    assert found.production.reason == "the disk is full"
    assert ("Exit code", "9") in found.production.facts
    assert found.production.status.tone == "bad"


def test_a_rejection_is_the_gate_s_last_word_until_an_approval(store: ContextStore, usual: dict[str, Any]):
    answers = usual["approvals"]
    no = {**answers[1], "decision": "rejected", "by": "Dan", "note": "not today"}
    readiness = production(usual, status="rejected")
    gate = deployed(store, deployment_readiness=readiness, approvals=[answers[1], no], deployments=[]).gate
    assert gate and gate.status.word == "rejected"  # noqa: PT018
    assert gate.answers.shown[0].note == "not today"


def test_the_commit_is_told_only_of_the_tree_that_the_run_integrated(store: ContextStore, usual: dict[str, Any]):
    run = {**usual["run"], "tree": "0" * 40}
    found = deployed(store, run=run)
    assert found.staging
    assert "Commit" not in dict(found.staging.facts)


def test_the_head_asks_the_question_that_the_reasons_answer(store: ContextStore):
    run = {"id": "d", "status": "waiting-for-approval", "exit_code": 5, "reasons": ["gate release waits for a person"]}
    text = Page(build_report(store, put_deployed_run(store, run=run)).decode())
    assert "Why it is not in production" in text.said("summary")
    assert "the gate before production waits for a person" in text.said("")


def test_prerequisites_written_as_texts_are_shown(store: ContextStore):
    readiness = {"staging": {"status": "ready"}, "production": {"status": "blocked", "prerequisites": ["Load test"]}}
    gate = deployed(store, deployment_readiness=readiness, approvals=[], deployments=[]).gate
    assert gate
    assert [one.text for one in gate.prerequisites.shown] == ["Load test"]


def test_a_hostile_text_in_every_field_of_a_deployment_becomes_text_and_no_element(store: ContextStore):
    html = build_report(store, put_poisoned_deployment(store)).decode()
    hostile = Page(html)
    usual = Page(build_report(store, store.load_revision("live", "context", 1)[0]).decode())
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in usual.elements}
    assert {name for _, one in hostile.elements for name in one} <= {name for _, one in usual.elements for name in one}
    for section in ("deployment", "concerns", "findings", "decisions", "evidence"):
        assert "<script>alert('x')</script>" in hostile.said(section), section
    assert not {"\u202e", "\u202c", "\u200b", "\x1b"} & set(html)


def test_a_deployment_of_endless_lists_and_texts_stays_small(store: ContextStore, usual: dict[str, Any]):
    long = "<\u202e" * 1_000
    attempt = {**usual["deployments"][1], "reason": long}
    staged = {
        **usual["deployments"][0],
        "checks": [{**usual["deployments"][0]["checks"][0], "status": "failed", "reason": long} for _ in range(100)],
    }
    readiness = production(
        usual, status="failed", prerequisites=[{"id": f"p{n}", "text": long, "status": "unmet"} for n in range(400)]
    )
    readiness["staging"] = {"status": "failed", "validation": long, "evidence": staged}
    final = put_deployed_run(
        store,
        deployment_readiness=readiness,
        deployments=[{**attempt, "id": str(n)} for n in range(400)],
        approvals=[{**usual["approvals"][1], "note": long} for _ in range(400)],
    )
    html = build_report(store, final)
    assert len(html) < 1_500_000
    assert "more answers of 400 are not shown here" in Page(html.decode()).said("deployment")
