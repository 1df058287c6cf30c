"""A deployed run that is killed goes on by itself: the sweeper starts it again, and finished tracks are not redone."""

import os
import signal

from prefect.client.orchestration import SyncPrefectClient

from contexts.leases.record import read_lease
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.deploy.running import Place, finish, start, tasks_of, wait_for, write_spec
from tests.servers import Server


def test_a_killed_run_is_started_again_once_and_goes_on_where_it_was(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    objects = LocalObjects(place.store)
    gate = place.specs / "gate"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.2)"
    spec = write_spec(place.specs, "killed", "", waits)
    first = start(client, "feature/feature", spec=str(spec))
    wait_for("the quick track", lambda: "tracks/track-1" in ContextStore(objects).revisions("killed"))
    lease = read_lease(objects, "killed")
    assert lease is not None
    assert lease.owner == str(first.id)
    os.kill(lease.pid, signal.SIGKILL)
    assert finish(client, first.id).is_crashed()
    gate.touch()

    sweeps = [start(client, "resume-interrupted/resume-interrupted", watch_seconds=0) for _ in range(2)]
    for sweep in sweeps:
        assert finish(client, sweep.id).name == "Completed"
    again = [
        one
        for one in client.read_flow_runs(limit=200)
        if one.parameters.get("workflow_id") == "killed" and "plait-restart" in one.tags
    ]
    assert len(again) == 1
    state = finish(client, again[0].id)
    assert state.name == "Completed", state.message
    states = {one.name.split(" · ")[1]: one.state_name for one in tasks_of(client, again[0].id) if " · " in one.name}
    assert states == {"track-1": "Reused", "track-2": "Completed"}
