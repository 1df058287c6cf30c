"""Retention on a local store: what it says in a dry run, what it does, and what it never touches."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import flows.upkeep.retention
from contexts.documents.refs import BlobRef
from contexts.errors import DocumentError, LeaseLost
from contexts.leases.held import held_lease
from contexts.leases.lease import acquire
from contexts.leases.record import read_lease
from contexts.store.archive import carry_out, holding
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from contexts.store.objects import Entry, Versioned
from contexts.store.retention import RetentionPolicy, plan_retention
from flows.upkeep.retention import retention
from tests.servers import Server

DAY = 24 * 3600.0


class Aged:
    """A store of which any part can be made old."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = LocalObjects(folder)
        self.store = ContextStore(self.objects)

    def save(self, workflow_id: str, times: int, **more: Any) -> list[BlobRef]:
        """Save a context so many times, each with a log of its own; return the logs."""
        logs = [self.store.put_blob(workflow_id, f"log {number}".encode(), "text/plain") for number in range(times)]
        for number, log in enumerate(logs):
            document = {"version": "1.0", "workflow_id": workflow_id, "number": number, "log": log.model_dump(), **more}
            self.store.save(document, workflow_id=workflow_id, name="context", after=number)
        return logs

    def age(self, days: float) -> None:
        """Make everything look as if it had been saved so many days ago."""
        then = time.time() - days * DAY
        for file in self.folder.rglob("*"):
            if file.is_file():
                os.utime(file, (then, then))

    def held(self) -> set[str]:
        """Everything but the leases."""
        return {entry.key for entry in self.objects.list("") if not entry.key.startswith("leases/")}

    def run(self, **options: Any) -> dict[str, Any]:
        """Run the flow; its line per workflow."""
        return {one["workflow"]: one for one in retention(store=str(self.folder), **options)}


class Meanwhile(LocalObjects):
    """The store, in which something happens once, right after a lease was read or documents were listed."""

    def __init__(self, folder: Path, happens: Callable[[], None], *, after: str) -> None:
        super().__init__(folder)
        self._happens = happens
        self._after = after
        self._happened = False

    def _done(self, what: str) -> None:
        if what == self._after and not self._happened:
            self._happened = True
            self._happens()

    def read_versioned(self, key: str) -> Versioned | None:
        found = super().read_versioned(key)
        self._done(key)
        return found

    def list(self, prefix: str) -> Iterator[Entry]:
        found = list(super().list(prefix))
        self._done(prefix)
        return iter(found)


DIE = """
import os, sys
from pathlib import Path
from contexts.leases.lease import acquire
from contexts.store.local import LocalObjects
acquire(LocalObjects(Path(sys.argv[1])), "w", owner="a-run")
os._exit(9)
"""


@pytest.fixture
def aged(prefect_api: Server, tmp_path: Path) -> Aged:
    del prefect_api
    return Aged(tmp_path / "store")


def test_a_dry_run_says_what_would_go_and_touches_nothing(aged: Aged) -> None:
    aged.save("w", 8)
    aged.age(2)
    before = aged.held()
    assert aged.run()["w"]["action"] == "trim"
    assert aged.held() == before


def test_the_last_five_revisions_stay_with_all_they_refer_to(aged: Aged) -> None:
    logs = aged.save("w", 8)
    aged.age(2)
    line = aged.run(dry_run=False)["w"]
    assert (line["objects"], line["done"]) == (6, "done")
    assert aged.store.revisions("w") == {"context": (4, 5, 6, 7, 8)}
    for log in logs[3:]:
        aged.store.get_blob("w", log)
    assert len(aged.held()) == 10
    assert aged.run(dry_run=False) == {}


def test_a_revision_that_a_kept_document_refers_to_stays_with_its_blobs(aged: Aged) -> None:
    log = aged.store.put_blob("w", b"the track's log", "text/plain")
    track = {"version": "1.0", "workflow_id": "w-t", "parent_workflow_id": "w", "task_id": "t", "log": log.model_dump()}
    ref = aged.store.save(track, workflow_id="w", name="tracks/t", after=0)
    for number in range(1, 8):
        aged.store.save({**track, "log": None, "number": number}, workflow_id="w", name="tracks/t", after=number)
    aged.save("w", 1, refs=[ref.model_dump()])
    aged.age(2)
    aged.run(dry_run=False)
    assert aged.store.revisions("w")["tracks/t"] == (1, 4, 5, 6, 7, 8)
    assert aged.store.get_blob("w", log) == b"the track's log"


def test_a_blob_behind_a_long_list_stays(aged: Aged) -> None:
    log = aged.store.put_blob("w", b"deep", "text/plain")
    entries = [{"text": "x" * 1000, "log": log.model_dump()}] * 100
    aged.save("w", 7, long=entries)
    aged.age(2)
    aged.run(dry_run=False)
    assert aged.store.get_blob("w", log) == b"deep"
    assert len(aged.store.require("w")[1]["long"]) == 100


def test_what_is_younger_than_a_day_stays(aged: Aged) -> None:
    aged.save("w", 8)
    aged.store.put_blob("w", b"a run is about to refer to this", "text/plain")
    aged.age(0.9)
    assert aged.run(dry_run=False) == {}


def test_a_workflow_whose_lease_has_not_ended_is_left_alone(aged: Aged) -> None:
    aged.save("w", 8)
    lease = acquire(aged.objects, "w", owner="somebody")
    aged.age(400)
    before = aged.held()
    assert aged.run(dry_run=False) == {}
    assert aged.held() == before
    lease.release("finished")


def test_after_thirty_days_the_newest_stays_in_place_and_the_rest_moves_into_one_file(aged: Aged) -> None:
    logs = aged.save("w", 8)
    with held_lease(aged.objects, "w", owner="somebody") as lease:
        lease.end_reason = "suspended"
    before = {key: aged.objects.read(key) for key in aged.held()}
    aged.age(31)
    line = aged.run(dry_run=False)["w"]
    assert line["action"] == "archive"
    assert aged.store.revisions("w") == {"context": (8,)}
    assert aged.store.require("w")[1]["number"] == 7
    aged.store.get_blob("w", logs[-1])
    (archive,) = (key for key in aged.held() if key.startswith("archive/"))
    with tarfile.open(fileobj=io.BytesIO(aged.objects.read(archive))) as tar:
        packed = {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]
    left = {key: aged.objects.read(key) for key in aged.held() if key != archive}
    assert packed | left == before
    assert len(packed) == 14
    # A person's reason to stop is still the lease's.
    assert b"suspended" in aged.objects.read("leases/w.json")


def test_one_workflows_rest_does_not_age_another(aged: Aged) -> None:
    aged.save("old", 3)
    aged.age(31)
    aged.save("new", 3)
    assert set(aged.run(dry_run=False)) == {"old"}
    assert aged.store.revisions("new") == {"context": (1, 2, 3)}


def test_a_run_that_began_and_died_since_the_plan_stays_interrupted_and_loses_nothing(
    aged: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged.save("w", 8)
    with held_lease(aged.objects, "w", owner="somebody"):
        pass
    aged.age(2)
    before = aged.held()

    def begin_and_die() -> None:
        argv = [sys.executable, "-c", DIE, str(aged.folder)]
        assert subprocess.run(argv, check=False).returncode == 9

    store = Meanwhile(aged.folder, begin_and_die, after="leases/w.json")
    monkeypatch.setattr(flows.upkeep.retention, "open_objects", lambda _: store)
    line = aged.run(dry_run=False)["w"]
    assert line["done"].startswith("left alone: the last run of w")
    assert aged.held() == before
    lease = read_lease(aged.objects, "w")
    assert lease
    assert (lease.owner, lease.end_reason) == ("a-run", None)


def test_what_a_newer_revision_than_the_plan_refers_to_stays(aged: Aged, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = aged.save("w", 8)
    aged.age(2)
    before = aged.held()

    def refer_again() -> None:
        document = {"version": "1.0", "workflow_id": "w", "log": logs[0].model_dump()}
        aged.store.save(document, workflow_id="w", name="context", after=8)

    # Right after what the plan is made from was listed.
    store = Meanwhile(aged.folder, refer_again, after="documents/w/")
    monkeypatch.setattr(flows.upkeep.retention, "open_objects", lambda _: store)
    line = aged.run(dry_run=False)["w"]
    assert "000009.json was saved meanwhile" in line["done"]
    assert aged.held() == before | {"documents/w/context/000009.json"}
    assert aged.store.get_blob("w", logs[0]) == b"log 0"


def test_a_lease_lost_before_anything_goes_ends_it(aged: Aged, monkeypatch: pytest.MonkeyPatch) -> None:
    aged.save("w", 8)
    aged.age(2)
    before = aged.held()

    def take_over() -> None:
        lease = aged.folder / "leases" / "w.json"
        body = lease.read_text().replace('"token": "', '"token": "another')
        aged.objects.replace("leases/w.json", body.encode(), aged.objects.read_versioned("leases/w.json").version)  # type: ignore[union-attr]

    store = Meanwhile(aged.folder, take_over, after="documents/w/")
    monkeypatch.setattr(flows.upkeep.retention, "open_objects", lambda _: store)
    assert "no longer owns workflow w" in aged.run(dry_run=False)["w"]["done"]
    assert aged.held() == before


def test_a_lease_lost_midway_ends_the_removing(aged: Aged) -> None:
    aged.save("w", 8)
    aged.age(2)
    held = holding(aged.objects, "w")
    policy = RetentionPolicy(archive_after_days=30, keep_checkpoints=5)
    plan = plan_retention(held, lease_ended=True, now=time.time(), policy=policy, read=aged.objects.read)
    before, looks = aged.held(), iter([None, LeaseLost("w is another's")])

    def look() -> None:
        if lost := next(looks):
            raise lost

    with pytest.raises(LeaseLost):
        carry_out(aged.objects, plan, held, read_again=lambda: None, each=look)
    assert before - aged.held() == {plan.keys[0]}


def test_a_damaged_workflow_is_left_alone_and_holds_up_no_other(aged: Aged, tmp_path: Path) -> None:
    for name in ("a", "b"):
        aged.save(name, 8)
    aged.age(31)
    twin = Aged(shutil.copytree(aged.folder, tmp_path / "twin"))
    twin.run(dry_run=False)
    archive = next(key for key in twin.held() if key.startswith("archive/a/"))
    aged.objects.create(archive, b"damaged")
    before = {key for key in aged.held() if "/a/" in key}
    with pytest.raises(DocumentError, match="damaged and left alone: a;"):
        aged.run(dry_run=False)
    assert {key for key in aged.held() if "/a/" in key} == before
    assert aged.store.revisions("b") == {"context": (8,)}
