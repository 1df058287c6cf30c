"""Random interleavings of saving, loading and being killed, on two writers, against a simple model."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contexts.errors import ObjectExists
from contexts.store.local import LocalObjects
from tests.contexts.stores.mortal import CALLS, Mortals


class TwoWriters(RuleBasedStateMachine):
    """Two runs save revisions of one document; each knows only what it has read.

    The model is the list of revisions whose save returned. A killed save may or may not have landed: whichever the
    store shows first is what it must go on showing.
    """

    mortals: ClassVar[Mortals]

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="two-writers-"))
        self.model: dict[int, bytes] = {}
        self.known = [0, 0]
        self.saves = 0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def store(self) -> LocalObjects:
        return LocalObjects(self.root)

    def stored(self) -> dict[int, bytes]:
        store = self.store()
        return {int(entry.key[-11:-5]): store.read(entry.key) for entry in store.list("documents/w/context/")}

    @rule(writer=st.integers(0, 1))
    def load(self, writer: int) -> None:
        self.known[writer] = max(self.stored(), default=0)

    @rule(writer=st.integers(0, 1), size=st.integers(0, 3000))
    def save(self, writer: int, size: int) -> None:
        revision, body = self.next_save(writer, size)
        taken = revision in self.model
        try:
            self.store().create(key_of(revision), body)
        except ObjectExists:
            assert taken, f"revision {revision} was free and was refused"
            return
        assert not taken, f"revision {revision} was saved twice"
        self.model[revision] = body
        self.known[writer] = revision

    @rule(writer=st.integers(0, 1), size=st.integers(0, 3000), call=st.sampled_from(CALLS), count=st.integers(1, 6))
    def save_and_be_killed(self, writer: int, size: int, call: str, count: int) -> None:
        revision, body = self.next_save(writer, size)
        outcome = self.mortals.save(self.root, key_of(revision), body, call, count)
        assert outcome in {"saved", "refused", "killed"}
        if outcome == "saved":
            assert revision not in self.model, f"revision {revision} was saved twice"
            self.model[revision] = body
        elif outcome == "refused":
            assert revision in self.model, f"revision {revision} was free and was refused"
        elif revision not in self.model and revision in self.stored():
            assert self.stored()[revision] == body, "a killed save left half a document"
            self.model[revision] = body

    @rule()
    def both_race(self) -> None:
        revision = max(self.model, default=0) + 1
        ended = self.mortals.race(self.root, key_of(revision), [b"0", b"1"])
        assert sorted(ended) == ["refused", "saved"], ended
        self.model[revision] = f"{ended.index('saved')}".encode()

    @invariant()
    def the_store_shows_the_model(self) -> None:
        assert self.stored() == self.model

    def next_save(self, writer: int, size: int) -> tuple[int, bytes]:
        self.saves += 1
        return self.known[writer] + 1, f"{writer} {self.saves} ".encode() + b"x" * size


def key_of(revision: int) -> str:
    return f"documents/w/context/{revision:06d}.json"


@pytest.fixture(scope="module", autouse=True)
def _mortals(mortals: Mortals) -> None:
    TwoWriters.mortals = mortals


TestTwoWriters = TwoWriters.TestCase
TestTwoWriters.settings = settings(
    max_examples=3 * int(os.environ.get("PLAIT_TEST_ROUNDS", "10")),
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
