"""A lease that is watched from another process: believed no longer than whoever takes it over would believe it."""

from __future__ import annotations

from pathlib import Path

import pytest

from contexts.errors import LeaseLost
from contexts.leases import watched
from contexts.leases.lease import OWN_LIMIT, STALE_AFTER, Clock, Lease, acquire
from contexts.leases.record import see_lease
from contexts.leases.watched import WatchedLease, watched_lease
from contexts.store.local import LocalObjects
from tests.waiting import wait_until


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=lambda _: None)


@pytest.fixture
def objects(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path)


@pytest.fixture
def holder(objects: LocalObjects) -> Lease:
    return acquire(objects, "w", owner="run")


def watch(objects: LocalObjects, hand: Hand) -> WatchedLease:
    seen = see_lease(objects, "w")
    assert seen
    return WatchedLease(objects, seen, hand.clock())


def test_nothing_is_believed_before_a_heartbeat_was_seen_to_move(objects: LocalObjects, holder: Lease) -> None:
    hand = Hand()
    lease = watch(objects, hand)
    assert lease.overdue
    assert (lease.renew(), lease.overdue) == (False, True)
    holder.renew()
    hand.seconds += 2
    assert (lease.renew(), lease.overdue) == (True, False)


def test_a_heartbeat_is_as_old_as_the_last_look_that_did_not_see_it(objects: LocalObjects, holder: Lease) -> None:
    hand = Hand()
    lease = watch(objects, hand)
    holder.renew()
    hand.seconds += OWN_LIMIT - 10  # as after an outage: it may have been written right after the first look
    assert lease.renew()
    assert lease.silent_for(OWN_LIMIT - 10)
    hand.seconds += 10
    assert lease.overdue


def test_a_holder_that_is_not_heard_of_counts_as_dead(objects: LocalObjects, holder: Lease) -> None:
    hand = Hand()
    lease = watch(objects, hand)
    hand.seconds += STALE_AFTER - 1
    assert not lease.renew()
    hand.seconds += 1
    with pytest.raises(LeaseLost):
        lease.renew()


def test_whoever_watches_a_dead_holder_stops_waiting(
    objects: LocalObjects, holder: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "LOOK_EVERY", 0.01)
    hand = Hand()
    with watched_lease(objects, "w", endures=900, clock=hand.clock()) as lease:
        hand.seconds += STALE_AFTER
        wait_until("the watch has seen that nobody is there", lease.lost.is_set)
        with pytest.raises(LeaseLost):
            lease.wait_until_held(to_write=True)


def test_before_a_write_it_is_looked_whether_the_run_has_ended(objects: LocalObjects, holder: Lease) -> None:
    hand = Hand()
    with watched_lease(objects, "w", clock=hand.clock()) as lease:
        holder.renew()
        wait_until("its heartbeat is seen", lambda: lease.may_write)
        lease.wait_until_held(to_write=True)
        holder.release("finished")
        acquire(objects, "w", owner="the next run")
        with pytest.raises(LeaseLost):
            lease.wait_until_held(to_write=True)


def test_the_lease_of_a_run_that_has_ended_cannot_be_watched(objects: LocalObjects, holder: Lease) -> None:
    holder.release("finished")
    with pytest.raises(LeaseLost, match="no run of w is going"), watched_lease(objects, "w"):
        pass
    record = see_lease(objects, "w")
    assert record
    assert record.record.end_reason == "finished"
