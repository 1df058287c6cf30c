"""In an outage a request waits for the lease: it is sent again under it, once, and never under another's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contexts.errors import LeaseLost, ObjectExists, StoreError, StoreUnreachable
from contexts.leases import held as holding
from contexts.leases.held import HeldLease, held_lease
from contexts.leases.lease import OWN_LIMIT
from contexts.leases.patient import PatientObjects
from contexts.leases.record import read_lease
from contexts.store.local import LocalObjects
from contexts.store.objects import Entry, ObjectStore, Versioned
from tests.contexts.stores.test_lease import FakeClock, elsewhere, wait_until


class Away:
    """A store that does not answer while ``down`` is set; what it was asked meanwhile may have landed all the same."""

    def __init__(self, inner: ObjectStore, *, lands: bool = False) -> None:
        self._inner = inner
        self._lands = lands
        self.down = threading.Event()
        self.failed = 0
        self.says: StoreError = StoreUnreachable("no answer")

    @property
    def identity(self) -> str:
        return self._inner.identity

    def _answer(self, act: Callable[[], object]) -> None:
        if self.down.is_set():
            self.failed += 1
            if self._lands:
                act()
            raise self.says

    def create(self, key: str, body: bytes) -> None:
        self._answer(lambda: self._inner.create(key, body))
        self._inner.create(key, body)

    def read(self, key: str) -> bytes:
        self._answer(lambda: None)
        return self._inner.read(key)

    def list(self, prefix: str) -> Iterator[Entry]:
        self._answer(lambda: None)
        return self._inner.list(prefix)

    def read_versioned(self, key: str) -> Versioned | None:
        self._answer(lambda: None)
        return self._inner.read_versioned(key)

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        self._answer(lambda: self._inner.replace(key, body, version))
        return self._inner.replace(key, body, version)

    def delete(self, key: str) -> None:
        self._answer(lambda: None)
        self._inner.delete(key)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_AFTER_FAILURE", 0.02)
    monkeypatch.setattr(holding, "_LOOK_EVERY", 0.02)


def patient(objects: ObjectStore, lease: HeldLease, told: Callable[[], None] = lambda: None) -> PatientObjects:
    return PatientObjects(objects, lease, patience=600, stop=threading.Event(), told=told)


ASKED: dict[str, Callable[[ObjectStore], object]] = {
    "create": lambda store: store.create("documents/w/context/000002.json", b"2"),
    "read": lambda store: store.read("documents/w/context/000001.json"),
    "list": lambda store: [entry.key for entry in store.list("documents/")],
    "read_versioned": lambda store: store.read_versioned("results/none"),
    "delete": lambda store: store.delete("results/none"),
}


@pytest.mark.parametrize("lands", [False, True])
@pytest.mark.parametrize("asked", ASKED)
def test_what_a_request_waited_for_is_answered_when_the_store_is_back(tmp_path: Path, asked: str, lands: bool) -> None:
    objects = Away(LocalObjects(tmp_path), lands=lands)
    objects.create("documents/w/context/000001.json", b"1")
    clock = FakeClock()
    told = threading.Event()
    with (
        held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock(), endures=900) as held,
        ThreadPoolExecutor(1) as pool,
    ):
        objects.down.set()
        future = pool.submit(ASKED[asked], patient(objects, held, told.set))
        wait_until(told.is_set)
        clock.seconds += OWN_LIMIT + 60
        failed = objects.failed
        wait_until(lambda: objects.failed > failed + 3)
        assert not future.done()
        objects.down.clear()
        future.result(20)
    assert LocalObjects(tmp_path).read("documents/w/context/000001.json") == b"1"
    ended = read_lease(objects, "w")
    assert ended is not None
    assert (ended.epoch, ended.end_reason) == (1, "finished")


def test_another_body_under_the_key_is_anothers(tmp_path: Path) -> None:
    inner = LocalObjects(tmp_path)
    objects = Away(inner)
    with held_lease(objects, "w", owner="one", every=0.02, endures=900) as held, ThreadPoolExecutor(1) as pool:
        told = threading.Event()
        objects.down.set()
        future = pool.submit(patient(objects, held, told.set).create, "documents/w/context/000001.json", b"ours")
        wait_until(told.is_set)
        inner.create("documents/w/context/000001.json", b"theirs")
        objects.down.clear()
        with pytest.raises(ObjectExists):
            future.result(20)


def test_a_lease_that_was_taken_meanwhile_by_another_way_is_lost_and_nothing_is_written(tmp_path: Path) -> None:
    inner = LocalObjects(tmp_path)
    objects = Away(inner)
    with (  # noqa: PT012 - the whole block
        pytest.raises(LeaseLost, match="no longer owns"),
        held_lease(objects, "w", owner="one", every=0.02, endures=900) as held,
        ThreadPoolExecutor(1) as pool,
    ):
        told = threading.Event()
        objects.down.set()
        future = pool.submit(patient(objects, held, told.set).create, "documents/w/context/000001.json", b"ours")
        wait_until(told.is_set)
        elsewhere(inner, owner="two", epoch=2, token="another")
        objects.down.clear()
        future.result(20)
    assert list(inner.list("documents/")) == []
    found = read_lease(inner, "w")
    assert found is not None
    assert (found.owner, found.end_reason) == ("two", None)


@pytest.mark.parametrize("endures", [0.0, 900.0])
def test_when_patience_is_over_it_was_the_store_and_not_another_run(tmp_path: Path, endures: float) -> None:
    objects = Away(LocalObjects(tmp_path))
    clock = FakeClock()
    with (  # noqa: PT012 - the whole block
        pytest.raises(StoreUnreachable, match="run again when it answers") as caught,
        held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock(), endures=endures) as held,
    ):
        objects.down.set()
        wait_until(lambda: objects.failed >= 1)
        clock.seconds += OWN_LIMIT + endures - 1
        held.ensure_held_locally()
        assert not held.lost.is_set()
        clock.seconds += 1
        assert held.lost.wait(20)
        patient(objects, held).create("documents/w/context/000001.json", b"x")
    assert caught.value.exit_code == 6


def test_a_store_that_answers_no_is_not_waited_for(tmp_path: Path) -> None:
    objects = Away(LocalObjects(tmp_path))
    clock = FakeClock()
    with (  # noqa: PT012 - the whole block
        pytest.raises(StoreError, match="the disk is full") as caught,
        held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock(), endures=900) as held,
    ):
        objects.says = StoreError("the disk is full")
        objects.down.set()
        wait_until(lambda: objects.failed >= 1)
        clock.seconds += OWN_LIMIT
        assert held.lost.wait(20)
        patient(objects, held).create("documents/w/context/000001.json", b"x")
    assert caught.value.exit_code == 6
    assert not isinstance(caught.value, StoreUnreachable)


def test_a_holder_that_slept_longer_than_its_patience_asks_before_it_gives_up(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    clock = FakeClock()
    with held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock(), endures=60) as held:
        clock.seconds += 86_400
        patient(objects, held).create("documents/w/context/000001.json", b"x")
        held.ensure_held()
