"""Two runs for one workflow: exactly one owns it, the other says who; whoever lost it stops writing."""

import time
from multiprocessing.queues import Queue
from pathlib import Path

import orjson
import pytest

from contexts.errors import LeaseHeld
from contexts.lease import acquire, read_lease
from contexts.local import LocalObjects
from tests.chaos.running import FORKS, Place, fork, living, plait, torn, wait_until

ROUNDS = 50
RACERS = 4


def _race(store: str, number: int, starts: list[float], answers: "Queue[tuple[int, int, str]]") -> None:
    """Try to take one workflow's lease in every round, at the same moment as the others; hold it until the round ends."""
    objects = LocalObjects(Path(store))
    for round_number, start in enumerate(starts):
        time.sleep(max(0.0, start - time.time()))
        try:
            lease = acquire(objects, f"flow-{round_number}", owner=f"racer-{number}", patience=0)
        except LeaseHeld as error:
            answers.put((round_number, number, error.message))
        else:
            answers.put((round_number, number, ""))
            del lease
    time.sleep(2)  # alive until every round is over: a dead holder's lease is free


def test_of_many_processes_that_race_for_a_lease_exactly_one_wins_in_every_round(tmp_path: Path) -> None:
    answers: Queue[tuple[int, int, str]] = FORKS.Queue()
    begin = time.time() + 4
    starts = [begin + 0.1 * number for number in range(ROUNDS)]
    racers = [FORKS.Process(target=_race, args=(str(tmp_path), number, starts, answers)) for number in range(RACERS)]
    for racer in racers:
        racer.start()
    said = [answers.get(timeout=60) for _ in range(ROUNDS * RACERS)]
    for racer in racers:
        racer.join(30)
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


def test_a_run_that_lost_its_lease_stops_its_agents_and_writes_nothing_more(place: Place) -> None:
    place.write_spec({"quick": [], "slow": ["stubborn", "sleep=600"]})
    run = fork(place, "run", place.spec, renew_every=0.5)
    wait_until("the agents work", lambda: len(place.lines()) == 3 and place.completed() == {"quick"})
    objects = place.store.objects
    seen = objects.read_versioned("leases/feature.json")
    assert seen is not None
    other = {**orjson.loads(seen.body), "owner": "another", "token": "0" * 32, "epoch": 2, "host": "elsewhere"}
    while True:
        from contexts.errors import VersionChanged

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
