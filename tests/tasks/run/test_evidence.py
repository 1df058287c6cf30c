"""Which evidence is taken over, and what a merged document says of who changed what."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contexts.documents.base import format_instant
from contexts.documents.context import Context
from contexts.documents.verification import Evidence
from contexts.errors import DocumentError
from contexts.spec.checks import Check, CommandCheck, SecurityCheck
from tasks.run.evidence import earlier_pass, subject_of

TESTS = CommandCheck(id="unit", argv=("pytest",))
CODE = SecurityCheck(kind="security", id="code", tools=("bandit", "detect-secrets"))
ADVISORIES = SecurityCheck(kind="security", id="all", tools=("bandit", "pip-audit"))


def passed(hours: float, **changes: Any) -> Evidence:
    began = format_instant(datetime.now(UTC) - timedelta(hours=hours))
    given: dict[str, Any] = {"inputs": "same", "status": "passed", "started_at": began, **changes}
    return Evidence(check="this", kind="command", argv=["x"], seconds=1, **given)


@pytest.mark.parametrize("check", [TESTS, CODE])
def test_a_pass_that_rests_on_the_tree_alone_holds_as_long_as_the_tree(check: Check) -> None:
    old = passed(24 * 365)
    assert earlier_pass(check, "same", [old]) is old


def test_a_pass_that_rests_on_advisories_holds_for_a_day() -> None:
    young, old = passed(23.9), passed(24.1)
    assert earlier_pass(ADVISORIES, "same", [young]) is young
    assert earlier_pass(ADVISORIES, "same", [old]) is None
    assert earlier_pass(ADVISORIES, "same", [old, young]) is young
    assert earlier_pass(ADVISORIES, "same", [passed(1, started_at=None)]) is None, "nobody knows how old it is"


def test_taking_a_pass_over_does_not_make_it_younger() -> None:
    assert earlier_pass(ADVISORIES, "same", [passed(30, reused=True)]) is None


@pytest.mark.parametrize("other", [{"inputs": "other"}, {"status": "failed"}, {"status": "unverified"}])
def test_other_inputs_and_other_ends_are_not_taken_over(other: dict[str, Any]) -> None:
    assert earlier_pass(TESTS, "same", [passed(1, **other)]) is None


def merged(files: list[str], sources: list[list[str]] | None, **changes: Any) -> Context:
    head = {"version": "1.0", "timestamp": "2026-03-01T11:00:00Z", "current_agent": "merge", "phase": "merged"}
    provenance = {} if sources is None else {"provenance": {"files_modified": sources}}
    run = {"status": "merged", "integrated": "c", "tree": "t"}
    given = {**head, "workflow_id": "shop", "run": run, "files_modified": files, **provenance, **changes}
    return Context.model_validate_json(json.dumps(given))


def test_the_provenance_says_which_track_changed_which_file() -> None:
    both = [["api#/files_modified/0"], ["api#/files_modified/1", "web#/files_modified/0"]]
    assert subject_of(merged(["a.py", "b.py"], both)).changed_by == {"api": ["a.py", "b.py"], "web": ["b.py"]}
    assert subject_of(merged(["a.py"], None)).changed_by == {}


def test_a_provenance_of_another_list_is_refused_and_not_cut_to_fit() -> None:
    with pytest.raises(DocumentError, match=r"says where 1 file comes from, and files_modified has 2") as error:
        subject_of(merged(["a.py", "b.py"], [["api#/files_modified/0"]]))
    assert error.value.exit_code == 2


def test_a_context_that_names_no_tree_is_no_subject_unless_one_is_given() -> None:
    unmerged = merged([], None, run={"status": "running"})
    with pytest.raises(DocumentError, match="does not say what was integrated"):
        subject_of(unmerged)
    assert subject_of(unmerged, "c", "t").commit == "c"
