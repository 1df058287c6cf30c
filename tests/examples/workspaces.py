"""Run the example's agents with plain git: a worktree and a branch for each, merged afterwards."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    return subprocess.run(argv, cwd=workspace, env=env, capture_output=True, text=True, check=False)


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
    output, _ = process.communicate()
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
