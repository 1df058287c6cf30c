"""Which leases count as interrupted, and how restarts are counted."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contexts.errors import DocumentError
from contexts.leases.interrupted import Mark, interrupted, leave_mark, marks, restarts_in_a_row
from contexts.leases.lease import acquire
from contexts.leases.record import LeaseRecord, read_lease
from contexts.store.local import LocalObjects

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def leave(objects: LocalObjects, workflow_id: str, *, silent_for: float, **more: object) -> None:
    """Leave the lease of a run on another host."""
    renewed = NOW - timedelta(seconds=silent_for)
    record = LeaseRecord.model_validate(
        {
            "workflow_id": workflow_id, "owner": "somebody", "epoch": 1, "token": "t", "heartbeat": 1,
            "acquired": renewed, "renewed": renewed, "host": "elsewhere", "boot_id": "b", "pid": 1, "started": "1",
            **more,
        }
    )  # fmt: skip
    objects.replace(f"leases/{workflow_id}.json", record.model_dump_json().encode(), None)


def look(objects: LocalObjects, sleep: Callable[[float], None] = lambda _: None) -> list[str]:
    return [one.workflow_id for one in interrupted(objects, now=NOW, watch=20, sleep=sleep)]


@pytest.fixture
def objects(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path)


def test_a_silent_run_of_another_host_is_interrupted(objects: LocalObjects) -> None:
    leave(objects, "silent", silent_for=61)
    leave(objects, "fresh", silent_for=59)
    assert look(objects) == ["silent"]


def test_a_run_that_moves_while_we_watch_is_alive_whatever_its_clock_says(objects: LocalObjects) -> None:
    leave(objects, "slow-clock", silent_for=4000)

    def beat(seconds: float) -> None:
        assert seconds == 20
        found = objects.read_versioned("leases/slow-clock.json")
        assert found is not None
        moved = LeaseRecord.model_validate_json(found.body).model_copy(update={"heartbeat": 2})
        objects.replace("leases/slow-clock.json", moved.model_dump_json().encode(), found.version)

    assert look(objects, beat) == []


def test_a_lease_with_a_reason_and_one_held_for_upkeep_are_no_interrupted_runs(objects: LocalObjects) -> None:
    leave(objects, "finished", silent_for=4000, end_reason="finished")
    leave(objects, "tidied", silent_for=4000, owner="upkeep:somebody")
    assert look(objects) == []


def test_a_living_run_of_this_host_is_not_interrupted_however_silent(objects: LocalObjects) -> None:
    lease = acquire(objects, "here", owner="me")
    assert [one.workflow_id for one in interrupted(objects, now=datetime.now(UTC) + timedelta(days=1), watch=0, sleep=lambda _: None)] == []  # fmt: skip
    lease.release("finished")


def test_what_is_no_lease_is_passed_over(objects: LocalObjects) -> None:
    objects.replace("leases/damaged.json", b"{", None)
    leave(objects, "silent", silent_for=61)
    assert look(objects) == ["silent"]


def test_one_mark_is_left_once(objects: LocalObjects) -> None:
    mark = Mark("w", 3, 1)
    assert leave_mark(objects, mark, by="me", now=NOW)
    assert not leave_mark(objects, mark, by="you", now=NOW)
    assert marks(objects, "w") == (mark,)
    assert marks(objects, "v") == ()


@pytest.mark.parametrize(
    ("left", "epoch", "count"),
    [
        ([], 5, 0),
        ([(5, 1)], 5, 1),
        ([(5, 1), (5, 2)], 5, 2),
        ([(3, 1), (4, 1), (5, 1)], 5, 3),
        ([(3, 1), (4, 1)], 5, 2),
        ([(2, 1), (3, 1), (5, 1)], 5, 1),
    ],
)
def test_restarts_count_while_nothing_else_came_between(left: list[tuple[int, int]], epoch: int, count: int) -> None:
    assert restarts_in_a_row([Mark("w", *one) for one in left], epoch) == count


def test_leases_are_only_read(objects: LocalObjects) -> None:
    leave(objects, "silent", silent_for=61)
    before = read_lease(objects, "silent")
    look(objects)
    assert read_lease(objects, "silent") == before


@pytest.mark.parametrize(
    "odd",
    [
        {"renewed": "2026-05-01T00:00:00"}, {"pid": -1}, {"epoch": 2**70}, {"heartbeat": -1},
        {"acquired": "0001-01-01T00:00:00+02:00"},
    ],
)  # fmt: skip
def test_what_no_run_could_have_written_is_no_lease_and_hides_no_other(
    objects: LocalObjects, odd: dict[str, object]
) -> None:
    leave(objects, "silent", silent_for=61)
    leave(objects, "odd", silent_for=61)
    seen = objects.read_versioned("leases/odd.json")
    assert seen
    objects.replace("leases/odd.json", json.dumps({**json.loads(seen.body), **odd}).encode(), seen.version)
    with pytest.raises(DocumentError, match="is not a lease"):
        read_lease(objects, "odd")
    assert look(objects) == ["silent"]
