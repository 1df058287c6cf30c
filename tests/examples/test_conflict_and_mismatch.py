"""The example's specs in which tracks disagree: their agents really conflict, fail, or differ in ways that break them."""

import re

import pytest

from tests.examples.workspaces import Run, constant, declared_errors, normal, openapi, run_python, run_tracks

pytestmark = pytest.mark.usefixtures("outside")


@pytest.fixture(scope="module")
def mismatch(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The three tracks of mismatch.yaml, each done alone."""
    folder = tmp_path_factory.mktemp("mismatch")
    return run_tracks(folder, "mismatch.yaml", "directory-api", "directory-page", "directory-help")


def test_the_greetings_conflict_and_the_translation_gives_up(tmp_path):
    run = run_tracks(tmp_path, "conflict.yaml", "greeting-formal", "greeting-casual", "translation")
    assert {task_id: outcome.exit_code for task_id, outcome in run.outcomes.items()} == {
        "greeting-formal": 0,
        "greeting-casual": 0,
        "translation": 3,
    }
    assert run.outcomes["translation"].context is None
    assert "cannot translate" in run.outcomes["translation"].output
    assert run.merge("greeting-formal").returncode == 0
    conflicting = run.merge("greeting-casual")
    assert conflicting.returncode == 1
    assert "static/index.html" in conflicting.stdout


def test_the_blocked_track_could_do_its_work_if_it_were_allowed_to(tmp_path):
    outcome = run_tracks(tmp_path, "conflict.yaml", "letter").outcomes["letter"]
    assert outcome.exit_code == 0
    assert outcome.context["files_modified"] == ["static/letter.html"]


def test_the_mismatched_tracks_are_green_alone_and_together(mismatch):
    for outcome in mismatch.outcomes.values():
        assert outcome.exit_code == 0, outcome.output
        assert outcome.context["test_results"]["passed"] >= 1
    merged = mismatch.merge(*mismatch.outcomes)
    assert merged.returncode == 0, merged.stdout
    tested = run_python(mismatch.folder / "app", "-m", "pytest", "-q")
    assert tested.returncode == 0, tested.stdout


def test_the_mismatched_tracks_differ_as_their_spec_says(mismatch):
    declared = openapi(mismatch.outcomes["directory-api"].workspace)
    page = mismatch.outcomes["directory-page"].workspace / "static"
    calls = constant(page / "directory" / "api.js", "ENDPOINTS")
    assumed = mismatch.outcomes["directory-page"].context["api_contract_assumptions"]
    entry = declared["components"]["schemas"]["DirectoryEntry"]["properties"]
    errors = declared_errors(declared)
    called = {f"{call['method']} {call['path']}": call["errors"] for call in calls.values()}
    assert {normal(endpoint): item["error_codes"] for endpoint, item in assumed.items()} == called

    read = dict(re.findall(r"(\w+): (\w+)", assumed["GET /api/directory/:userId"]["response"]))
    assert set(read) - set(entry) == {"display_name"}
    assert (read["member_since"], entry["member_since"]["type"]) == ("string", "integer")
    assert {"type": "null"} in entry["last_change"]["anyOf"]
    assert read["last_change"] == "string"
    rename = "PUT /api/directory/{user_id}/name"
    assert (set(called[rename]) - set(errors[rename]), set(errors[rename]) - set(called[rename])) == ({409}, {400})
    longest = declared["components"]["schemas"]["RenameRequest"]["properties"]["name"]["maxLength"]
    offered = int(re.search(r'maxlength="(\d+)"', (page / "directory.html").read_text())[1])
    assert (offered, longest) == (100, 40)
    assert f"max {offered}" in assumed["PUT /api/directory/:userId/name"]["request"]
    assert set(called) - set(errors) == {"DELETE /api/directory/{user_id}"}
