"""Nothing of a write is sent once the lease it was begun under is old; it goes on under the next heartbeat."""

from __future__ import annotations

import logging
import threading
import time as real_time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tenacity
import tenacity.nap
from botocore.exceptions import EndpointConnectionError

import contexts.store.s3.retry
from contexts.errors import LeaseLost, NotFound, StoreUnreachable
from contexts.leases import held as holding
from contexts.leases.held import held_lease
from contexts.leases.lease import OWN_LIMIT, STALE_AFTER
from contexts.leases.patient import impatient
from contexts.store.fence import Fence, fenced
from contexts.store.local import LocalObjects
from contexts.store.objects import ObjectStore
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings
from contexts.store.s3.retry import Patience, persist
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for, session_for
from tests.contexts.stores.test_lease import FakeClock, elsewhere
from tests.contexts.stores.test_patient import Away, patient
from tests.waiting import wait_until

KEY = "documents/w/context/000001.json"


class Persistent(Away):
    """A bucket that cannot be connected to for so many seconds of a clock; each write is tried again as S3's are."""

    def __init__(self, inner: ObjectStore, clock: FakeClock, answers_after: float) -> None:
        super().__init__(inner)
        self.clock = clock
        self.began = clock.seconds
        self.answers_after = answers_after
        self.sent: list[float] = []

    def create(self, key: str, body: bytes) -> None:
        def send() -> None:
            self.sent.append(self.clock.seconds - self.began)
            if self.sent[-1] < self.answers_after:
                raise EndpointConnectionError(endpoint_url="https://b")
            self._inner.create(key, body)

        persist(send, Patience(), "PutObject", "bucket b", key)


class Sleeping:
    """Stands in for the module `time` where requests are tried again: a pause moves a lease's clock on."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def monotonic(self) -> float:
        return self.clock.seconds

    def sleep(self, seconds: float) -> None:
        self.clock.seconds += seconds

    def __getattr__(self, name: str) -> object:
        return getattr(real_time, name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> FakeClock:
    caplog.set_level(logging.CRITICAL, logger="stamina")
    made = FakeClock()
    for module in (tenacity, tenacity.nap, contexts.store.s3.retry):
        monkeypatch.setattr(module, "time", Sleeping(made))
    monkeypatch.setattr(holding, "_AFTER_FAILURE", 0.02)
    monkeypatch.setattr(holding, "_LOOK_EVERY", 0.02)
    return made


def test_no_try_of_a_write_outlives_the_lease_it_was_begun_under(tmp_path: Path, clock: FakeClock) -> None:
    inner = LocalObjects(tmp_path)
    objects = Persistent(inner, clock, answers_after=OWN_LIMIT / 2)
    told = threading.Event()
    with (  # noqa: PT012 - the whole block
        pytest.raises(LeaseLost, match="no longer owns"),
        held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock(), endures=900) as held,
        ThreadPoolExecutor(1) as pool,
    ):
        objects.down.set()
        wait_until("no heartbeat is under way that may still land", lambda: objects.failed >= 1)
        objects.began = clock.seconds
        clock.seconds += OWN_LIMIT / 2 - 5
        future = pool.submit(patient(objects, held, told.set).create, KEY, b"ours")
        wait_until("it has to wait for a heartbeat, or has landed", lambda: told.is_set() or future.done())
        elsewhere(inner, owner="two", epoch=2, token="another")
        objects.down.clear()
        future.result()
    assert list(inner.list("documents/")) == []
    assert len(objects.sent) > 1
    assert max(objects.sent) < OWN_LIMIT / 2
    assert S3Settings().connect_timeout + S3Settings().read_timeout < STALE_AFTER - OWN_LIMIT / 2


def test_a_write_goes_on_under_the_next_heartbeat(tmp_path: Path, clock: FakeClock) -> None:
    inner = LocalObjects(tmp_path)
    objects = Persistent(inner, clock, answers_after=OWN_LIMIT * 3)
    told = threading.Event()
    with (
        held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock(), endures=900) as held,
        ThreadPoolExecutor(1) as pool,
    ):
        objects.down.set()
        wait_until("no heartbeat is under way that may still land", lambda: objects.failed >= 1)
        future = pool.submit(patient(objects, held, told.set).create, KEY, b"ours")
        wait_until("it waits for a heartbeat", told.is_set)
        assert not future.done()
        clock.seconds += OWN_LIMIT * 3
        objects.down.clear()
        future.result()
    assert inner.read(KEY) == b"ours"


def test_who_does_not_wait_is_told_at_once_and_sends_nothing_under_an_old_heartbeat(
    tmp_path: Path, clock: FakeClock
) -> None:
    objects = Persistent(LocalObjects(tmp_path), clock, answers_after=0)
    with held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock(), endures=900) as held:
        impatient(objects, held).create("blobs/w/a", b"1")
        objects.down.set()
        wait_until("no heartbeat is under way that may still land", lambda: objects.failed >= 1)
        clock.seconds += OWN_LIMIT / 2
        with pytest.raises(StoreUnreachable):
            impatient(objects, held).create(KEY, b"1")
        objects.down.clear()
    assert len(objects.sent) == 1


def test_a_body_that_is_on_its_way_when_the_fence_closes_does_not_land(ministack: servers.Server) -> None:
    settings = S3Settings(endpoint_url=ministack.endpoint, region="us-east-1", addressing="path")
    store = S3Objects(
        bucket_for(ministack), "fence", settings=settings, session=session_for(ministack),
        patience=Patience(seconds=0),
    )  # fmt: skip
    body = bytes(range(256)) * 300  # several blocks, too small to be compressed
    store.probe()
    asked = 0

    def open_until_the_last_block() -> bool:
        nonlocal asked
        asked += 1
        return asked < last

    last = 1_000_000
    with fenced(open_until_the_last_block) as fence:
        store.create("documents/w/context/000001.json", body)
    assert store.read("documents/w/context/000001.json") == body
    assert not fence.has_stopped
    assert asked > 4, "before every block"
    last, asked = asked - 1, 0
    with fenced(open_until_the_last_block) as fence, pytest.raises(StoreUnreachable):
        store.create("documents/w/context/000002.json", body)
    assert fence.has_stopped
    with pytest.raises(NotFound):
        store.read("documents/w/context/000002.json")


def test_a_folder_makes_nothing_behind_a_closed_fence(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    with fenced(lambda: False) as fence, pytest.raises(StoreUnreachable):
        store.create(KEY, b"1")
    assert fence.has_stopped
    store.create(KEY, b"2")
    assert store.read(KEY) == b"2"


def test_a_fence_is_around_what_its_own_thread_does_alone(tmp_path: Path) -> None:
    with fenced(lambda: False), ThreadPoolExecutor(1) as pool:
        pool.submit(LocalObjects(tmp_path).create, KEY, b"1").result()
    Fence(lambda: True).pass_("here", KEY)
    assert LocalObjects(tmp_path).read(KEY) == b"1"
