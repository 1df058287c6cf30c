"""Two runs for one workflow: exactly one owns it, the other says who; whoever lost it stops writing."""

import json
import os
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import orjson
import pytest

from contexts.errors import LeaseHeld, VersionChanged
from contexts.leases.lease import acquire
from contexts.leases.record import read_lease
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.chaos.running import FORKS, Place, fork, living, plait, torn, wait_until
from tests.waiting import PATIENCE

ROUNDS = 50
RACERS = 4
"""Seconds a racer waits for the others: a busy machine starts them one after another."""


def _race(store: str, number: int, together: Any, answers: "Queue[tuple[int, int, str]]") -> None:
    """Try to take one workflow's lease in every round, at the same moment as the others; hold it until all are done."""
    objects = LocalObjects(Path(store))
    held = []
    for round_number in range(ROUNDS):
        together.wait(PATIENCE)
        try:
            held.append(acquire(objects, f"flow-{round_number}", owner=f"racer-{number}", patience=0))
        except LeaseHeld as error:
            answers.put((round_number, number, error.message))
        else:
            answers.put((round_number, number, ""))
    together.wait(PATIENCE)  # alive until every round is over: a dead holder's lease is free


def test_of_many_processes_that_race_for_a_lease_exactly_one_wins_in_every_round(tmp_path: Path) -> None:
    answers: Queue[tuple[int, int, str]] = FORKS.Queue()
    together = FORKS.Barrier(RACERS)
    racers = [FORKS.Process(target=_race, args=(str(tmp_path), number, together, answers)) for number in range(RACERS)]
    for racer in racers:
        racer.start()
    said = [answers.get(timeout=PATIENCE) for _ in range(ROUNDS * RACERS)]
    for racer in racers:
        racer.join(PATIENCE)
    for round_number in range(ROUNDS):
        words = {number: text for told, number, text in said if told == round_number}
        winners = [number for number, text in words.items() if not text]
        assert len(winners) == 1, words
        named = [text for text in words.values() if text]
        assert all(f"racer-{winners[0]} " in text or "run again" in text for text in named)
        lease = read_lease(LocalObjects(tmp_path), f"flow-{round_number}")
        assert lease is not None
        assert (lease.owner, lease.epoch) == (f"racer-{winners[0]}", 1)


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_runs_one_goes_through_and_the_other_ends_at_once_naming_it(place: Place, attempt: int) -> None:
    del attempt
    place.write_spec({"slow": ["sleep=4"]})
    runs = [fork(place, "run", place.spec, "--json") for _ in range(2)]
    ended = [run.wait() for run in runs]
    assert sorted(one.code for one in ended) == [0, 2], [one.err for one in ended]
    loser = next(one for one in ended if one.code == 2)
    winner = runs[next(number for number, one in enumerate(ended) if one.code == 0)]
    assert f"pid {winner.pid}" in loser.err
    assert "Traceback" not in loser.err
    assert place.started() == ["slow"]


def test_of_many_runs_that_come_upon_a_killed_one_exactly_one_goes_on(place: Place) -> None:
    gate = place.folder / "gate"
    place.write_spec({"quick": [], "slow": [f"wait={gate}"]})
    first = fork(place, "run", place.spec)
    wait_until("the agents work", lambda: len(place.lines()) == 2 and place.completed() == {"quick"})
    first.process.kill()
    first.wait()
    runs = [fork(place, "run", place.spec, "--json") for _ in range(RACERS)]
    wait_until("all but one gave up", lambda: sum(run.code is not None for run in runs) >= RACERS - 1, 90)
    gate.touch()
    ended = [run.wait() for run in runs]
    assert sorted(one.code for one in ended) == [0, *[2] * (RACERS - 1)], [one.err for one in ended]
    *at_first, again = place.started()
    assert (sorted(at_first), again) == (["quick", "slow"], "slow")
    lease = read_lease(place.store.objects, "feature")
    assert lease is not None
    assert (lease.epoch, lease.end_reason) == (2, "finished")
    assert torn(place.store) == []


def _race_to_open(spec: str, store: str, environment: dict[str, str], together: Any, answers: Any) -> None:
    """Open a run of every round's workflow at the same moment as the other, and save something while it is open."""
    os.environ.update(environment)
    from tasks.run.run import open_run  # noqa: PLC0415 after the environment is there

    for number in range(ROUNDS):
        request = RunRequest(inline=json.loads(spec.replace("ROUND", str(number))), store=store)
        together.wait(PATIENCE)
        try:
            with open_run(request) as run:
                run.save("context", {"version": "1.0", "workflow_id": run.workflow_id, "kind": "workflow"})
                together.wait(PATIENCE)  # the other has been turned away
        except LeaseHeld as error:
            answers.put((number, error.message))
            together.wait(PATIENCE)
        else:
            answers.put((number, ""))


def test_of_two_runs_that_race_fifty_times_one_opens_the_workflow_and_the_other_is_turned_away(tmp_path: Path) -> None:
    """From the spec to the first save, where runs compete; what follows belongs to the one that is in."""
    answers: Queue[tuple[int, str]] = FORKS.Queue()
    spec = json.dumps(
        {"workflow_id": "race-ROUND", "agents": {"a": {"backend": "command", "argv": ["true"]}},
         "parallel_tasks": [{"task_id": "a", "agent": "a"}]}
    )  # fmt: skip
    environment = {"PLAIT_WORKSPACES": str(tmp_path / "workspaces")}
    arguments = (spec, str(tmp_path / "store"), environment, FORKS.Barrier(2), answers)
    racers = [FORKS.Process(target=_race_to_open, args=arguments) for _ in range(2)]
    for racer in racers:
        racer.start()
    said = [answers.get(timeout=PATIENCE) for _ in range(ROUNDS * 2)]
    for racer in racers:
        racer.join(PATIENCE)
    store = ContextStore(LocalObjects(tmp_path / "store"))
    for number in range(ROUNDS):
        won, lost = sorted(text for told, text in said if told == number)
        assert won == ""
        assert f"workflow race-{number} is being run by" in lost or "run again" in lost
        assert store.revisions(f"race-{number}") == {"context": (1,)}
        lease = read_lease(store.objects, f"race-{number}")
        assert lease is not None
        assert (lease.epoch, lease.end_reason) == (1, "finished")


def test_a_run_that_lost_its_lease_stops_its_agents_and_writes_nothing_more(place: Place) -> None:
    place.write_spec({"quick": [], "slow": ["stubborn", "sleep=600"]})
    run = fork(place, "run", place.spec, renew_every=0.5)
    wait_until("the agents work", lambda: len(place.lines()) == 3 and place.completed() == {"quick"})
    objects = place.store.objects
    seen = objects.read_versioned("leases/feature.json")
    assert seen is not None
    other = {**orjson.loads(seen.body), "owner": "another", "token": "0" * 32, "epoch": 2, "host": "elsewhere"}
    while True:
        try:
            objects.replace("leases/feature.json", orjson.dumps(other), seen.version)
            break
        except VersionChanged:  # it renewed in between
            seen = objects.read_versioned("leases/feature.json")
            assert seen is not None
    before = place.store.revisions("feature")
    ended = run.wait()
    assert ended.code == 3
    assert "no longer owns" in ended.err
    assert not living(place)
    assert place.store.revisions("feature") == before
    lease = read_lease(objects, "feature")
    assert lease is not None
    assert lease.owner == "another"
    assert torn(place.store) == []


def test_a_run_ends_its_lease_and_the_next_has_nothing_to_wait_for(place: Place) -> None:
    place.write_spec({"one": []})
    assert plait(place, "run", place.spec).code == 0
    lease = read_lease(place.store.objects, "feature")
    assert lease is not None
    assert lease.end_reason == "finished"
