"""Verifying again: the checks run on the repository as it is now."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

import tasks.run.run
from contexts.errors import LeaseHeld
from contexts.leases.interrupted import interrupted
from contexts.leases.record import read_lease
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.deployments import own_process
from flows.feature import feature
from flows.upkeep.reverify import reverify, reverify_one
from tests.flows.specs import LEAVE, commit, git, make_repository, write_spec
from tests.servers import ROOT, Server

ADD = f"open('greeting.txt', 'w').write('hello\\n'); {LEAVE}"
CHECK = "import sys; sys.exit(0 if 'hello' in open('greeting.txt').read() else 1)"


class Built:
    """A verified workflow, and its repository with the feature merged."""

    def __init__(self, folder: Path) -> None:
        self.store_path = str(folder / "store")
        self.store = ContextStore(LocalObjects(folder / "store"))
        self.repository = make_repository(folder / "app", readme__md="An application\n")
        spec = write_spec(
            folder,
            "greeting",
            {"add": ADD},
            repository={"path": "app", "base": "main"},
            success_criteria={"add": [{"id": "greets", "text": "It says hello", "check": "says-hello"}]},
            verification={"checks": [{"id": "says-hello", "argv": [sys.executable, "-c", CHECK]}]},
        )
        state: State[Any] = feature(spec=spec, store=self.store_path, return_state=True)
        assert state.is_completed(), state.message
        git(self.repository, "merge", "--quiet", "plait/greeting")

    def reverify(self, *names: str, **options: Any) -> State[Any]:
        """Verify again."""
        return reverify(workflows=list(names or ("greeting",)), store=self.store_path, return_state=True, **options)

    def recorded(self) -> dict[str, Any]:
        """What the newest context says of the last verification."""
        return self.store.require("greeting")[1]["reverification"]


@pytest.fixture
def built(prefect_api: Server, workspaces: Path, tmp_path: Path) -> Built:
    del prefect_api, workspaces
    return Built(tmp_path)


def test_a_repository_that_still_holds_the_feature_is_verified(built: Built) -> None:
    state = built.reverify()
    assert state.is_completed(), state.message
    assert built.recorded()["worse"] == []
    assert built.recorded()["commit"] == git(built.repository, "rev-parse", "main")
    assert [one["status"] for one in built.recorded()["criteria"]] == ["met"]


def test_a_criterion_that_is_now_unmet_fails_and_is_reported_once_as_worse(built: Built) -> None:
    commit(built.repository, "Break it", greeting__txt="good bye\n")
    state = built.reverify()
    assert state.is_failed()
    assert state.name == "VerificationFailed"
    assert "greeting: criterion greets is unmet" in str(state.message)
    assert [(one["what"], one["name"], one["before"], one["now"]) for one in built.recorded()["worse"]] == [
        ("criterion", "greets", "met", "unmet"),
        ("check", "says-hello", "passed", "failed"),
    ]
    again = built.reverify()
    assert again.is_failed(), "still unmet"
    assert built.recorded()["worse"] == [], "but no worse than the last time"


def test_the_verdict_of_the_run_and_its_resumption_stay_what_they_were(built: Built) -> None:
    before = built.store.require("greeting")[1]
    commit(built.repository, "Break it", greeting__txt="good bye\n")
    built.reverify()
    after = built.store.require("greeting")[1]
    assert {key: after[key] for key in before if key != "_checksum"} == {
        key: value for key, value in before.items() if key != "_checksum"
    }


def test_a_workflow_that_is_not_there_fails_and_the_others_are_still_verified(built: Built) -> None:
    state = built.reverify("no-such-workflow", "greeting")
    assert state.is_failed()
    assert "no-such-workflow/context is not in" in str(state.message)
    assert built.recorded()["worse"] == []


def test_another_branch_can_be_verified(built: Built) -> None:
    git(built.repository, "checkout", "--quiet", "-b", "next")
    commit(built.repository, "Break it", greeting__txt="good bye\n")
    git(built.repository, "checkout", "--quiet", "main")
    assert built.reverify().is_completed()
    assert built.reverify(reference="next").is_failed()


DIE = """
import os, sys
from pathlib import Path
from contexts.leases.lease import acquire
from contexts.store.local import LocalObjects
acquire(LocalObjects(Path(sys.argv[1])), "greeting", owner="somebody")
os._exit(9)
"""


def die_with_the_lease(built: Built) -> None:
    died = subprocess.run([sys.executable, "-c", DIE, built.store_path], cwd=ROOT, check=False)
    assert died.returncode == 9


def test_an_interrupted_workflow_is_not_verified_and_still_counts_as_interrupted(built: Built) -> None:
    die_with_the_lease(built)
    before = read_lease(built.store.objects, "greeting")
    with pytest.raises(LeaseHeld, match="plait resume greeting"):
        reverify_one(RunRequest(workflow_id="greeting", store=built.store_path), "greeting", None)
    assert read_lease(built.store.objects, "greeting") == before
    found = interrupted(built.store.objects, now=datetime.now(UTC), watch=0, sleep=lambda _: None)
    assert [one.workflow_id for one in found] == ["greeting"]


def test_a_run_that_begins_and_dies_before_the_lease_is_taken_still_counts_as_interrupted(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tasks.run.run.held_lease

    def taken_by_another_first(*arguments: Any, **options: Any) -> Any:
        die_with_the_lease(built)
        return real(*arguments, **options)

    monkeypatch.setattr(tasks.run.run, "held_lease", taken_by_another_first)
    assert built.reverify().is_failed()
    found = interrupted(built.store.objects, now=datetime.now(UTC), watch=0, sleep=lambda _: None)
    assert [one.workflow_id for one in found] == ["greeting"]


def test_the_lease_keeps_the_reason_it_had(built: Built) -> None:
    built.reverify()
    lease = read_lease(built.store.objects, "greeting")
    assert lease is not None
    assert (lease.owner.startswith("upkeep"), lease.end_reason) == (True, "finished")


def test_a_deployed_reverification_outlives_its_worker(prefect_api: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every deployed flow: what it prints would meet a broken pipe once the worker is killed."""
    del prefect_api
    safe: list[bool] = []
    monkeypatch.setattr(own_process, "_is_engine", lambda: True)
    monkeypatch.setattr(own_process, "outlive_readers", lambda: safe.append(True))
    state: State[Any] = reverify(workflows=[], return_state=True)
    assert state.is_completed()
    assert safe
