"""One outcome by every way back: the same command, the store alone, a new database, an edited spec."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.running import Ended, Place, fork, make_repository, plait, torn, wait_until
from tests.servers import descendants, running_server

TRACKS = {"api": ["write=api.txt"], "web": ["write=web.txt"], "docs": ["write=docs.txt"], "last": ["write=last.txt"]}
NEEDS: Mapping[str, dict[str, Any]] = {"web": {"needs": ["api"]}, "last": {"needs": ["web", "docs"]}}
HALF = "track.before-save:3"
"""Dies when two of the four tracks are saved."""


@pytest.fixture
def half(place: Place) -> tuple[Place, set[str]]:
    """A workflow with a repository, killed midway, and which of its tracks were saved."""
    place.write_spec(TRACKS, repository=True, settings=dict(NEEDS))
    assert fork(place, "run", place.spec, PLAIT_KILL_AT=HALF).wait().code == -signal.SIGKILL
    finished = place.completed()
    assert len(finished) == 2
    return place, finished


def reused(ended: Ended) -> set[str]:
    return {one["task_id"] for one in ended.report["tracks"] if one["reused"]}


def assert_went_on(place: Place, finished: set[str], ended: Ended) -> None:
    assert ended.code == 0, ended.err
    assert reused(ended) == finished
    assert [task for task in finished if place.started().count(task) != 1] == []
    _, final = place.store.require("feature")
    assert final["files_modified"] == ["api.txt", "web.txt", "docs.txt", "last.txt"]
    assert torn(place.store) == []


def planned(place: Place, *arguments: object) -> dict[str, str]:
    ended = plait(place, "plan", *arguments, "--json")
    assert ended.code == 0, ended.err
    return {one["task_id"]: one["action"] for one in find(json.loads(ended.out), "action")}


def find(value: Any, name: str) -> list[dict[str, Any]]:
    """Return every object below that has a member of that name."""
    if isinstance(value, list):
        return [one for inner in value for one in find(inner, name)]
    if not isinstance(value, dict):
        return []
    return [value] if name in value else [one for inner in value.values() for one in find(inner, name)]


def test_running_again_goes_on_and_plan_says_so_before(half: tuple[Place, set[str]]) -> None:
    place, finished = half
    plan = planned(place, place.spec)
    assert {name for name, action in plan.items() if action == "reuse"} == finished
    assert_went_on(place, finished, plait(place, "run", place.spec, "--json"))
    assert set(planned(place, place.spec).values()) == {"reuse"}


def test_another_machine_goes_on_from_the_store_and_a_fresh_clone(half: tuple[Place, set[str]]) -> None:
    place, finished = half
    place.spec.unlink()
    shutil.rmtree(place.folder / "workspaces")
    elsewhere = place.folder / "elsewhere"
    shutil.move(place.folder / "repository", elsewhere)
    there = replace(place, settings={"PLAIT_WORKSPACES": str(place.folder / "other-workspaces")})
    assert_went_on(there, finished, plait(there, "resume", "feature", "--repository", elsewhere, "--json"))


@pytest.mark.parametrize("gone", ["", "trusted.git", "tracks", ".lock"])
def test_workspaces_that_were_deleted_between_runs_cost_nothing(half: tuple[Place, set[str]], gone: str) -> None:
    place, finished = half
    (workspaces,) = (place.folder / "workspaces").iterdir()
    target = workspaces / gone
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()
    assert_went_on(place, finished, plait(place, "run", place.spec, "--json"))


def test_a_repository_whose_history_was_rewritten_still_serves_here_and_is_refused_elsewhere(
    half: tuple[Place, set[str]],
) -> None:
    place, finished = half
    repository = place.folder / "repository"
    shutil.rmtree(repository)
    make_repository(repository)
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, "commit", "-q", "--amend", "-m", "Rewritten"], cwd=repository, check=True)
    subprocess.run(["git", "reflog", "expire", "--expire=now", "--all"], cwd=repository, check=True)
    subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=repository, check=True)
    there = replace(place, settings={"PLAIT_WORKSPACES": str(place.folder / "other-workspaces")})
    refused = plait(there, "run", there.spec)
    assert refused.code == 2
    assert "give a repository that contains it with --repository" in refused.err
    assert "Traceback" not in refused.err
    assert_went_on(place, finished, plait(place, "run", place.spec, "--json"))


def test_a_new_prefect_database_changes_nothing(half: tuple[Place, set[str]], tmp_path: Path) -> None:
    place, finished = half
    with running_server(tmp_path / "new-prefect") as server:
        there = replace(place, server=server)
        assert_went_on(there, finished, plait(there, "run", place.spec, "--json"))


def test_an_edited_spec_runs_the_tracks_it_touches_and_what_depends_on_them(place: Place) -> None:
    place.write_spec(TRACKS, repository=True, settings=dict(NEEDS))
    assert plait(place, "run", place.spec).code == 0
    place.write_spec(
        {**TRACKS, "docs": ["write=docs.txt", "say=anew", "write=more.txt"]}, settings=dict(NEEDS),
        repository_path=str(place.folder / "repository"),
    )  # fmt: skip
    plan = planned(place, place.spec)
    ended = plait(place, "run", place.spec, "--json")
    assert ended.code == 0, ended.err
    assert reused(ended) == {"api", "web"}
    assert {name for name, action in plan.items() if action == "reuse"} == {"api", "web"}


def test_what_cannot_change_a_result_makes_no_track_run_again(place: Place) -> None:
    place.write_spec(TRACKS, settings=dict(NEEDS))
    assert plait(place, "run", place.spec).code == 0
    place.write_spec(
        TRACKS, settings={**NEEDS, "api": {"retries": 2, "timeout_minutes": 5, "estimate_minutes": 3}}, max_parallel=2
    )
    assert reused(plait(place, "run", place.spec, "--json")) == set(TRACKS)


def test_a_named_track_runs_again_and_what_depends_on_it_only_if_its_result_differs(place: Place) -> None:
    place.write_spec(TRACKS, settings=dict(NEEDS))
    assert plait(place, "run", place.spec).code == 0
    assert reused(plait(place, "run", place.spec, "--rerun", "api", "--json")) == {"web", "docs", "last"}


def test_what_a_killed_server_means_for_a_run(place: Place, tmp_path: Path) -> None:
    """The server dies for good in the middle: the work goes on and is saved; whatever the run says, nothing is redone."""
    gate = place.folder / "gate"
    place.write_spec({"quick": [], "waits": [f"wait={gate}"], "after": []}, settings={"after": {"needs": ["waits"]}})
    with running_server(tmp_path / "mortal") as server:
        there = replace(place, server=server)
        run = fork(there, "run", there.spec, "--json")
        wait_until("the agents work", lambda: len(place.lines()) == 2 and place.completed() == {"quick"})
        _kill_server(server.pid)
        gate.touch()
        ended = run.wait(330)
    print(f"with its server killed, the run ended {ended.code} after {ended.seconds:.0f} s: {ended.err[-300:]}")
    assert ended.code == 6
    assert "the run is over and saved as completed, but its end could not be reported" in ended.err
    assert server.url in ended.err
    assert "PREFECT_API_URL" in ended.err
    assert "Traceback" not in ended.err
    done = place.completed()
    assert done == {"quick", "waits", "after"}
    again = plait(place, "run", place.spec, "--json")
    assert again.code == 0
    assert done <= reused(again)
    assert torn(place.store) == []


def test_a_server_that_comes_back_is_found_again(place: Place, tmp_path: Path) -> None:
    gate = place.folder / "gate"
    place.write_spec({"quick": [], "waits": [f"wait={gate}"], "after": []}, settings={"after": {"needs": ["waits"]}})
    with running_server(tmp_path / "mortal") as server:
        there = replace(place, server=server)
        run = fork(there, "run", there.spec, "--json")
        wait_until("the agents work", lambda: len(place.lines()) == 2 and place.completed() == {"quick"})
        _kill_server(server.pid)
        port = int(server.url.rsplit(":", 1)[1].partition("/")[0])
        with running_server(tmp_path / "mortal", port=port) as _:
            gate.touch()
            ended = run.wait(100)
    assert ended.code == 0, ended.err
    assert sorted(place.started()) == ["after", "quick", "waits"]


def _kill_server(pid: int) -> None:
    family = descendants(pid)
    os.kill(pid, signal.SIGKILL)
    for one in family:
        one.kill()
