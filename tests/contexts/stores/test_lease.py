"""One run at a time owns a workflow, whoever dies, sleeps or races."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from contexts.errors import DocumentError, LeaseHeld, LeaseLost, StoreUnreachable
from contexts.leases import held as holding
from contexts.leases.held import held_lease
from contexts.leases.lease import OWN_LIMIT, STALE_AFTER, Clock, Lease, acquire
from contexts.leases.process import is_gone, this_process
from contexts.leases.record import read_lease
from contexts.store.local import LocalObjects
from contexts.store.objects import ObjectStore, Versioned
from tests.contexts.conformance import WRITERS, race
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import Storage, s3_storage
from tests.waiting import PATIENCE
from tests.waiting import wait_until as wait_for


class FakeClock:
    """A clock that moves only when somebody sleeps; ``meanwhile`` is what the others do during each sleep."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.seconds = 1000.0
        self.meanwhile = meanwhile

    def as_clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.meanwhile()


def elsewhere(objects: ObjectStore, **changes: object) -> None:
    """Make the lease look as if a run on another machine had it."""
    found = objects.read_versioned("leases/w.json")
    assert found is not None
    record = {**orjson.loads(found.body), "host": "other-machine", "boot_id": "other", **changes}
    objects.replace("leases/w.json", orjson.dumps(record), found.version)


@pytest.fixture
def objects(storage: Storage) -> ObjectStore:
    return storage()()


def test_a_second_run_ends_at_once_naming_the_first(objects: ObjectStore) -> None:
    first = acquire(objects, "w", owner="run-one")
    clock = FakeClock()
    with pytest.raises(LeaseHeld) as caught:
        acquire(objects, "w", owner="run-two", clock=clock.as_clock())
    assert clock.seconds == 1000, "it did not wait"
    said = str(caught.value)
    assert "run-one" in said
    assert f"pid {os.getpid()}" in said
    assert f"since {first.record.acquired:%Y-%m-%d %H:%M:%S}" in said
    assert caught.value.exit_code == 2


def test_an_ended_lease_is_free_and_says_why_it_ended(objects: ObjectStore) -> None:
    acquire(objects, "w", owner="one").release("suspended")
    ended = read_lease(objects, "w")
    assert ended is not None
    assert (ended.end_reason, ended.epoch) == ("suspended", 1)
    second = acquire(objects, "w", owner="two")
    assert (second.record.epoch, second.record.end_reason) == (2, None)


def test_of_many_taking_an_ended_lease_exactly_one_gets_it(storage: Storage, rounds: int) -> None:
    opened = storage()
    handles = [opened() for _ in range(WRITERS)]
    held: list[Lease] = []
    for turn in range(rounds):
        won, _ = race(handles, lambda store, number: held.append(acquire(store, "w", owner=f"{number}", patience=0)))
        assert len(won) == 1, f"round {turn}: {len(won)} runs own the workflow"
        lease = held.pop()
        assert lease.record.epoch == turn + 1
        lease.release("finished")


def test_renewing_moves_the_heartbeat_and_keeps_the_epoch(objects: ObjectStore) -> None:
    lease = acquire(objects, "w", owner="one")
    lease.renew()
    lease.renew()
    found = read_lease(objects, "w")
    assert found is not None
    assert (found.heartbeat, found.epoch) == (2, 1)
    lease.ensure_held()


def test_a_lease_on_another_machine_is_taken_after_60_seconds_without_change_by_ones_own_clock(
    objects: ObjectStore,
) -> None:
    old = acquire(objects, "w", owner="one")
    elsewhere(objects)
    clock = FakeClock()
    taken = acquire(objects, "w", owner="two", clock=clock.as_clock())
    assert STALE_AFTER <= clock.seconds - 1000 <= STALE_AFTER + 2
    assert taken.record.epoch == 2
    for act in (old.renew, old.ensure_held, lambda: old.release("finished")):
        with pytest.raises(LeaseLost, match=f"pid {os.getpid()}"):
            act()
    still = read_lease(objects, "w")
    assert still is not None
    assert still.owner == "two"


def test_a_moving_heartbeat_on_another_machine_ends_the_watch_whatever_its_wall_clock_says(
    objects: ObjectStore,
) -> None:
    acquire(objects, "w", owner="one")
    elsewhere(objects, renewed="1999-01-01T00:00:00Z", acquired="1999-01-01T00:00:00Z")
    beats: list[float] = []

    def beat() -> None:
        if clock.seconds - 1000 > 15 and not beats:
            beats.append(clock.seconds)
            elsewhere(objects, heartbeat=1)

    clock = FakeClock(beat)
    with pytest.raises(LeaseHeld, match="other-machine"):
        acquire(objects, "w", owner="two", clock=clock.as_clock())
    assert 15 < clock.seconds - 1000 < 20


def test_without_patience_a_lease_of_another_machine_is_held(objects: ObjectStore) -> None:
    acquire(objects, "w", owner="one")
    elsewhere(objects)
    clock = FakeClock()
    with pytest.raises(LeaseHeld, match="other-machine"):
        acquire(objects, "w", owner="two", clock=clock.as_clock(), patience=0)
    assert clock.seconds == 1000


def test_garbage_under_the_leases_key_is_said_and_kept(objects: ObjectStore) -> None:
    objects.replace("leases/w.json", b"not a lease", None)
    with pytest.raises(DocumentError, match="is not a lease"):
        acquire(objects, "w", owner="one")
    assert objects.read("leases/w.json") == b"not a lease"


_RUN = """
import sys, time
from contexts.errors import LeaseHeld
from contexts.leases.lease import acquire
from contexts.store.url import open_objects
objects = open_objects(sys.argv[1])
objects.read_versioned("leases/warm-up.json")
print("ready", flush=True)
sys.stdin.readline()
try:
    lease = acquire(objects, "w", owner=sys.argv[2], patience=0)
    print("epoch", lease.record.epoch, flush=True)
except LeaseHeld as error:
    print("held by", error.owner, flush=True)
sys.stdin.readline()
"""


def start_run(url: str, owner: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, url, owner],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=servers.ROOT,
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PYTHONPATH": str(servers.ROOT),
        },
    )


def tell(run: subprocess.Popen[str]) -> None:
    assert run.stdin is not None
    run.stdin.write("go\n")
    run.stdin.flush()


def hear(run: subprocess.Popen[str]) -> str:
    assert run.stdout is not None
    return run.stdout.readline().strip()


def end(run: subprocess.Popen[str]) -> None:
    run.kill()
    run.wait()
    for stream in (run.stdin, run.stdout):
        assert stream is not None
        stream.close()


@pytest.mark.parametrize("kind", ["local", "ministack"])
def test_a_killed_processs_lease_is_taken_over_at_once_by_exactly_one_of_many_processes(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, rounds: int
) -> None:
    if kind == "local":
        url = str(tmp_path / "store")
    else:
        server: servers.Server = request.getfixturevalue("ministack")
        name, _, query = s3_storage(server)().identity.partition("?")
        url = f"{name}?{query}&region=us-east-1&addressing=path"
    many = 8 if rounds >= 50 else 3
    runs = [start_run(url, f"run-{number}") for number in range(many + 1)]
    try:
        assert [hear(run) for run in runs] == ["ready"] * len(runs)
        first, *others = runs
        tell(first)
        assert hear(first) == "epoch 1"
        first.send_signal(signal.SIGKILL)
        first.wait()
        for run in others:
            tell(run)
        said = [hear(run) for run in others]
        assert said.count("epoch 2") == 1, said
        winner = f"run-{said.index('epoch 2') + 1}"
        assert sorted(said) == sorted(["epoch 2", *[f"held by {winner}"] * (len(others) - 1)]), said
    finally:
        for run in runs:
            end(run)


def test_a_process_is_gone_only_when_it_is_certainly_gone() -> None:
    here = this_process()
    assert not is_gone(here)
    assert not is_gone(replace(here, host="other-machine", pid=2**22 + 1))
    assert is_gone(replace(here, boot_id="an earlier start of this machine"))
    assert is_gone(replace(here, started="1")), "another process has the number now"
    assert not is_gone(replace(here, pid=1, started="")), "a process of another user counts as living"
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    wait_for("an unreaped child is dead too", lambda: is_gone(replace(here, pid=child.pid, started="7")))
    child.wait()
    assert is_gone(replace(here, pid=child.pid))


def test_a_held_lease_is_renewed_in_the_background_and_ends_with_its_reason(objects: ObjectStore) -> None:
    with held_lease(objects, "w", owner="one", every=0.02) as held:
        wait_until(lambda: (found := read_lease(objects, "w")) is not None and found.heartbeat >= 3)
        held.ensure_held()
        held.ensure_held_locally()
        held.end_reason = "suspended"
    ended = read_lease(objects, "w")
    assert ended is not None
    assert ended.end_reason == "suspended"


@pytest.mark.parametrize(
    ("error", "reason"), [(None, "finished"), (ValueError, "failed"), (KeyboardInterrupt, "interrupted")]
)
def test_the_lease_says_how_the_block_ended(tmp_path: Path, error: type[BaseException] | None, reason: str) -> None:
    objects = LocalObjects(tmp_path)

    def run() -> None:
        with held_lease(objects, "w", owner="one"):
            if error:
                raise error

    if error:
        with pytest.raises(error):
            run()
    else:
        run()
    ended = read_lease(objects, "w")
    assert ended is not None
    assert ended.end_reason == reason


def test_a_run_that_lost_its_lease_learns_it_and_leaves_the_new_one_alone(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    with pytest.raises(LeaseLost), held_lease(objects, "w", owner="one", every=0.02) as held:  # noqa: PT012 - the whole block
        elsewhere(objects, owner="two", epoch=2, token="another")
        assert held.lost.wait(PATIENCE)
        held.ensure_held_locally()
    found = read_lease(objects, "w")
    assert found is not None
    assert (found.owner, found.end_reason) == ("two", None)


class Flaky:
    """A store whose replacing does not answer while ``down`` is set, though it may have landed."""

    def __init__(self, inner: ObjectStore, *, lands: bool) -> None:
        self._inner = inner
        self._lands = lands
        self.down = threading.Event()
        self.failed = 0

    @property
    def identity(self) -> str:
        return self._inner.identity

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def read_versioned(self, key: str) -> Versioned | None:
        return self._inner.read_versioned(key)

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        if not self.down.is_set():
            return self._inner.replace(key, body, version)
        self.failed += 1
        if self._lands:
            self._inner.replace(key, body, version)
        raise StoreUnreachable("no answer")


@pytest.mark.parametrize("lands", [False, True])
def test_an_outage_shorter_than_the_others_patience_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lands: bool
) -> None:
    objects = Flaky(LocalObjects(tmp_path), lands=lands)
    monkeypatch.setattr(holding, "_AFTER_FAILURE", 0.02)
    with held_lease(objects, "w", owner="one", every=0.02) as held:
        objects.down.set()
        wait_until(lambda: objects.failed >= 1)
        objects.down.clear()
        before = held.record.heartbeat
        wait_until(lambda: held.record.heartbeat > before + 1)
        held.ensure_held()


def test_a_holder_cut_off_counts_itself_out_before_others_may_take_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Flaky(LocalObjects(tmp_path), lands=False)
    monkeypatch.setattr(holding, "_AFTER_FAILURE", 0.02)
    clock = FakeClock()
    with (  # noqa: PT012 - the whole block
        pytest.raises(LeaseLost, match="could not be renewed in time"),
        held_lease(objects, "w", owner="one", every=0.02, clock=clock.as_clock()) as held,
    ):
        objects.down.set()
        wait_until(lambda: objects.failed >= 1)
        held.ensure_held_locally()
        clock.seconds += OWN_LIMIT
        assert held.lost.wait(PATIENCE)
        held.ensure_held_locally()
    assert OWN_LIMIT < STALE_AFTER


def test_an_outage_at_the_end_holds_nobody_up_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_END_WITHIN", 0.2)
    answers = threading.Event()
    objects = LocalObjects(tmp_path)
    with pytest.raises(StoreUnreachable, match="ends by itself in 60 s"), held_lease(objects, "w", owner="one"):
        monkeypatch.setattr(objects, "replace", lambda *_: answers.wait(PATIENCE))
    answers.set()


def wait_until(holds: Callable[[], bool]) -> None:
    wait_for("it comes to that", holds, every=0.01)
