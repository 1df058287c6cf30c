import os
import subprocess

import pytest

from contexts.leases.lease import acquire
from contexts.store.outbox import Outbox
from tasks.git.repository import Repository
from tasks.run.reuse import outbox_folder
from tasks.run.workspaces import workspace_root
from tests.flows.cli.documents import head

pytestmark = pytest.mark.usefixtures("outside")


@pytest.fixture
def repository(contexts, tmp_path):
    """A workflow's folder with two workspaces: one untouched, one with work nobody took over."""
    contexts.save(head("shop"), workflow_id="shop", name="context", after=0)
    user = tmp_path / "user"
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q", "-b", "main", user], check=True, env=environment)
    (user / "readme").write_text("hello")
    subprocess.run(["git", "-C", user, "add", "."], check=True, env=environment)
    subprocess.run(["git", "-C", user, *who, "commit", "-qm", "first"], check=True, env=environment)
    repository = Repository.prepare(workspace_root(contexts, "shop"), str(user))
    base = repository.pin("HEAD")
    repository.create_workspace("clean-impl", base)
    (repository.create_workspace("dirty-impl", base) / "new.py").write_text("work")
    return repository


def left(repository):
    return [space.task_id for space in repository.workspaces()]


def test_without_yes_nothing_is_removed(call, repository):
    result = call("clean")
    assert result.code == 0
    assert "clean-impl" in result.out
    assert "--yes" in result.err
    assert left(repository) == ["clean-impl", "dirty-impl"]


def test_clean_removes_what_holds_nothing_and_keeps_uncommitted_work(call, repository):
    spaces = {one["task_id"]: one for one in call("clean", "shop", "--yes", "--json").json()["workspaces"]}
    assert spaces["clean-impl"]["kept"] == ""
    assert "nobody took over" in spaces["dirty-impl"]["kept"]
    assert left(repository) == ["dirty-impl"]
    assert (repository.root / "tracks" / "dirty-impl" / "work" / "new.py").read_text() == "work"


def test_a_running_workflow_is_left_alone(call, repository, contexts):
    lease = acquire(contexts.objects, "shop", owner="test")
    spaces = call("clean", "--yes", "--json").json()["workspaces"]
    lease.release("done")
    assert {one["kept"] for one in spaces} == {"kept: the workflow is running"}
    assert left(repository) == ["clean-impl", "dirty-impl"]


def test_workspaces_of_another_store_are_not_touched(call, repository, tmp_path):
    result = call("clean", "--yes", "--store", tmp_path / "another")
    assert result.code == 0
    assert left(repository) == ["clean-impl", "dirty-impl"]


def test_an_unknown_workflow_is_bad_input(call, repository):
    result = call("clean", "shopp")
    assert result.code == 2
    assert "did you mean shop?" in result.err


def test_a_result_that_is_not_stored_yet_goes_only_when_that_is_asked_for(call, repository, contexts):
    outbox = Outbox(outbox_folder(repository.root), contexts, "shop")
    outbox.keep("api", {**head("shop"), "task_id": "api", "status": "completed"}, 1, {})
    spaces = {one["task_id"]: one for one in call("clean", "shop", "--yes", "--json").json()["workspaces"]}
    assert "a result that is not stored yet" in spaces["api"]["kept"]
    assert len(outbox.entries()) == 1
    spaces = {one["task_id"]: one for one in call("clean", "--yes", "--outbox", "--json").json()["workspaces"]}
    assert spaces["api"]["kept"] == ""
    assert outbox.entries() == ()
