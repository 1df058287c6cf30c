"""No finished agent's work is lost to an outage of the store: it is kept on the machine, and saved when the store is back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contexts.failpoints import POINTS
from contexts.leases.lease import OWN_LIMIT
from contexts.leases.record import read_lease
from tests.chaos.running import Forked, Machine, living, torn, wait_until
from tests.contexts.stores import servers
from tests.contexts.stores.faults import Asked, FaultProxy, Refusal
from tests.flows.stores.bucket import Bucket, begin, bucket, plait
from tests.servers import Server

HURRY = 8.0
"""All times of the lease are shorter by this."""
HERE, THERE = Machine("here", hurry=HURRY), Machine("there", hurry=HURRY)
SECONDS = 1.0
"""For which a request is tried again."""
POINTS_HERE = tuple(sorted(name for name in POINTS if name.startswith("outbox.")))


@pytest.fixture
def place(prefect_server: Server, ministack: servers.Server, tmp_path: Path) -> Iterator[Bucket]:
    with bucket(tmp_path / tmp_path.name, prefect_server, ministack) as made:
        yield made
        assert living(made) == []


def away(_: Asked) -> Refusal:
    return Refusal(503, "SlowDown")


def back(_: Asked) -> None:
    return None


def entries(place: Bucket, workspaces: str = "workspaces") -> list[Path]:
    """Return what lies in the outbox."""
    return [one for one in (place.folder / workspaces).glob("feature-*/outbox/*") if not one.name.startswith(".")]


def three_agents(place: Bucket, **more: Any) -> Path:
    """Write a spec of three agents that work until the gate is opened; return the gate."""
    gate = place.folder / "gate"
    tracks = {
        name: [f"wait={gate}", f"write={name}.txt", f"say=the {name} is there"] for name in ("api", "page", "tests")
    }
    place.write_spec(tracks, repository=True, **more)
    return gate


def finish_in_an_outage(place: Bucket, gate: Path, run: Forked, workspaces: str = "workspaces") -> None:
    """Let the store go away while all agents are at work, and then let them finish."""
    wait_until("all agents are at work", lambda: len(place.started()) == 3 or run.code is not None, 120)
    assert run.code is None, run.said("err")
    place.proxy.refuse = away
    gate.touch()
    wait_until("all results are kept", lambda: len(entries(place, workspaces)) == 3 or run.code is not None, 120)


def test_when_the_store_is_back_a_run_goes_on_and_no_agent_runs_twice(place: Bucket) -> None:
    gate = three_agents(place, verification={"checks": [{"id": "unit", "argv": ["{python}", "-S", "-c", "pass"]}]})
    run = begin(place, "run", place.spec, seconds=SECONDS, machine=HERE)
    finish_in_an_outage(place, gate, run)
    since = time.monotonic()
    said = "the store does not answer; waiting up to 15 min; 3 results are kept in"
    wait_until("it is said", lambda: said in run.said("out") or run.code is not None, 120)
    # Longer than a holder may be silent before others take over.
    wait_until("the lease is unsure", lambda: time.monotonic() - since > OWN_LIMIT / HURRY + 2, 120)
    assert run.code is None, run.said("err")
    assert place.keys() == {"context": 1}
    place.proxy.refuse = back
    ended = run.wait(200)
    assert ended.code == 0, ended.err
    assert "the store answers again" in ended.out
    assert sorted(place.started()) == ["api", "page", "tests"], "an agent ran twice"
    assert place.completed() == {"api", "page", "tests"}
    assert {name: count for name, count in place.keys().items() if name != "context"} == {
        "tracks/api": 1, "tracks/page": 1, "tracks/tests": 1,
    }  # fmt: skip
    _, final = place.store.require("feature")
    assert final["run"]["status"] == "verified"
    lease = read_lease(place.store.objects, "feature")
    assert lease is not None
    assert (lease.epoch, lease.end_reason) == (1, "finished")
    assert entries(place) == []
    assert torn(place.store) == []


def test_a_run_that_does_not_wait_keeps_what_was_finished_and_the_next_one_saves_it(place: Bucket) -> None:
    gate = three_agents(place, policy={"store_patience_minutes": 0})
    run = begin(place, "run", place.spec, "--json", seconds=SECONDS, machine=HERE)
    finish_in_an_outage(place, gate, run)
    ended = run.wait(200)
    assert ended.code == 6, ended.err
    assert "3 results are kept in" in ended.err
    assert str(entries(place)[0].parent) in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    for entry in entries(place):
        assert (entry.parent.stat().st_mode & 0o777, entry.stat().st_mode & 0o777) == (0o700, 0o700)
        assert {one.stat().st_mode & 0o777 for one in entry.iterdir()} == {0o600}

    place.proxy.refuse = back
    planned = {one["task_id"]: one for one in json.loads(plait(place, "plan", place.spec, "--json").out)["reuse"]}
    assert {name: one["action"] for name, one in planned.items()} == dict.fromkeys(("api", "page", "tests"), "reuse")
    assert all("saved from the outbox" in one["reason"] for one in planned.values())
    assert len(entries(place)) == 3, "who only looks takes nothing out"
    again = plait(place, "run", place.spec, "--json", machine=HERE)
    assert again.code == 0, again.err
    assert all(one["reused"] for one in again.report["tracks"])
    assert sorted(place.started()) == ["api", "page", "tests"], "an agent ran twice"
    assert entries(place) == []
    assert torn(place.store) == []


def test_when_patience_is_over_agents_at_work_are_ended_and_what_they_had_is_kept_too(place: Bucket) -> None:
    gate, never = place.folder / "gate", place.folder / "never"
    place.write_spec(
        {"quick": [f"wait={gate}", "write=quick.txt"], "slow": ["leave=half", f"wait={never}", "write=slow.txt"]},
        repository=True,
        policy={"store_patience_minutes": 0.05},
    )
    run = begin(place, "run", place.spec, "--json", seconds=SECONDS, machine=HERE)
    wait_until("both are at work", lambda: len(place.started()) == 2 or run.code is not None, 120)
    place.proxy.refuse = away
    gate.touch()
    ended = run.wait(200)
    assert ended.code == 6, ended.err
    assert "2 results are kept in" in ended.err
    place.proxy.refuse = back
    never.touch()
    again = plait(place, "run", place.spec, "--json", machine=HERE)
    assert again.code == 0, again.err
    assert sorted(place.started()) == ["quick", "slow", "slow"]
    last = [line for line in place.lines() if line["task"] == "slow"][-1]
    assert (last["attempt"], last["checkpoint"]) == (2, {"done": "half"})
    assert entries(place) == []
    assert torn(place.store) == []


def test_a_run_whose_workflow_was_taken_over_meanwhile_writes_nothing_and_loses_nothing(
    place: Bucket, ministack: servers.Server
) -> None:
    gate, late = place.folder / "gate", place.folder / "late"
    place.write_spec(
        {name: [f"wait={gate}", f"write={name}.txt"] for name in ("api", "page")}
        | {"after": [f"wait={late}", "write=after.txt"]},
        repository=True,
        settings={"after": {"needs": ["api"]}},
    )
    here = replace(place, settings={"PLAIT_WORKSPACES": str(place.folder / "here")})
    cut_off = begin(here, "run", place.spec, seconds=SECONDS, machine=HERE)
    wait_until("both are at work", lambda: len(place.started()) == 2 or cut_off.code is not None, 120)
    place.proxy.refuse = away
    gate.touch()
    wait_until("both results are kept", lambda: len(entries(place, "here")) == 2, 120)
    with FaultProxy(ministack.endpoint).running() as other:
        there = replace(place, proxy=other, settings={"PLAIT_WORKSPACES": str(place.folder / "there")})
        took_over = begin(there, "run", place.spec, "--json", machine=THERE)
        wait_until("the other machine goes on", lambda: place.started().count("after") == 1, 180)
        before = place.keys()
        place.proxy.refuse = back
        lost = cut_off.wait(200)
        assert lost.code == 3, lost.err
        assert "no longer owns" in lost.err
        assert "2 results are kept in" in lost.err
        assert place.keys() == before, "it wrote although another run owns the workflow"
        late.touch()
        ended = took_over.wait(200)
        assert ended.code == 0, ended.err
    final = place.keys()
    again = plait(here, "run", place.spec, "--json", machine=HERE)
    assert again.code == 0, again.err
    assert all(one["reused"] for one in again.report["tracks"])
    assert {name: count - final[name] for name, count in place.keys().items() if count != final[name]} == {
        "context": place.keys()["context"] - final["context"]
    }, "what somebody has saved meanwhile is not saved once more"
    assert entries(place, "here") == []
    assert torn(place.store) == []


@pytest.mark.parametrize("kill", POINTS_HERE)
def test_a_kill_between_outbox_and_store_costs_no_finished_agent(place: Bucket, kill: str) -> None:
    place.write_spec({"api": ["write=api.txt", "say=done"]}, repository=True)
    killed = plait(place, "run", place.spec, PLAIT_KILL_AT=kill)
    assert killed.code == -9, killed.err
    again = plait(place, "run", place.spec, "--json")
    assert again.code == 0, again.err
    assert place.started() == ["api"]
    assert place.keys()["tracks/api"] == 1
    assert entries(place) == []
    assert torn(place.store) == []
