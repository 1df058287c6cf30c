"""Two machines on one bucket: one owns the workflow; a frozen one loses it, and writes nothing when it thaws."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from contexts.leases.lease import STALE_AFTER
from contexts.leases.record import read_lease
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings, connect
from tests.chaos.running import Machine, Place, fork, living, plait, torn, wait_until
from tests.contexts.stores import servers

HURRY = 8.0
"""All times of the lease are shorter by this: a silent one is taken over after 7.5 s instead of 60."""
HERE, THERE = Machine("here", hurry=HURRY), Machine("there", hurry=HURRY)


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[servers.Server]:
    try:
        with servers.ministack() as server:
            yield server
    except servers.Unavailable as error:
        pytest.skip(f"not run: there is no S3 server here: {error}")


@pytest.fixture
def shared(place: Place, bucket_server: servers.Server) -> Place:
    """A case whose store is a bucket of its own."""
    session = boto3.Session(bucket_server.access_key, bucket_server.secret_key, region_name="us-east-1")
    settings = S3Settings(endpoint_url=bucket_server.endpoint, region="us-east-1", addressing="path")
    bucket = f"case-{os.getpid()}-{time.monotonic_ns()}"
    connect(settings, session).create_bucket(Bucket=bucket)
    return replace(
        place,
        objects=S3Objects(bucket, "plait", settings=settings, session=session),
        settings={
            "PLAIT_STORE": f"s3://{bucket}/plait?endpoint_url={bucket_server.endpoint}&region=us-east-1&addressing=path",
            "AWS_ACCESS_KEY_ID": bucket_server.access_key,
            "AWS_SECRET_ACCESS_KEY": bucket_server.secret_key,
        },
    )


def on(place: Place, name: str) -> Place:
    """Return the case as another machine sees it: with workspaces of its own."""
    return replace(place, settings={**place.settings, "PLAIT_WORKSPACES": str(place.folder / f"{name}-workspaces")})


def revisions(place: Place) -> dict[str, Any]:
    return dict(place.store.revisions(place.workflow_id))


def test_of_two_machines_that_start_at_once_one_runs_and_the_other_names_it(shared: Place) -> None:
    gate = shared.folder / "gate"
    shared.write_spec({"slow": [f"wait={gate}"]})
    runs = [fork(on(shared, str(at.host)), "run", shared.spec, machine=at) for at in (HERE, THERE)]
    wait_until("one has given up", lambda: any(run.code is not None for run in runs), 60)
    gate.touch()
    ended = [run.wait() for run in runs]
    assert sorted(one.code for one in ended) == [0, 2], [one.err for one in ended]
    winner = next(number for number, one in enumerate(ended) if one.code == 0)
    assert f"on {(HERE, THERE)[winner].host} (pid {runs[winner].pid})" in ended[1 - winner].err
    assert shared.started() == ["slow"]
    assert torn(shared.store) == []


def test_a_run_frozen_longer_than_its_lease_loses_it_and_writes_nothing_when_it_thaws(shared: Place) -> None:
    gate = shared.folder / "gate"
    shared.write_spec({"quick": [], "slow": [f"wait={gate}"], "last": [f"wait={gate}"]})
    frozen = fork(on(shared, "here"), "run", shared.spec, machine=HERE)
    wait_until("the agents work", lambda: len(shared.lines()) == 3 and shared.completed() == {"quick"}, 60)
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        other = fork(on(shared, "there"), "run", shared.spec, "--json", machine=THERE)
        wait_until("the other machine works", lambda: len(shared.lines()) == 5, 90)
        lease = read_lease(shared.store.objects, "feature")
        assert lease is not None
        assert (lease.machine, lease.epoch) == ("there", 2)
        before = revisions(shared)
        gate.touch()  # the frozen run's agents end too, and it would save what they left
        time.sleep(1)
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    thawed, went_on = frozen.wait(), other.wait()
    assert thawed.code == 3, thawed.err
    assert "no longer owns" in thawed.err or "could not be renewed in time" in thawed.err
    assert "Traceback" not in thawed.err
    assert went_on.code == 0, went_on.err
    assert [one["task_id"] for one in went_on.report["tracks"] if one["reused"]] == ["quick"]
    store = shared.store
    assert {name: len(numbers) - len(before.get(name, ())) for name, numbers in revisions(shared).items()} == {
        "context": 2, "tracks/quick": 0, "tracks/slow": 1, "tracks/last": 1,
    }  # fmt: skip
    runs = {store.latest("feature", f"tracks/{name}")[1]["execution"]["run_id"] for name in ("slow", "last")}  # pyright: ignore[reportOptionalSubscript]
    assert runs == {store.require("feature")[1]["run"]["id"]}
    lease = read_lease(store.objects, "feature")
    assert lease is not None
    assert (lease.machine, lease.end_reason) == ("there", "finished")
    assert torn(store) == []
    assert not living(shared)


def test_a_dead_machines_workflow_goes_on_elsewhere_after_its_silence(shared: Place) -> None:
    gate = shared.folder / "gate"
    shared.write_spec({"quick": [], "slow": [f"wait={gate}"]})
    first = fork(on(shared, "here"), "run", shared.spec, machine=HERE)
    wait_until("the agents work", lambda: len(shared.lines()) == 2 and shared.completed() == {"quick"}, 60)
    first.process.kill()
    first.wait()
    gate.touch()
    dead = read_lease(shared.store.objects, "feature")
    ended = plait(on(shared, "there"), "resume", "feature", "--json", machine=THERE)
    assert ended.code == 0, ended.err
    alive = read_lease(shared.store.objects, "feature")
    assert dead
    assert alive
    silence = (alive.acquired - dead.renewed).total_seconds()
    assert silence > STALE_AFTER / HURRY, "nobody can see a dead process of another machine: its silence counts"
    assert [one["task_id"] for one in ended.report["tracks"] if one["reused"]] == ["quick"]
    *at_first, again = shared.started()
    assert (sorted(at_first), again) == (["quick", "slow"], "slow")
