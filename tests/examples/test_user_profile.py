"""The example, with plain git: its agents in workspaces of their own, their branches merged, the result tested."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "user_profile"


@dataclass(frozen=True)
class Outcome:
    """What one agent left behind."""

    task_id: str
    workspace: Path
    exit_code: int
    output: str
    context: dict[str, Any] | None


@dataclass(frozen=True)
class Run:
    """A prepared folder after some tracks of a spec ran, each on a branch of its own."""

    folder: Path
    outcomes: dict[str, Outcome]

    def merge(self, *task_ids: str) -> subprocess.CompletedProcess[str]:
        """Merge branches into main; the last merge's result."""
        merged = git(self.folder / "app", "checkout", "-q", "main")
        for task_id in task_ids:
            merged = git(self.folder / "app", "merge", "-q", "--no-edit", task_id, check=False)
        return merged


def environment(home: Path) -> dict[str, str]:
    """Return what agents and checks get: a few names, and a home of their own."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home)}


def git(repository: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run git without anybody's configuration."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    isolated = inherited | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *who, *arguments], cwd=repository, env=isolated, capture_output=True, text=True, check=check
    )


def run_python(workspace: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a workspace behind the agents' environment."""
    env = environment(workspace.parent / "home") | extra
    argv = [sys.executable, *arguments]
    return subprocess.run(argv, cwd=workspace, env=env, capture_output=True, text=True, timeout=100, check=False)


def prepare(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run prepare.py."""
    argv = [sys.executable, str(EXAMPLE / "prepare.py"), str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def read_spec(name: str) -> dict[str, Any]:
    """Load one of the specs."""
    return yaml.safe_load((EXAMPLE / name).read_text())


def run_tracks(folder: Path, spec_name: str, *task_ids: str) -> Run:
    """Run the agents of some tracks side by side, and commit what they did on branches named like the tracks."""
    assert prepare(folder).returncode == 0
    spec = read_spec(spec_name)
    tracks = {track["task_id"]: track for track in spec["parallel_tasks"]}
    started = {task_id: start_agent(folder, spec, tracks[task_id]) for task_id in task_ids}
    return Run(folder, {task_id: finish(folder, task_id, process) for task_id, process in started.items()})


def start_agent(folder: Path, spec: dict[str, Any], track: dict[str, Any]) -> subprocess.Popen[str]:
    """Start a track's agent in a new worktree."""
    task_id = track["task_id"]
    workspace = folder / "work" / task_id / "tree"
    git(folder / "app", "worktree", "add", "-q", "-b", task_id, str(workspace))
    assignment = {
        "workflow_id": spec["workflow_id"],
        "task_id": task_id,
        "agent": track["agent"],
        "attempt": 1,
        "scope": track["scope"],
        "requirements": spec["feature_spec"]["requirements"],
        "constraints": [],
        "criteria": [],
        "contracts": {},
        "prerequisites": {},
        "last_failure": None,
        "checkpoint": None,
        "ports": [],
    }
    (workspace.parent / "assignment.json").write_text(json.dumps(assignment))
    env = environment(workspace.parent / "home") | {
        "PLAIT_ASSIGNMENT": str(workspace.parent / "assignment.json"),
        "PLAIT_CONTEXT": str(workspace.parent / "context.json"),
    }
    words = spec["agents"][track["agent"]]["argv"]
    argv = [word.replace("{python}", sys.executable).replace("{spec_dir}", str(folder)) for word in words]
    return subprocess.Popen(argv, cwd=workspace, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(folder: Path, task_id: str, process: subprocess.Popen[str]) -> Outcome:
    """Wait for an agent and commit its work."""
    output, _ = process.communicate(timeout=100)
    workspace = folder / "work" / task_id / "tree"
    git(workspace, "add", "--all")
    git(workspace, "commit", "-q", "--allow-empty", "-m", task_id)
    left = workspace.parent / "context.json"
    context = json.loads(left.read_text()) if left.is_file() else None
    return Outcome(task_id, workspace, process.returncode, output, context)


def openapi(workspace: Path) -> dict[str, Any]:
    """Return what the application declares."""
    printed = run_python(workspace, "tools/openapi.py")
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


def declared_errors(document: dict[str, Any]) -> dict[str, list[int]]:
    """Return the error codes of every operation, as ``METHOD /path``."""
    return {
        f"{method.upper()} {path}": sorted(int(code) for code in operation["responses"] if int(code) >= 400)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def normal(endpoint: str) -> str:
    """Write a path's parameters in braces: ``:userId`` is ``{user_id}``."""
    return endpoint.replace(":userId", "{user_id}")


def constant(script: Path, name: str) -> dict[str, Any]:
    """Read a constant that a script keeps as plain JSON."""
    found = re.search(rf"export const {name} = (\{{.*?\n\}});", script.read_text(), re.DOTALL)
    assert found, f"{script.name} has no {name}"
    return json.loads(found[1])


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


@pytest.fixture(scope="module")
def mismatch(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The three tracks of mismatch.yaml, each done alone."""
    folder = tmp_path_factory.mktemp("mismatch")
    return run_tracks(folder, "mismatch.yaml", "directory-api", "directory-page", "directory-help")


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
    for step in (["upgrade", "002"], ["upgrade", "head"], ["check"], ["downgrade", "base"], ["upgrade", "head"]):
        migrated = run_python(tree, "-m", "alembic", *step, MEMBERS_DATABASE_URL=url)
        assert migrated.returncode == 0, migrated.stderr
    assert git(tree, "status", "--porcelain").stdout == ""


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


def test_the_mismatched_tracks_are_wrong_together_in_six_ways(mismatch):
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
