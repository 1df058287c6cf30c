"""`edit` and `approve`: people's decisions from the command line."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from contexts.documents.records import RunRecord
from contexts.documents.verification import Evidence
from contexts.leases.held import held_lease
from contexts.leases.interrupted import interrupted
from contexts.leases.record import read_lease
from contexts.verification.rulings import apply_settlements, apply_waivers
from tests.flows.cli.documents import head

AT = "2026-03-01T11:00:00Z"
DIE = """
import os, sys
from pathlib import Path
from contexts.leases.lease import acquire
from contexts.store.local import LocalObjects
acquire(LocalObjects(Path(sys.argv[1])), "shop", owner="a-run")
os._exit(9)
"""


@pytest.fixture
def stuck(contexts):
    """A workflow whose last run was not verified, and one that waits at a gate."""
    source = {"document": "tracks/api", "pointer": "/limits/0", "quote": "220 ms"}
    document = head(
        timestamp=AT,
        phase="verification-failed",
        criteria=[
            {"id": "fast", "text": "it is fast", "required": True, "status": "unmet", "reason": "220 ms"},
            {"id": "good", "text": "it is good", "required": True, "status": "met", "reason": "check unit passed"},
        ],
        findings=[{"rule": "thresholds/missed", "severity": "blocking", "message": "too slow", "sources": [source]}],
        integration_concerns=[{"concern": "Two choices", "kind": "same-file", "tracks": ["api", "page"]}],
        run={"status": "verification-failed"},
    )
    contexts.save(document, workflow_id="shop", name="context", after=0)
    manual = {"id": "told", "text": "users were told", "manual": True, "status": "pending"}
    gate = {"gate": "go", "subject": "a" * 64, "status": "waiting", "prerequisites": [manual]}
    waiting = head("ready", phase="integration-verified-ready-for-deployment", run={"status": "waiting-for-approval"})
    contexts.save(
        {**waiting, "deployment_readiness": {"production": gate}}, workflow_id="ready", name="context", after=0
    )
    return contexts


def test_list_says_what_is_open_and_by_what_name(call, stuck):
    found = call("edit", "shop", "list", "--json").json()["open"]
    assert [(one["kind"], one["name"], one["status"]) for one in found if one["kind"] != "finding"] == [
        ("criterion", "fast", "unmet"),
        ("concern", "1", "open"),
    ]
    (finding,) = [one for one in found if one["kind"] == "finding"]
    assert finding["also"] == ["thresholds/missed", "missed", "thresholds/missed:/limits/0"]
    out = call("edit", "shop").out
    for said in ("fast", finding["name"], "Two choices", "too slow"):
        assert said in out
    assert "to be ticked: told" in call("edit", "ready").out


@pytest.mark.parametrize("target", ["fast", "thresholds/missed", "thresholds/missed:/limits/0"])
def test_a_waiver_is_a_revision_that_diff_shows(call, stuck, target):
    made = call("edit", "shop", "waive", target, "--by", "Ann", "--why", "known", "--json").json()
    assert made["context"]["revision"] == 2
    assert made["waiver"]["why"] == "known"
    patch = call("diff", "shop", 1, 2, "--json").json()["patch"]
    assert {one["path"] for one in patch} == {"/waivers", "/timestamp", "/current_agent"}
    said = call("diff", "shop", 1, 2).out
    assert "Ann" in said
    assert "known" in said


def test_a_concern_is_settled_with_the_choice(call, stuck):
    made = call(
        "edit", "shop", "settle", "same-file:api,page", "--by", "Ann", "--choice", "api's", "--why", "older", "--json"
    ).json()
    assert made["settlement"]["choice"] == "api's"
    assert stuck.require("shop")[1]["settlements"][0]["tracks"] == ["api", "page"]


def test_what_was_decided_and_no_run_knows_of_yet_is_listed_with_who_decided(call, stuck):
    for target in ("fast", "thresholds/missed"):
        call("edit", "shop", "waive", target, "--by", "Ann", "--why", "known")
    call("edit", "shop", "settle", "1", "--by", "Bea", "--choice", "api's", "--why", "older")
    found = call("edit", "shop", "list", "--json").json()["open"]
    assert [one["decided"] for one in found] == [
        "waived by Ann; the next run honours it",
        "waived by Ann; the next run honours it",
        "settled by Bea; the next run honours it",
    ]
    assert "(settled by Bea; the next run honours it)" in call("edit", "shop").out


def test_settling_again_supersedes_the_earlier_choice_and_says_so_in_one_sentence(call, stuck):
    call("edit", "shop", "settle", "1", "--by", "Bea", "--choice", "api's", "--why", "older")
    same = call("edit", "shop", "settle", "1", "--by", "Cem", "--choice", "api's", "--why", "older")
    assert (same.code, same.err) == (2, "plait: concern 1 of shop is settled so already, by Bea\n")
    again = ("edit", "shop", "settle", "1", "--by", "Cem", "--why", "newer", "--choice")
    assert 'this supersedes the choice "api\'s" of Bea, which stays on record' in call(*again, "page's").out
    assert call(*again, "neither", "--json").json()["supersedes"]["choice"] == "page's"
    assert [one["by"] for one in stuck.require("shop")[1]["settlements"]] == ["Bea", "Cem", "Cem"]
    assert "Two choices (settled by Cem; the next run honours it)" in call("edit", "shop").out


def honoured(contexts, *, at=AT, **changes):
    """Save what a run that knows of the waivers and settlements leaves behind."""
    newest = contexts.require("shop")
    context = newest.context
    honoured = {
        "findings": apply_waivers(context.findings, context.waivers or ()),
        "integration_concerns": apply_settlements(context.integration_concerns, context.settlements or ()),
        "run": RunRecord(status="verification-failed", started_at=at),
        **changes,
    }
    contexts.save(context.changed(**honoured), workflow_id="shop", name="context", after=newest.ref.revision)


def test_what_a_run_has_honoured_is_listed_with_who_and_why(call, stuck):
    call("edit", "shop", "waive", "thresholds/missed", "--by", "Ann", "--why", "known")
    call("edit", "shop", "settle", "1", "--by", "Bea", "--choice", "api's", "--why", "older")
    honoured(stuck)
    told = call("edit", "shop", "list", "--json").json()
    assert [one["decided"] for one in told["open"] if one["kind"] == "finding"] == ["waived by Ann: known"]
    assert [one["settlement"]["why"] for one in told["settled"]] == ["older"]
    out = " ".join(call("edit", "shop").out.split())
    assert "too slow (waived by Ann: known)" in out
    assert "Two choices (settled by Bea: api's (older))" in out
    call("edit", "shop", "settle", "1", "--by", "Cem", "--choice", "page's", "--why", "newer")
    assert "(settled again by Cem: page's; the next run honours it)" in " ".join(call("edit", "shop").out.split())


def test_a_settled_concern_is_listed_where_nothing_is_open(call, stuck):
    call("edit", "shop", "settle", "1", "--by", "Bea", "--choice", "api's", "--why", "older")
    honoured(stuck, criteria=[], findings=[])
    result = call("edit", "shop")
    assert "nothing is open in shop/context@3" in result.err
    assert "settled by Bea: api's (older)" in result.out


@pytest.mark.parametrize(
    ("began", "said"),
    [
        ("2026-03-01T11:00:00Z", "waived by Ann; the next run honours it"),
        ("2999-01-01T00:00:00Z", "waived by Ann: known"),
    ],
)
def test_a_waived_check_is_listed_by_whether_a_run_began_since(call, stuck, began, said):
    failed = Evidence(check="unit", kind="tests", status="failed", argv=["x"], seconds=1)
    honoured(stuck, evidence=[failed])
    call("edit", "shop", "waive", "unit", "--by", "Ann", "--why", "known")
    honoured(stuck, at=began)
    (check,) = [one for one in call("edit", "shop", "list", "--json").json()["open"] if one["kind"] == "check"]
    assert check["decided"] == said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("edit", "shop", "waive", "fats", "--by", "A", "--why", "w"), "did you mean fast?"),
        (("edit", "shop", "settle", "7", "--by", "A", "--why", "w", "--choice", "c"), "nothing called '7'"),
        (("edit", "shop", "waive", "fast", "--why", "w"), "--by is empty"),
        (("edit", "shop", "waive"), "say what to waive"),
        (("edit", "shop", "forgive", "fast"), "takes list, waive or settle"),
        (("edit", "shpo"), "did you mean shop?"),
        (("approve", "ready", "og", "--by", "A"), "did you mean go?"),
        (("approve", "ready", "go", "--by", "A"), "told is not ticked"),
        (("approve", "ready", "go", "--by", "A", "--tick", "tlod"), "no manual prerequisite"),
        (("approve", "ready", "go", "--by", "A", "--reject", "--rerun"), "contradict each other"),
        (("approve", "shop", "go", "--by", "A"), "waits at no gate"),
    ],
)
def test_what_cannot_be_decided_is_one_sentence_and_changes_nothing(call, stuck, arguments, words):
    result = call(*arguments)
    assert result.code == 2
    assert words in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert stuck.revisions("shop")["context"] == stuck.revisions("ready")["context"] == (1,)


def test_an_approval_is_saved_with_who_and_what_was_ticked(call, stuck):
    made = call("approve", "ready", "go", "--by", "Ann", "--note", "fine", "--tick", "told", "--json").json()
    assert made["approval"] | {"timestamp": AT} == {
        "gate": "go", "subject": "a" * 64, "decision": "approved", "by": "Ann", "note": "fine", "timestamp": AT,
        "ticked": ["told"],
    }  # fmt: skip
    assert "plait resume ready" in call("approve", "ready", "go", "--by", "Bea", "--note", "no", "--reject").out


def test_nothing_is_decided_while_a_run_holds_the_workflow(call, stuck):
    with held_lease(stuck.objects, "shop", owner="a-run"):
        result = call("edit", "shop", "waive", "fast", "--by", "Ann", "--why", "known")
    assert result.code == 2
    assert "shop is being run, and a run decides by what it read at its start" in result.err
    assert stuck.revisions("shop")["context"] == (1,)


def test_a_run_that_did_not_get_to_its_end_leaves_nothing_to_decide(call, contexts):
    contexts.save(head(), workflow_id="shop", name="context", after=0)
    result = call("edit", "shop", "waive", "fast", "--by", "Ann", "--why", "known")
    assert result.code == 2
    assert "run it again" in result.err


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    "arguments",
    [
        ("edit", "shop", "waive", "fast", "--by", "Ann", "--why", "known"),
        ("approve", "shop", "go", "--by", "Ann"),
    ],
)
def test_a_run_that_died_midway_is_resumed_first_and_still_found_by_whoever_restarts_such_runs(call, stuck, arguments):
    root = stuck.objects.identity.removeprefix("file://")
    assert subprocess.run([sys.executable, "-c", DIE, root], check=False).returncode == 9
    before = read_lease(stuck.objects, "shop")
    result = call(*arguments)
    assert result.code == 2
    assert "died before its end: `plait resume shop` first" in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert stuck.revisions("shop")["context"] == (1,)
    assert read_lease(stuck.objects, "shop") == before
    found = interrupted(stuck.objects, now=datetime.now(UTC), watch=0, sleep=lambda _: None)
    assert [one.workflow_id for one in found] == ["shop"]


def test_a_decision_that_cannot_be_made_leaves_the_reason_the_last_run_ended_with(call, stuck):
    with held_lease(stuck.objects, "shop", owner="a-run") as lease:
        lease.end_reason = "cancelled"
    assert call("edit", "shop", "waive", "fats", "--by", "A", "--why", "w").code == 2
    assert read_lease(stuck.objects, "shop").end_reason == "cancelled"
    assert call("edit", "shop", "waive", "fast", "--by", "A", "--why", "w").code == 0
    assert read_lease(stuck.objects, "shop").end_reason == "edited"
