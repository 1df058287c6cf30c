"""A track in another process: it is opened from store, workflow and track alone, and works in its run's name."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from contexts.errors import InputError, LeaseLost, RevisionConflict, SpecError
from contexts.leases import watched
from contexts.leases.held import held_lease
from contexts.spec.load import load_spec
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.url import open_objects
from tasks.initialize import initialize
from tasks.run.open_track import TrackReference, open_track
from tasks.run.reuse import plan_reuse
from tasks.run.run import Run, open_run
from tasks.track.bring import bring_track, prerequisites_of
from tests.flows.specs import git, make_repository, write_spec
from tests.servers import ROOT
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("workspaces", "outside")

ELSEWHERE = """
import sys
from tasks.run.open_track import TrackReference, open_track
from tasks.track.bring import bring_track, prerequisites_of

store, workflow_id, task_id = sys.argv[1:]
with open_track(TrackReference(store, workflow_id, task_id)) as run:
    outcome = bring_track(run, task_id, prerequisites_of(run, task_id))
    print(outcome.status, outcome.ref, run.repository.root)
"""
"""What a process somewhere else does; it is given nothing but the reference."""
API = (
    "import json, os, pathlib; pathlib.Path('api.py').write_text('one'); "
    "open(os.environ['PLAIT_CONTEXT'], 'w').write(json.dumps({'decisions': ['REST']}))"
)
PAGE = (
    "import os, pathlib; pathlib.Path('page.txt').write_text(pathlib.Path('api.py').read_text()); "
    "open(os.environ['PLAIT_CONTEXT'], 'w').write('{}')"
)


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store")


@pytest.fixture
def request_of_run(tmp_path: Path, store: str) -> RunRequest:
    repository = make_repository(tmp_path / "repository", README__md="read me")
    spec = write_spec(
        tmp_path, "w", {"api": API, "page": PAGE}, tracks={"page": {"needs": ["api"]}},
        repository={"path": str(repository), "base": "main"},
    )  # fmt: skip
    return RunRequest(spec=spec, store=store)


@pytest.fixture
def run(request_of_run: RunRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr("tasks.run.run.held_lease", partial(held_lease, every=0.5))  # others wait to see it move
    with open_run(request_of_run) as opened:
        initialize.fn(opened)
        yield opened


def elsewhere(store: str, task_id: str, machine: Path) -> list[str]:
    """Run a track in a process that shares nothing with this one but the store; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, store, "w", task_id],
        cwd=machine.parent, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PLAIT_WORKSPACES": str(machine)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_tracks_run_in_other_processes_from_their_references_and_the_next_run_reuses_them(
    run: Run, request_of_run: RunRequest, store: str, tmp_path: Path
) -> None:
    for task_id in ("api", "page"):
        machine = tmp_path / f"machine of {task_id}"
        status, ref, *root = elsewhere(store, task_id, machine)
        assert (status, ref) == ("completed", f"w/tracks/{task_id}@1")
        assert " ".join(root).startswith(str(machine))
    api, page = (run.store.require("w", f"tracks/{name}").context for name in ("api", "page"))
    assert (api.decisions, api.files_modified, page.files_modified) == (["REST"], ["api.py"], ["page.txt"])
    assert api.execution
    assert str(api.execution.run_id).startswith(f"{run.id}-"), "its run, and the process"
    run.lease.end_reason = "finished"
    loaded = load_spec(Path(str(request_of_run.spec)))
    planned = plan_reuse(loaded, ContextStore(open_objects(store)), "w")
    assert [(one.task_id, one.action) for one in planned] == [("api", "reuse"), ("page", "reuse")]
    repository = Path(loaded.spec.repository.path) if loaded.spec.repository else tmp_path
    assert git(repository, "status", "--porcelain") == ""


def test_a_track_waits_for_no_prerequisite_that_is_not_completed(run: Run, store: str) -> None:
    with open_track(TrackReference(store, "w", "page")) as opened, pytest.raises(InputError, match="needs api"):
        prerequisites_of(opened, "page")
    assert not run.lease.lost.is_set()


def test_of_two_processes_that_save_one_track_one_meets_a_conflict(
    request_of_run: RunRequest, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "LOOK_EVERY", 0.05)
    monkeypatch.setattr("tasks.run.run.held_lease", partial(held_lease, every=0.05))
    with open_run(request_of_run) as run:
        initialize.fn(run)
        with open_track(TrackReference(store, "w", "api")) as elsewhere_:
            made = bring_track(elsewhere_, "api", {})
            assert (made.status, made.ref and made.ref.revision) == ("completed", 1)
            with pytest.raises(RevisionConflict):
                bring_track(run, "api", {})
        assert run.store.revisions("w")["tracks/api"] == (1,)
        assert len(run.outage.entries("api")) == 1, "what the second did is kept on this machine"


def test_a_program_that_is_not_there_is_told_before_anything_is_begun(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agent.py").write_text(PAGE)
    agents = {"api": {"backend": "command", "argv": ["{python}", "{spec_dir}/agent.py"]}}
    spec = write_spec(tmp_path, "w", {"api": PAGE}, agents=agents)
    with open_run(RunRequest(spec=spec, store=store)) as run:
        initialize.fn(run)
        monkeypatch.setenv("PLAIT_WORKSPACES", str(tmp_path / "another machine"))
        with pytest.raises(SpecError, match="track api"):
            open_track(TrackReference(store, "w", "api")).__enter__()
        assert "tracks/api" not in run.store.revisions("w")


def test_there_is_nothing_to_open_for_a_run_that_has_ended(run: Run, store: str) -> None:
    with pytest.raises(InputError, match="no track 'other'"):
        open_track(TrackReference(store, "w", "other")).__enter__()
    run.lease.finish("finished")
    with pytest.raises(LeaseLost, match="no run of w is going"):
        open_track(TrackReference(store, "w", "api")).__enter__()


def test_what_is_at_work_elsewhere_stops_and_saves_nothing_once_its_run_has_ended(
    request_of_run: RunRequest, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "LOOK_EVERY", 0.05)
    ended = threading.Event()
    with open_run(request_of_run) as run:
        initialize.fn(run)
        opened = open_track(TrackReference(store, "w", "api"))
        track = opened.__enter__()
        watcher = threading.Thread(target=lambda: (track.cancel.wait(PATIENCE), ended.set()))
        watcher.start()
    wait_until("it has seen the end", ended.is_set)
    with pytest.raises(LeaseLost):
        track.save("tracks/api", {"version": "1.0", "workflow_id": "w-api", "parent_workflow_id": "w"})
    assert ContextStore(open_objects(store)).latest("w", "tracks/api") is None
    with pytest.raises(Exception, match="stopped"):
        bring_track(track, "api", {})
    opened.__exit__(None, None, None)
    watcher.join(PATIENCE)
