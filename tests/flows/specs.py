"""Small specs and recordings for tests of flows."""

import json
import subprocess
from pathlib import Path
from typing import Any

LEAVE = "import os; open(os.environ['PLAIT_CONTEXT'], 'w').write('{}')"
"""What an agent does at least."""
TRACKS = ("api", "page", "tests")
RECORDINGS = Path(__file__).parent / "recordings"


def write_spec(folder: Path, workflow_id: str, programs: dict[str, str], **more: Any) -> str:
    """Write a spec with one track per program (lines of Python); tracks are changed by ``tracks={name: {...}}``."""
    changes = more.pop("tracks", {})
    spec = {
        "workflow_id": workflow_id,
        "agents": {
            name: {"backend": "command", "argv": ["{python}", "-c", program]} for name, program in programs.items()
        },
        "parallel_tasks": [
            {"task_id": name, "agent": name, "timeout_minutes": 1, **changes.get(name, {})} for name in programs
        ],
        **more,
    }
    path = folder / f"{workflow_id}.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return str(path)


def git(repository: Path, *arguments: str) -> str:
    """Run git as nobody in particular."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_repository(folder: Path, **files: str) -> Path:
    """Make a repository with one commit that holds these files (``__`` in a name is a dot)."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder, "Begin", **files)
    return folder


def commit(repository: Path, message: str, **files: str) -> None:
    """Commit files on the branch that is checked out."""
    for name, text in files.items():
        (repository / name.replace("__", ".")).write_text(text, encoding="utf-8")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", message)
