"""kill -9 at every point the code names: nothing finished is done again, nothing is lost, the end is the same.

The points come from `contexts.failpoints.POINTS`: whoever adds one gets a case here, or this module fails.
"""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from contexts.failpoints import POINTS
from tests.chaos.running import Ended, Machine, Place, fork, living, plait, torn, wait_until

# How often a point is passed before the kill, where the first time is not all there is to see.
MORE = (
    "store.before-document:3", "store.document-saved:4", "store.blob-saved:3", "local.linked:6",
    "local.temporary-written:9", "track.before-save:2", "track.after-save:3", "checkpoint.after-save:2",
    "check.evidence-saved:2",
)  # fmt: skip
PRODUCTION = tuple(sorted(name for name in POINTS if name.startswith("deploy.production-")))
"""Behind a gate that a person opens, and never gone through a second time without asking: cases of their own."""
ON_A_BUCKET = tuple(sorted(name for name in POINTS if name.startswith("outbox.")))
"""For stores reached over a network: walked by tests/flows/stores/test_outbox.py."""
KILLS = (*sorted(POINTS - {*PRODUCTION, *ON_A_BUCKET}), *MORE)

# What tells when and how often, not what: all else must be equal.
TIMES = frozenset(
    {
        "timestamp", "seconds", "started_at", "completed_at", "metrics", "phases", "_checksum", "revision", "id",
        "attempts", "reused", "run_id", "deployed_at",
    }
)  # fmt: skip
DATED = frozenset({"integrated", "delivered", "sha256", "size", "ref"})
"""Commits and digests of documents: they hold dates."""


PATIENT = Machine(hurry=0.01)
"""A lease that is not seen to be dead at once is waited for here for over an hour, and so fails the test."""


@dataclass(frozen=True)
class Death:
    """What a killed run left, and what the next one made of it."""

    killed: Ended
    torn_at_death: list[str]
    finished: set[str]
    before: list[str]
    second: Ended
    after: list[str]
    torn_at_end: list[str]
    final: dict[str, Any]


def write_feature(place: Place) -> None:
    """Write the feature all cases build: needs, a retry, a checkpoint, a nested group, checks, a repository, staging."""
    here = "import os; print(sorted(name for name in os.listdir() if name.endswith('.txt')))"
    place.write_spec(
        {
            "api": ["write=api.txt"],
            "web": ["write=web.txt"],
            "flaky": ["fail-first", "write=flaky.txt"],
            "slow": ["leave=half", "sleep=0.3", "leave=most", "sleep=0.3", "write=slow.txt"],
        },
        repository=True,
        settings={"web": {"needs": ["api"]}, "flaky": {"retries": 1}, "slow": {"checkpoint_minutes": 0.002}},
        groups=[{"id": "outer", "tracks": ["flaky"], "groups": [{"id": "inner", "tracks": ["api", "web"]}]}],
        verification={
            "checks": [
                {"id": "listing", "argv": ["{python}", "-S", "-c", here]},
                {"id": "again", "argv": ["{python}", "-S", "-c", here]},
            ]
        },
        success_criteria={"functional": [{"text": "all files are there", "check": "listing"}]},
        deployment={
            "staging": {"argv": ["{python}", "-S", "-c", "pass"], "checks": ["smoke"]},
            "checks": [{"id": "smoke", "argv": ["{python}", "-S", "-c", here]}],
        },
    )


def note(place: Place, name: str) -> list[str]:
    """Return a command that leaves a line in a file."""
    return ["sh", "-c", f"echo {name} >> {place.folder / name}"]


def times(place: Place, name: str) -> int:
    """Return how often that command ran."""
    file = place.folder / name
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def die_and_go_on(place: Place, kill: str) -> Death:
    write_feature(place)
    quick = {"renew_every": 0.3} if kill.startswith("lease.renewed") else {}
    killed = fork(place, "run", place.spec, "--json", PLAIT_KILL_AT=kill, **quick).wait()
    wait_until("no agent is left", lambda: not living(place))
    torn_at_death = torn(place.store)
    finished, before = place.completed(), place.started()
    second = plait(place, "run", place.spec, "--json", machine=PATIENT)
    _, final = place.store.require("feature")
    return Death(
        killed, torn_at_death, finished, before, second, place.started(), torn(place.store),
        without_times(place.store.expand("feature", final)),
    )  # fmt: skip


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(inner) for key, inner in value.items() if key not in TIMES | DATED}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def undisturbed(new_place: Callable[[str], Place]) -> dict[str, Any]:
    """The final context of a run that nobody killed."""
    place = new_place("undisturbed")
    write_feature(place)
    ended = plait(place, "run", place.spec, "--json")
    assert ended.code == 0, ended.err
    return without_times(place.store.expand("feature", place.store.require("feature")[1]))


@pytest.fixture(scope="module")
def deaths(request: pytest.FixtureRequest, new_place: Callable[[str], Place]) -> Iterator[dict[str, Future[Death]]]:
    """Start all cases that were asked for, two at a time."""
    asked = [
        item.callspec.params["kill"]
        for item in request.session.items
        if item.path == request.path and isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    with ThreadPoolExecutor(2, thread_name_prefix="case") as pool:
        yield {kill: pool.submit(die_and_go_on, new_place(kill.replace(":", "-")), kill) for kill in asked}


def test_every_point_the_code_names_is_walked() -> None:
    assert {kill.partition(":")[0] for kill in KILLS} | {*PRODUCTION, *ON_A_BUCKET} == POINTS
    assert len(POINTS) >= 30


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kill", KILLS)
def test_a_kill_loses_nothing_and_nothing_finished_is_done_again(
    kill: str, deaths: dict[str, Future[Death]], undisturbed: dict[str, Any]
) -> None:
    death = deaths[kill].result()
    assert death.killed.code == -signal.SIGKILL, f"{kill} was not reached: {death.killed}"
    assert death.torn_at_death == []
    assert death.second.code == 0, death.second.err
    redone = [task for task in death.after[len(death.before) :] if task in death.finished]
    assert redone == []
    assert death.torn_at_end == []
    assert death.final == undisturbed


@pytest.mark.parametrize("kill", PRODUCTION)
def test_a_kill_in_a_production_deployment_leaves_it_unknown_and_only_a_person_repeats_it(
    place: Place, kill: str
) -> None:
    checks = [{"id": "unit", "argv": ["{python}", "-S", "-c", "pass"]}]
    place.write_spec(
        {"api": []},
        verification={"checks": checks},
        deployment={"production": {"argv": note(place, "production"), "gate": "go"}},
    )
    assert plait(place, "run", place.spec).code == 5
    assert plait(place, "approve", "feature", "go", "--by", "Ann").code == 0
    assert plait(place, "run", place.spec, PLAIT_KILL_AT=kill).code == -signal.SIGKILL
    ran = times(place, "production")
    assert ran == (1 if kill.endswith("ended") else 0)
    for _ in range(2):
        ended = plait(place, "run", place.spec, "--json")
        assert (ended.code, ended.report["status"]) == (5, "deployment-unknown")
        assert times(place, "production") == ran
    assert plait(place, "approve", "feature", "go", "--by", "Ann", "--rerun").code == 0
    ended = plait(place, "run", place.spec, "--json")
    assert (ended.code, ended.report["status"]) == (0, "deployed")
    assert times(place, "production") == ran + 1
    assert place.started() == ["api"]
    assert torn(place.store) == []


def test_agents_do_not_outlive_the_run_that_started_them(place: Place) -> None:
    place.write_spec({"stubborn": ["stubborn", "sleep=600"], "idle": ["sleep=600"]})
    run = fork(place, "run", place.spec)
    wait_until("all are there", lambda: len(place.lines()) == 3)
    run.process.kill()
    run.wait()
    wait_until("nobody is left", lambda: not living(place))
