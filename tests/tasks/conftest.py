"""A user's repository, and a way to count processes, for everything about sandbox and git."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.git.repository import Repository
from tasks.sandbox.environment import agent_environment
from tests.waiting import PATIENCE, wait_until

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def when() -> datetime:
    return WHEN


def _git(folder: Path, *args: str) -> str:
    environment = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "u", "GIT_AUTHOR_EMAIL": "u@example.invalid", "GIT_COMMITTER_NAME": "u",
        "GIT_COMMITTER_EMAIL": "u@example.invalid", "GIT_AUTHOR_DATE": "1760000000 +0000", "GIT_COMMITTER_DATE": "1760000000 +0000",
    }  # fmt: skip
    return subprocess.run(
        ["git", *args], cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def git(outside: None) -> Callable[..., str]:
    """Git as a user would run it, in a folder."""
    return _git


@pytest.fixture
def user(outside: None, tmp_path: Path) -> Path:
    """A user's repository with one commit on main."""
    folder = tmp_path / "user"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text("one\ntwo\nthree\nfour\nfive\n")
    (folder / "README.md").write_text("read me\n")
    (folder / ".gitignore").write_text("*.log\n")
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "add", ".")
    _git(folder, "commit", "-qm", "begin")
    return folder


@pytest.fixture
def repository(tmp_path: Path, user: Path) -> Repository:
    return Repository.prepare(tmp_path / "workflow", str(user))


@pytest.fixture
def base(repository: Repository) -> str:
    return repository.pin("main")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return agent_environment(tmp_path / "home")


def _fingerprint(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if file.is_symlink():
            found[name] = f"link {file.readlink()}"
        elif file.is_file():
            found[name] = f"{file.stat().st_mode:o} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        else:
            found[name] = "folder"
    return found


@pytest.fixture
def fingerprint() -> Callable[[Path], dict[str, str]]:
    """Every path below a folder with its content."""
    return _fingerprint


class Census:
    """Counts the processes that carry a mark in their environment, whoever their parent is now."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.variables = {"CENSUS": mark}

    def living(self) -> list[int]:
        needle = f"CENSUS={self.mark}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if needle in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def wait_for(self, count: int, seconds: float = PATIENCE) -> None:
        wait_until(f"{count} processes are alive", lambda: len(self.living()) == count, seconds)


@pytest.fixture
def census(outside: None, tmp_path: Path) -> Iterator[Census]:
    counter = Census(str(tmp_path))
    yield counter
    left = counter.living()
    for pid in left:
        os.kill(pid, 9)
    assert not left, "the test left processes behind"
