"""What each step of a run costs in requests, as docs/guides/stores.md tells it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from contexts.leases.lease import acquire
from contexts.store.contexts import ContextStore
from contexts.store.s3 import S3Objects
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import s3_storage

_CLASS_A = {"PutObject", "ListObjectsV2"}


class Bill:
    """Counts requests as services bill them: puts and listings, and gets."""

    def __init__(self, objects: S3Objects) -> None:
        self._sent: Counter[str] = Counter()
        objects.client.meta.events.register("before-parameter-build.s3", self._note)

    def _note(self, model: Any, **_: object) -> None:
        self._sent[model.name] += 1

    def since(self) -> tuple[int, int]:
        """Return puts and listings, and gets, since the last call."""
        a = sum(count for name, count in self._sent.items() if name in _CLASS_A)
        b = sum(count for name, count in self._sent.items() if name not in _CLASS_A)
        self._sent.clear()
        return a, b


@pytest.fixture
def objects(ministack: servers.Server) -> S3Objects:
    opened = s3_storage(ministack)()
    assert isinstance(opened, S3Objects)
    return opened


def document(workflow_id: str) -> dict[str, Any]:
    return {
        "version": "1.0",
        "workflow_id": workflow_id,
        "timestamp": "2026-01-01T00:00:00Z",
        "current_agent": "plait",
        "phase": "tracks",
    }


def test_each_step_costs_what_the_documentation_says(objects: S3Objects) -> None:
    bill = Bill(objects)
    store = ContextStore(objects)
    objects.probe()
    assert bill.since() == (3, 0), "the probe on a new prefix"
    lease = acquire(objects, "w", owner="run")
    assert bill.since() == (1, 1), "taking the lease"
    lease.renew()
    assert bill.since() == (1, 0), "a heartbeat"
    store.save(document("w"), workflow_id="w", name="context", after=0)
    assert bill.since() == (1, 0), "a document"
    store.put_blob("w", b"a log")
    assert bill.since() == (1, 0), "a blob"
    assert store.latest("w") is not None
    assert bill.since() == (1, 1), "the newest revision"
    lease.release("finished")
    assert bill.since() == (1, 0), "ending the lease"


def test_deciding_reuse_costs_one_listing_and_one_get_per_track(objects: S3Objects) -> None:
    store = ContextStore(objects)
    for number in range(12):
        track = {**document(f"w-t{number}"), "parent_workflow_id": "w", "task_id": f"t{number}"}
        store.save(track, workflow_id="w", name=f"tracks/t{number}", after=0)
    bill = Bill(objects)
    revisions = store.revisions("w")
    for name, numbers in revisions.items():
        store.load_revision("w", name, numbers[-1])
    assert bill.since() == (1, 12)
