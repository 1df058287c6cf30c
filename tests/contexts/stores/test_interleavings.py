"""Random interleavings of saving, loading and being killed, on two writers, against a simple model."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contexts.errors import ObjectExists
from contexts.local import LocalObjects

_CALLS = ["open", "write", "fsync", "link", "unlink"]


class TwoWriters(RuleBasedStateMachine):
    """Two runs save revisions of one document; each knows only what it has read.

    The model is the list of revisions whose save returned. A killed save may or may not have landed: whichever the
    store shows first is what it must go on showing.
    """

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

    @rule(writer=st.integers(0, 1), size=st.integers(0, 3000), call=st.sampled_from(_CALLS), count=st.integers(1, 6))
    def save_and_be_killed(self, writer: int, size: int, call: str, count: int) -> None:
        revision, body = self.next_save(writer, size)
        outcome = save_in_a_child_killed_at(self.store(), key_of(revision), body, call, count)
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
        pids: list[int] = []
        for writer in range(2):
            pid = os.fork()
            if pid == 0:
                os._exit(try_to_save(self.store(), key_of(revision), f"{writer}".encode()))
            pids.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        assert sorted(codes) == [0, 7], f"one wins and one is refused, not {codes}"
        self.model[revision] = f"{codes.index(0)}".encode()

    @invariant()
    def the_store_shows_the_model(self) -> None:
        assert self.stored() == self.model

    def next_save(self, writer: int, size: int) -> tuple[int, bytes]:
        self.saves += 1
        return self.known[writer] + 1, f"{writer} {self.saves} ".encode() + b"x" * size


def key_of(revision: int) -> str:
    return f"documents/w/context/{revision:06d}.json"


def try_to_save(store: LocalObjects, key: str, body: bytes) -> int:
    try:
        store.create(key, body)
    except ObjectExists:
        return 7
    return 0


def save_in_a_child_killed_at(store: LocalObjects, key: str, body: bytes, call: str, count: int) -> str:
    """Save in a real process that gets SIGKILL before its ``count``-th such system call, if it comes to that."""
    pid = os.fork()
    if pid == 0:
        left = count
        real = getattr(os, call)

        def dying(*args: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        setattr(os, call, dying)
        os._exit(try_to_save(store, key, body))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {0: "saved", 7: "refused", -signal.SIGKILL: "killed"}[code]


TestTwoWriters = TwoWriters.TestCase
TestTwoWriters.settings = settings(
    max_examples=40,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
