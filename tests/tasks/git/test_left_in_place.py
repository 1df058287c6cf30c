"""What one attempt leaves in its own folder never stops the next, and never leads it to somebody else's files."""

import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contexts.documents.assignment import Assignment
from contexts.errors import DocumentError, RepositoryError
from contexts.spec.policy import CommandAgent
from tasks.agents.backend import Job
from tasks.agents.command import CommandBackend
from tasks.agents.left import read_left
from tasks.filesystem import remove_folder
from tasks.git.repository import Repository
from tasks.sandbox.environment import FOLDERS, agent_environment
from tasks.sandbox.outcome import last_line, read_log


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A folder of somebody else's with a mode of its own and a file in it."""
    folder = tmp_path / "others"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "file").write_text("theirs\n", encoding="utf-8")
    return folder


def _untouched(others: Path) -> bool:
    return (
        stat.S_IMODE(others.stat().st_mode) == 0o755
        and [path.name for path in others.iterdir()] == ["file"]
        and (others / "file").read_text(encoding="utf-8") == "theirs\n"
    )


PLANTS: dict[str, Callable[[Path, Path], object]] = {
    "a file": lambda path, _: path.write_text("x", encoding="utf-8"),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a folder": lambda path, _: (path / "x").mkdir(parents=True),
    "a link to a folder": lambda path, others: path.symlink_to(others),
    "a link to a file": lambda path, others: path.symlink_to(others / "file"),
    "a link to nothing": lambda path, others: path.symlink_to(others / "nothing"),
}
planted = pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())


@planted
def test_whatever_stands_in_a_folders_place_is_removed(tmp_path, others, plant):
    plant(tmp_path / "work", others)
    remove_folder(tmp_path / "work")
    assert not os.path.lexists(tmp_path / "work")
    assert _untouched(others)


@planted
@pytest.mark.parametrize("relative", ["", *(name for name in FOLDERS.values() if name != ".")])
def test_a_home_is_the_agents_own_whatever_it_was_made_into(tmp_path, others, plant, relative):
    place = tmp_path / "home" / relative
    place.parent.mkdir(parents=True, exist_ok=True)
    plant(place, others)
    environment = agent_environment(tmp_path / "home")
    for name in FOLDERS:
        assert Path(environment[name]).resolve().is_relative_to(tmp_path / "home")
        assert Path(environment[name]).is_dir()
    assert _untouched(others)


def _job(tmp_path: Path) -> Job:
    return Job(
        assignment=Assignment.model_validate(
            {name: [] for name in Assignment.model_fields}
            | {"workflow_id": "w", "task_id": "t", "agent": "a", "attempt": 1, "scope": "", "last_failure": None}
            | {"feature": {}, "criteria": {}, "prerequisites": {}, "contracts": {}, "checkpoint": None}
        ),
        workspace=tmp_path,
        exchange=tmp_path,
        log=tmp_path / "log",
        deadline=30,
        cancel=threading.Event(),
        on_line=lambda _: None,
    )


@pytest.mark.usefixtures("outside")
@planted
def test_a_log_is_begun_anew_whatever_stands_in_its_place(tmp_path, others, plant):
    plant(tmp_path / "log", others)
    agent = CommandAgent(backend="command", argv=("sh", "-c", "echo said; echo {} > $PLAIT_CONTEXT"))
    assert CommandBackend(agent, tmp_path).run(_job(tmp_path)).context == {}
    assert read_log(tmp_path / "log") == b"said\n"
    assert _untouched(others)


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a link to a file", "a link to a folder", "a link to nothing"])
def test_what_is_no_log_is_not_read_as_one(tmp_path, others, kind):
    PLANTS[kind](tmp_path / "log", others)
    assert read_log(tmp_path / "log") is None
    assert last_line(tmp_path / "log") == ""


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a link to a file", "a link to a folder"])
def test_a_context_that_is_no_plain_file_is_refused(tmp_path, others, kind):
    PLANTS[kind](tmp_path / "context.json", others)
    with pytest.raises(DocumentError, match=r"context\.json"):
        read_left(tmp_path / "context.json")


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("kind", ["a file", "a pipe"])
def test_a_workspace_that_is_no_folder_any_more_is_said_to_be_gone_and_made_anew(tmp_path, others, kind):
    repository = Repository.prepare_empty(tmp_path / "root")
    start = repository.pin("HEAD")
    folder = repository.create_workspace("t", start)
    remove_folder(folder)
    PLANTS[kind](folder, others)
    with pytest.raises(RepositoryError, match="is gone"):
        repository.stage(folder, start)
    assert repository.create_workspace("t", start).is_dir()


@pytest.mark.usefixtures("outside")
def test_an_agent_that_kills_its_supervisor_is_said_to_have_ended_unknown(tmp_path):
    agent = CommandAgent(backend="command", argv=("sh", "-c", "kill -9 $PPID; sleep 1"))
    job = _job(tmp_path)
    delivery = CommandBackend(agent, tmp_path).run(job)
    assert delivery.context is None
    assert "the supervisor itself was ended by SIGKILL" in delivery.reason


@pytest.mark.usefixtures("outside")
def test_a_git_dir_that_an_agent_removed_is_said_to_be_gone_and_made_anew(tmp_path):
    repository = Repository.prepare_empty(tmp_path / "root")
    start = repository.pin("HEAD")
    folder = repository.create_workspace("t", start)
    (folder / "work").write_text("done\n", encoding="utf-8")
    remove_folder(repository.git.git_dir)
    with pytest.raises(RepositoryError, match="is gone; run the workflow again"):
        repository.snapshot("t", folder, start, "m", datetime.now(UTC))
    with pytest.raises(RepositoryError, match="is gone; run the workflow again"):
        repository.create_workspace("u", start)
    again = Repository.prepare_empty(tmp_path / "root")
    assert again.create_workspace("t", again.pin("HEAD")).is_dir()
    assert (tmp_path / "root/tracks/t/work-left-1/work").read_text(encoding="utf-8") == "done\n"
