"""What an agent has finished is on a disk before a store is waited for, and only then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from contexts.errors import LeaseLost, StoreUnreachable
from contexts.leases.held import held_lease
from contexts.spec.request import RunRequest
from contexts.store.local import LocalObjects
from tasks.run import run as running
from tasks.run.run import Run, open_run
from tasks.track.handing_over import gathering, hand_over
from tests.contexts.building import context
from tests.flows.specs import write_spec
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("workspaces", "outside")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While it is set, the disk of the store fails at every document and blob as a bad cable makes it fail."""
    made = threading.Event()
    create = LocalObjects.create

    def failing(self: LocalObjects, key: str, body: bytes) -> None:
        if made.is_set() and key.startswith(("documents/", "blobs/")):
            raise StoreUnreachable("the disk does not answer (Input/output error)")
        create(self, key, body)

    monkeypatch.setattr(LocalObjects, "create", failing)
    monkeypatch.setattr(running, "held_lease", partial(held_lease, every=0.05))
    return made


@pytest.fixture
def run(tmp_path: Path, away: threading.Event) -> Iterator[Run]:
    spec = write_spec(tmp_path, "w", {"api": "pass"})
    with open_run(RunRequest(spec=spec, store=str(tmp_path / "store"))) as opened:
        yield opened
        away.clear()


def test_what_a_folder_does_not_take_is_kept_before_it_is_waited_for(run: Run, away: threading.Event) -> None:
    store, gathered = gathering(run)
    store.put_blob("w", b"what it said", "text/plain")
    away.set()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(hand_over, run, "api", context("w-api", task_id="api", parent_workflow_id="w"), gathered)
        try:
            (kept,) = wait_until("it is kept", lambda: run.outage.outbox.entries("api"))
            assert (kept.manifest is not None, future.done()) == (True, False)
        finally:
            away.clear()
        ref = future.result()
    assert run.store.require("w", "tracks/api")[0] == ref
    assert run.outage.outbox.entries() == ()


def test_for_a_folder_that_takes_it_nothing_is_written_beside_it(run: Run) -> None:
    ref = hand_over(run, "api", context("w-api", task_id="api", parent_workflow_id="w"), gathering(run)[1])
    assert run.store.require("w", "tracks/api")[0] == ref
    assert not run.outage.outbox.root.exists()


def test_what_a_run_without_its_lease_may_not_save_is_kept(run: Run) -> None:
    run.lease.lost.set()
    with pytest.raises(LeaseLost):
        hand_over(run, "api", context("w-api", task_id="api", parent_workflow_id="w"), gathering(run)[1])
    assert len(run.outage.outbox.entries("api")) == 1
    run.lease.lost.clear()
