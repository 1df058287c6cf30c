"""How much runs at a time, and what runs need the worker's owner to say so."""

import itertools
import json
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.deploy.gated import deploy_feature, until, working
from tests.deploy.running import Place, finish, start, tasks_of, wait_for, write_spec
from tests.servers import Server


def test_a_second_run_of_a_workflow_ends_at_once_and_names_the_first(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    gate = place.specs / "open-the-second"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.2)"
    spec = write_spec(place.specs, "one-at-a-time", "", waits)
    first = start(client, "feature/feature", spec=str(spec))
    store = ContextStore(LocalObjects(place.store))
    wait_for("the first run's quick track", lambda: "tracks/track-1" in store.revisions("one-at-a-time"))
    second = start(client, "feature/feature", spec=str(spec))
    state = finish(client, second.id)
    assert state.is_failed()
    assert str(first.id) in str(state.message)
    assert not tasks_of(client, second.id)
    gate.touch()
    assert finish(client, first.id).name == "Completed"


def test_no_more_tracks_of_a_backend_run_at_a_time_than_its_limit(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    tag = "plait-backend-command"
    before = client.read_concurrency_limit_by_tag(tag).concurrency_limit
    client.create_concurrency_limit(tag=tag, concurrency_limit=1)
    try:
        sleeps = "import time; time.sleep(0.5)"
        runs = [
            start(client, "feature/feature", spec=str(write_spec(place.specs, name, sleeps, sleeps)))
            for name in ("narrow-one", "narrow-two")
        ]
        for run in runs:
            state = finish(client, run.id, 120)
            assert state.name == "Completed", state.message
    finally:
        client.create_concurrency_limit(tag=tag, concurrency_limit=before)
    tracks = [one for run in runs for one in tasks_of(client, run.id) if one.task_key.startswith("run_track")]
    spans = sorted((one.start_time, one.end_time) for one in tracks if one.start_time and one.end_time)
    assert len(spans) == 4
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans)), spans


def test_an_inline_spec_runs_where_the_workers_owner_allows_it(
    prefect_api: Server, client: SyncPrefectClient, tmp_path: Path
) -> None:
    spec = json.loads(write_spec(tmp_path, "inline", "").read_text(encoding="utf-8"))
    environment = {
        "PLAIT_STORE": str(tmp_path / "store"),
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"),
        "PLAIT_ALLOW_INLINE": "1",
    }
    deployment = deploy_feature(client, "inline")
    with working(prefect_api, "inline", tmp_path / "worker", **environment):
        run = client.create_flow_run_from_deployment(deployment, parameters={"inline": spec})
        until(client, run, "Completed")
    assert ContextStore(LocalObjects(tmp_path / "store")).workflows() == ("inline",)
