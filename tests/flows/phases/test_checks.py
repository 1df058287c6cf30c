"""Checks in a whole run, with a repository and tracks that try to be judged better than they are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contexts.documents.base import JsonObject
from contexts.documents.refs import BlobRef
from contexts.errors import ChecksumMismatch
from contexts.merge import expand_tracks
from flows.cli import main
from tests.flows.checked import UNIT, Workflow, writes
from tests.flows.specs import git, write_spec
from tests.servers import Server


@pytest.fixture
def workflow(prefect_api: Server, workspaces: Path, tmp_path: Path) -> Workflow:
    del prefect_api, workspaces
    return Workflow(tmp_path)


@pytest.fixture
def plait(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Call the command line on the workflow's store; its JSON output."""

    def call(*arguments: str) -> Any:
        capfd.readouterr()
        code = main([*arguments, "--json", "--store", str(tmp_path / "store")])
        out, err = capfd.readouterr()
        assert code == 0, err
        return json.loads(out)

    return call


WRONG = "def add(a, b):\n    return a - b\n"


@pytest.mark.parametrize(
    ("trick", "rule"),
    [
        pytest.param({"pytest.ini": "[pytest]\naddopts = -p no:terminal\npythonpath = stub\n", "stub/app.py": "def add(a, b): return 3\n"}, "evidence/check-changed", id="other settings"),
        pytest.param({"tests/conftest.py": "def pytest_collection_modifyitems(items): items[:] = items[-1:]\n", "tests/test_z.py": "def test_z(): pass\n"}, "evidence/check-changed", id="a hook"),
        pytest.param({"pytest.py": "import sys; open(sys.argv[-1].split('=')[1], 'w').write('<testsuite><testcase name=\"a\"/></testsuite>')\n"}, "evidence/check-changed", id="a pytest of its own"),
        pytest.param({"tests/test_app.py": None, "tests/test_z.py": "def test_z(): pass\n"}, "evidence/tests-removed", id="no such test"),
    ],
)  # fmt: skip
def test_a_track_that_makes_its_check_green_is_found_out(
    workflow: Workflow, trick: dict[str, str | None], rule: str
) -> None:
    """The product is wrong and the check passes: only what the check rests on tells."""
    spec = workflow.spec("tricked", {"web": {"app.py": WRONG, **trick}}, {**UNIT, "second_pass": "off"})
    state = workflow.run(spec)
    final = workflow.final("tricked")
    assert [one["status"] for one in final["evidence"]] == ["passed"], final["evidence"]
    assert rule in workflow.rules("tricked")
    assert (state.name, state.is_failed(), final["run"]["exit_code"]) == ("VerificationFailed", True, 1)
    assert rule in str(state.message)


def test_two_tracks_that_number_their_migrations_alike_are_not_verified_whatever_the_checks_say(
    workflow: Workflow,
) -> None:
    files = {task_id: {f"db/migrate/20260101000000_add_{task_id}.rb": "x"} for task_id in ("web", "api")}
    state = workflow.run(workflow.spec("numbers", files, {"id": "fine", "argv": ["true"]}))
    assert (state.name, workflow.rules("numbers")) == ("VerificationFailed", {"contracts/migration"})
    assert "20260101000000_add_web.rb (track web)" in str(state.message)


def test_what_a_track_says_in_words_and_figures_leaves_a_run_verified_by_its_checks(
    workflow: Workflow,
) -> None:
    said = {
        "context_summary": "38 of 40 tests passed at first, all pass now. P99 fell from 900 ms to 120 ms (target 200 ms).",
        "decisions": [
            "30 tests altogether (20 unit, 15 integration, 5 of them in both).",
            {"topic": "host", "choice": "The contract asks for 99.95%, the old host gave 99.2%, so the service moved."},
        ],
        "test_results": {"status": "passed", "passed": 38, "failed": 2, "total": 41, "notes": "4 of 5 (100% of those)"},
        "timestamp": "2031-01-01T00:00:00Z",
        "phase": "web-complete",
        "error_log": [{"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Two are flaky", "resolved": False}],
    }
    program = f"import os, json; json.dump(json.loads({json.dumps(said)!r}), open(os.environ['PLAIT_CONTEXT'], 'w'))"
    given = {"repository": {"path": str(workflow.repository), "base": "main"}, "verification": {"checks": [UNIT]}}
    state = workflow.run(write_spec(workflow.folder, "said", {"web": program}, **given))
    final = workflow.final("said")
    assert (state.name, final["run"]["status"], final["run"]["exit_code"]) == ("Completed", "verified", 0), final
    assert {one["severity"] for one in final["findings"]} <= {"warning", "note"}
    doubted = [one for one in final["findings"] if one["severity"] == "warning"]
    about = [{source["document"] for source in one["sources"]} for one in doubted]
    assert all("tracks/web" in documents for documents in about), "nothing is said again of the merge"


def test_an_honest_track_is_verified_and_one_that_breaks_the_product_is_not(workflow: Workflow) -> None:
    good = {"more.py": "A = 1\n", "tests/more/test_more.py": "def test_more(): pass\n", "tests/more/conftest.py": ""}
    state = workflow.run(workflow.spec("honest", {"web": good}, UNIT, success_criteria={"web": ["All tests passing"]}))
    assert state.is_completed(), state.message
    final = workflow.final("honest")
    assert [one["status"] for one in final["criteria"]] == ["met"]
    assert final["verification_results"]["test_execution"]["results"] == {"unit": "2/2 passed (100%)"}
    state = workflow.run(
        workflow.spec("broken", {"web": {"app.py": WRONG}}, UNIT, success_criteria={"web": ["All tests passing"]})
    )
    assert state.name == "VerificationFailed"
    assert "1 of 1 tests failed" in str(state.message)
    assert "criterion web.1 is unmet" in str(state.message)


def test_a_changed_check_waits_for_a_waiver_which_the_next_run_honours(
    workflow: Workflow, plait: Callable[..., Any]
) -> None:
    checks: list[JsonObject] = [
        {"id": "make", "argv": ["make", "test"]},
        {"id": "again", "argv": ["make", "test"], "parallel": True},
    ]
    easy = workflow.spec("waived", {"web": {"Makefile": "test:\n\ttrue\n"}}, *checks)
    assert workflow.run(easy).name == "VerificationFailed"
    (finding,) = [one for one in workflow.final("waived")["findings"] if one["rule"] == "evidence/check-changed"]
    assert "(checks make, again)" in finding["message"], "one defect, one finding"
    assert {one["document"] for one in finding["sources"]} == {"tracks/web", "base commit", "integrated tree"}

    before = workflow.store.require("waived")[0].revision
    made = plait("edit", "waived", "waive", "evidence/check-changed", "--by", "Kim", "--why", "the new rule is right")
    assert made["context"]["revision"] == before + 1
    patch = plait("diff", "waived", str(before), str(before + 1))["patch"]
    assert "/waivers" in {one["path"] for one in patch}
    state = workflow.run(easy)
    assert state.is_completed(), state.message
    final = workflow.final("waived")
    assert [one["waived"]["by"] for one in final["findings"] if one.get("waived")] == ["Kim"]
    assert {one["check"]: one.get("reused") for one in final["evidence"]} == {"make": True, "again": True}

    other = workflow.spec("waived", {"web": {"Makefile": "test:\n\t:\n"}}, *checks)
    assert workflow.run(other).name == "VerificationFailed", "another change of the same file is not waived"


def test_a_check_that_rewrites_the_documents_and_the_tree_changes_nothing(workflow: Workflow) -> None:
    """It runs in a tree of its own; a stored document that no longer is what was saved is refused, not believed."""
    rewrite = "import pathlib; [p.write_text('{}') for p in pathlib.Path('.').rglob('*.json')]; pathlib.Path('VERSION').write_text('2')"
    look = "import json, pathlib; assert json.loads(pathlib.Path('notes.json').read_text()) == {'a': 1}"
    checks: list[JsonObject] = [
        {"id": "rewrite", "argv": ["{python}", "-c", rewrite]},
        {"id": "look", "argv": ["{python}", "-c", look]},
        {"id": "make", "argv": ["make", "test"]},
    ]
    state = workflow.run(workflow.spec("rewritten", {"web": {"notes.json": '{"a": 1}'}}, *checks))
    assert state.is_completed(), state.message
    final = workflow.final("rewritten")
    (warning,) = [one for one in final["findings"] if one["rule"] == "evidence/tree-rewritten"]
    assert "VERSION, notes.json" in warning["message"]
    assert git(workflow.repository, "show", "plait/rewritten:notes.json") == '{"a": 1}'


def test_a_check_that_forges_the_stored_documents_decides_nothing_and_is_found_out(workflow: Workflow) -> None:
    store = workflow.folder / "store" / "documents" / "forged"
    forge = f"import pathlib; [p.write_text('{{}}') for p in pathlib.Path({str(store)!r}).rglob('*.json')]"
    spec = workflow.spec("forged", {"web": {"a.txt": "a"}}, {"id": "forge", "argv": ["{python}", "-c", forge]})
    assert workflow.run(spec).is_completed(), "the run goes by what it saved"
    final = workflow.final("forged")
    assert (final["run"]["status"], final["files_modified"]) == ("verified", ["a.txt"])
    with pytest.raises(ChecksumMismatch, match="forged/context@2 does not match its checksum"):
        workflow.store.load_revision("forged", "context", 2)


def test_a_check_that_hangs_or_floods_is_bounded_and_the_run_says_so(workflow: Workflow) -> None:
    checks: list[JsonObject] = [
        {"id": "hangs", "argv": ["sleep", "600"], "timeout_minutes": 0.02, "parallel": True},
        {"id": "floods", "argv": ["{python}", "-c", "for _ in range(300): print('x' * 99_999)"], "parallel": True},
    ]
    state = workflow.run(workflow.spec("bounded", {"web": {"a.txt": "a"}}, *checks))
    final = workflow.final("bounded")
    assert (state.name, final["run"]["exit_code"]) == ("VerificationIncomplete", 1)
    assert "check hangs could not be verified: stopped at its deadline of 1.2 s" in str(state.message)
    floods = next(one for one in final["evidence"] if one["check"] == "floods")
    assert floods["status"] == "passed"
    assert "bytes of output were dropped from the middle of its log" in floods["notes"][0]
    assert floods["log"]["size"] < 21_000_000


def test_the_final_document_keeps_everything_and_names_evidence_for_every_area(workflow: Workflow) -> None:
    tracks = {"web": {"static/page.html": "<p>hello</p>"}}
    given = {
        "feature_spec": {"name": "Page", "requirements": ["Say hello"]},
        "shared_constraints": ["No framework"],
        "integration_requirements": ["The page is served"],
        "success_criteria": {"web": ["All tests passing", "It is pretty", {"text": "Make agrees", "check": "make"}]},
    }
    unit = {**UNIT, "parallel": True}
    spec = json.loads(
        Path(workflow.spec("kept", tracks, unit, {"id": "make", "argv": ["make", "test"]}, **given)).read_text()
    )
    leave = {
        "decisions": ["Write plain HTML"],
        "pending_actions": ["Translate it"],
        "error_log": [{"timestamp": "2026-01-01T00:00:00Z", "agent": "web", "error": "a typo", "resolved": True}],
        "api_contract_assumptions": {"GET /hello": {"response": "{ text: string }"}},
    }
    spec["agents"]["web"]["argv"][2] = (
        f"{writes(tracks['web'])}; import os; open(os.environ['PLAIT_CONTEXT'], 'w').write({json.dumps(leave)!r})"
    )
    path = workflow.folder / "kept.json"
    path.write_text(json.dumps(spec))
    state = workflow.run(str(path))
    final = workflow.final("kept")
    assert (state.name, [one["status"] for one in final["criteria"]]) == (
        "VerificationIncomplete",
        ["met", "unverified", "met"],
    )
    assert final["feature_spec"]["requirements"] == ["Say hello"]
    assert (final["shared_constraints"], final["integration_requirements"]) == (
        ["No framework"],
        ["The page is served"],
    )
    assert (final["files_modified"], final["decisions"]) == (["static/page.html"], ["Write plain HTML"])
    assert final["pending_actions"] == ["Translate it"]
    assert [one["error"] for one in final["error_log"]] == ["a typo"]
    assert "GET /hello" in json.dumps(expand_tracks(workflow.store, final)["track_contexts"]["web"])
    areas = final["verification_results"]
    assert {name: area["status"] for name, area in areas.items()} == {
        "api_contract_alignment": "unverified", "test_execution": "passed", "performance": "unverified",
        "security": "unverified", "database_migration": "unverified",
    }  # fmt: skip
    tree = git(workflow.repository, "rev-parse", "plait/kept^{tree}")
    for one in areas["test_execution"]["checks"]:
        assert (one["exit_code"], one["tree"]) == (0, tree)
        assert workflow.store.get_blob("kept", BlobRef.model_validate(one["log"])) is not None
