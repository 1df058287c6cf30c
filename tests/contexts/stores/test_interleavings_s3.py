"""Random interleavings on a bucket, where a save may break off before or after it landed, against a simple model."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contexts.errors import ObjectExists, StoreUnreachable
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings, connect
from contexts.store.s3.retry import Patience
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for, session_for
from tests.contexts.stores.faults import Fault, FaultProxy

_numbers = itertools.count()
_LOST_ANSWERS = [Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.INTERNAL_ERROR, Fault.ERROR_AFTER, Fault.SLOW_DOWN]


class TwoWriters(RuleBasedStateMachine):
    """Two runs save revisions of one document through a network that loses requests and answers.

    A save that is retried is either saved or refused, for certain. One that breaks off for good (its run is killed
    while it waits) may have landed: whichever the store shows first is what it must go on showing.
    """

    proxy: ClassVar[FaultProxy]
    server: ClassVar[servers.Server]
    writers: ClassVar[list[S3Objects]]

    def __init__(self) -> None:
        super().__init__()
        self.folder = f"documents/w{next(_numbers)}/context/"
        self.model: dict[int, bytes] = {}
        self.known = [0, 0]
        self.saves = 0

    def stored(self) -> dict[int, bytes]:
        self.proxy.planned = []
        reader = self.writers[0]
        keys = [entry.key for entry in reader.list(self.folder)]
        return {int(key[-11:-5]): reader.read(key) for key in keys}

    @rule(writer=st.integers(0, 1))
    def load(self, writer: int) -> None:
        self.known[writer] = max(self.stored(), default=0)

    @rule(writer=st.integers(0, 1), faults=st.lists(st.sampled_from(_LOST_ANSWERS), max_size=3))
    def save_with_retries(self, writer: int, faults: list[Fault]) -> None:
        revision, body = self.next_save(writer)
        taken = revision in self.model
        self.proxy.planned = list(faults)
        try:
            self.writers[writer].create(self.key_of(revision), body)
        except ObjectExists:
            assert taken, f"revision {revision} was free and was refused"
            return
        assert not taken, f"revision {revision} was saved twice"
        self.model[revision] = body
        self.known[writer] = revision

    @rule(writer=st.integers(0, 1), fault=st.sampled_from(_LOST_ANSWERS))
    def save_and_be_killed_waiting(self, writer: int, fault: Fault) -> None:
        revision, body = self.next_save(writer)
        self.proxy.planned = [fault]
        hasty = self.writers[2]
        try:
            hasty.create(self.key_of(revision), body)
        except StoreUnreachable:
            landed = self.stored().get(revision)
            if revision not in self.model and landed is not None:
                assert landed == body
                self.model[revision] = body
        else:
            raise AssertionError("a save whose answer was lost was called saved")

    @invariant()
    def the_store_shows_the_model(self) -> None:
        assert self.stored() == self.model

    def key_of(self, revision: int) -> str:
        return f"{self.folder}{revision:06d}.json"

    def next_save(self, writer: int) -> tuple[int, bytes]:
        self.saves += 1
        return self.known[writer] + 1, f"{writer} {self.saves}".encode()


@pytest.fixture(scope="module", autouse=True)
def _two_writers(ministack: servers.Server) -> Iterator[None]:
    logging.getLogger("stamina").setLevel(logging.CRITICAL)
    with FaultProxy(ministack.endpoint).running() as proxy:
        chosen = S3Settings(endpoint_url=proxy.endpoint, region="us-east-1", addressing="path")
        client = connect(chosen, session_for(ministack))
        quick = Patience(first_wait=0.001, longest_wait=0.01, jitter=0.001)
        bucket = bucket_for(ministack)
        TwoWriters.proxy = proxy
        TwoWriters.writers = [
            S3Objects(bucket, "interleavings", settings=chosen, client=client, patience=patience)
            for patience in (quick, quick, Patience(seconds=0))
        ]
        for writer in TwoWriters.writers:
            writer.probe()
        yield
        client.close()
    logging.getLogger("stamina").setLevel(logging.NOTSET)


TestTwoWriters = TwoWriters.TestCase
TestTwoWriters.settings = settings(
    max_examples=int(os.environ.get("PLAIT_TEST_ROUNDS", "8")),
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
