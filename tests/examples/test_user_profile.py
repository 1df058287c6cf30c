"""The example's feature: its agents in workspaces of their own, their branches merged, the result tested."""

import json
import re
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tests.examples.workspaces import (
    EXAMPLE,
    Run,
    constant,
    declared_errors,
    environment,
    git,
    normal,
    openapi,
    prepare,
    read_spec,
    run_python,
    run_tracks,
)
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("outside")


@pytest.fixture(scope="module")
def feature(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The three tracks of spec.yaml, done and merged."""
    run = run_tracks(tmp_path_factory.mktemp("feature"), "spec.yaml", "backend", "frontend", "e2e")
    assert {task_id: outcome.exit_code for task_id, outcome in run.outcomes.items()} == {
        "backend": 0,
        "frontend": 0,
        "e2e": 0,
    }, "\n".join(outcome.output for outcome in run.outcomes.values())
    merged = run.merge("backend", "frontend", "e2e")
    assert merged.returncode == 0, merged.stdout
    return run


def test_a_prepared_folder_holds_one_commit_that_is_the_same_everywhere(tmp_path):
    folders = [tmp_path / "first", tmp_path / "second"]
    assert [prepare(folder).returncode for folder in folders] == [0, 0]
    commits = {git(folder / "app", "rev-parse", "HEAD").stdout for folder in folders}
    assert len(commits) == 1
    assert git(folders[0] / "app", "status", "--porcelain").stdout == ""
    assert {spec.name for spec in EXAMPLE.glob("*.yaml")} <= {path.name for path in folders[0].iterdir()}


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    refused = prepare(tmp_path)
    assert refused.returncode == 2
    assert "not empty" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_application_passes_its_own_tests_before_the_feature(tmp_path):
    assert prepare(tmp_path).returncode == 0
    tested = run_python(tmp_path / "app", "-m", "pytest", "-q")
    assert tested.returncode == 0, tested.stdout


def test_an_agent_started_by_hand_says_how_it_is_started(tmp_path):
    refused = run_python(tmp_path, str(EXAMPLE / "agents" / "backend.py"))
    assert refused.returncode == 1
    assert "PLAIT_ASSIGNMENT" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_merged_tree_passes_every_test_and_covers_its_code(feature, tmp_path):
    tree = feature.folder / "app"
    tested = run_python(tree, "tools/run_tests.py", "--reports", str(tmp_path))
    assert tested.returncode == 0, tested.stdout
    assert (tmp_path / "junit.xml").is_file()
    totals = json.loads((tmp_path / "coverage.json").read_text())["totals"]
    assert totals["percent_covered"] > 90
    assert totals["num_statements"] > 200


def test_the_merged_application_takes_a_member_through_the_profile(feature):
    tested = run_python(feature.folder / "app", "-m", "pytest", "-q", "e2e")
    assert tested.returncode == 0, tested.stdout


def test_the_merged_migrations_go_up_from_the_base_and_down_without_drift(feature, tmp_path):
    tree = feature.folder / "app"
    url = f"sqlite:///{tmp_path}/migrated.db"
    for step in (["upgrade", "002"], ["upgrade", "head"], ["check"], ["downgrade", "base"]):
        migrated = run_python(tree, "-m", "alembic", *step, MEMBERS_DATABASE_URL=url)
        assert migrated.returncode == 0, migrated.stderr
    assert git(tree, "status", "--porcelain").stdout == ""


def test_the_requests_of_the_load_test_are_answered_without_signing_in(feature):
    checks = {check["id"]: check for check in read_spec("spec_full.yaml")["verification"]["checks"]}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    words = checks["performance"]["argv"]
    argv = [word.replace("{python}", sys.executable).replace("{port}", port) for word in words]
    tree = feature.folder / "app"
    with subprocess.Popen(
        argv, cwd=tree, env=environment(feature.folder / "home"), stderr=subprocess.DEVNULL
    ) as server:
        try:
            answers = [
                ask(f"http://127.0.0.1:{port}{request['path']}") for request in checks["performance"]["requests"]
            ]
        finally:
            server.terminate()
    assert answers == [200, 200, 200]


def ask(url: str, patience_seconds: float = PATIENCE) -> int:
    """Ask until there is an answer; its status code."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return httpx.get(url).status_code
        except httpx.ConnectError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)


def test_every_agent_reports_exactly_the_files_git_sees(feature):
    for outcome in feature.outcomes.values():
        seen = git(outcome.workspace, "diff", "--name-only", "HEAD~1", "HEAD").stdout.split()
        assert outcome.context["files_modified"] == sorted(seen)
        assert outcome.context["decisions"]
        assert len(outcome.context["context_summary"]) <= 500


def test_every_agent_stays_within_what_its_track_owns(feature):
    tracks = {track["task_id"]: track for track in read_spec("spec.yaml")["parallel_tasks"]}
    for task_id, outcome in feature.outcomes.items():
        roots = tuple(glob.removesuffix("**") for glob in tracks[task_id]["owns"])
        assert [name for name in outcome.context["files_modified"] if not name.startswith(roots)] == []


def test_the_backend_s_context_says_what_the_application_declares(feature):
    document = openapi(feature.folder / "app")
    details = feature.outcomes["backend"].context["implementation_details"]
    errors = declared_errors(document)
    said = {endpoint: entry["error_codes"] for endpoint, entry in details["endpoints"].items()}
    assert said == {endpoint: codes for endpoint, codes in errors.items() if " /api/profile/" in endpoint}
    for name, schema in details["schemas"].items():
        fields = re.findall(r"(\w+): [A-Z]?\w", re.sub(r"\(.*?\)", "", schema["fields"]))
        assert sorted(fields) == sorted(document["components"]["schemas"][name]["properties"])


def test_the_page_s_context_says_what_its_script_calls_and_the_api_agrees(feature):
    tree = feature.folder / "app"
    calls = constant(tree / "static" / "profile" / "api.js", "ENDPOINTS")
    assumed = feature.outcomes["frontend"].context["api_contract_assumptions"]
    called = {f"{call['method']} {call['path']}": call["errors"] for call in calls.values()}
    assert {normal(endpoint): entry["error_codes"] for endpoint, entry in assumed.items()} == called
    assert called.items() <= declared_errors(openapi(tree)).items()


def test_every_selector_a_context_names_is_on_the_page(feature):
    page = (feature.folder / "app" / "static" / "profile.html").read_text()
    for task_id in ("frontend", "e2e"):
        named = set(re.findall(r"data-testid='([\w-]+)'", json.dumps(feature.outcomes[task_id].context)))
        assert len(named) >= 11
        assert named <= set(re.findall(r'data-testid="([\w-]+)"', page))
