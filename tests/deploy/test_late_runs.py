"""Runs that were scheduled for a day and begin late, or at a bad time: the day stays theirs; or they are skipped."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.schedules import CronSchedule
from prefect.states import Scheduled

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.deploy.gated import deploy_feature, working
from tests.deploy.running import finish, start, wait_for, write_spec
from tests.servers import Server

POOL = "late"
ZONE = ZoneInfo("Pacific/Auckland")
"""Far enough from UTC that six in the morning there is another day here."""


@pytest.fixture(scope="module")
def client(prefect_api: Server) -> Iterator[SyncPrefectClient]:
    del prefect_api
    with get_client(sync_client=True) as made:
        yield made


@pytest.fixture(scope="module")
def deployment(client: SyncPrefectClient) -> UUID:
    """A deployment with a daily schedule that makes no runs by itself."""
    made = deploy_feature(client, POOL)
    daily = CronSchedule(cron="0 6 * * *", timezone=str(ZONE))
    client.create_deployment_schedules(made, [(daily, False)])
    return made


@pytest.fixture(scope="module")
def folder(prefect_api: Server, deployment: UUID, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A worker's folder: specs, and the store."""
    del deployment
    made = tmp_path_factory.mktemp("late")
    own = {
        "PLAIT_STORE": str(made / "store"),
        "PLAIT_WORKSPACES": str(made / "workspaces"),
        "PLAIT_ALLOWED_SPECS": str(made),
    }
    with working(prefect_api, POOL, made / "worker", **own):
        yield made


def at(client: SyncPrefectClient, deployment: UUID, moment: datetime, **parameters: Any) -> UUID:
    """Make a run for a moment, as the UI and the scheduler do."""
    state = Scheduled(scheduled_time=moment)
    return client.create_flow_run_from_deployment(deployment, parameters=parameters, state=state).id


def test_late_runs_are_for_the_days_they_were_meant_for_in_their_schedules_time_zone(
    client: SyncPrefectClient, deployment: UUID, folder: Path
) -> None:
    spec = write_spec(folder, "nightly-{date}-{time}", "")
    today = datetime.now(ZONE).replace(hour=6, minute=0, second=0, microsecond=0)
    mornings = [today - timedelta(days=days) for days in (1, 2, 3)]
    runs = [at(client, deployment, morning, spec=str(spec)) for morning in mornings]
    for run in runs:
        state = finish(client, run, 400)
        assert state.name == "Completed", state.message
    workflows = {tag for run in runs for tag in client.read_flow_run(run).tags if tag.startswith("workflow:")}
    assert workflows == {f"workflow:nightly-{morning:%Y%m%d}-060000" for morning in mornings}


def test_a_scheduled_run_that_is_not_wanted_any_more_is_skipped_and_one_by_hand_is_told_who_is_at_work(
    client: SyncPrefectClient, deployment: UUID, folder: Path
) -> None:
    gate = folder / "gate"
    spec = str(
        write_spec(
            folder, "busy", f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.2)"
        )
    )
    first = start(client, f"feature/{POOL}", spec=spec)
    lease = folder / "store" / "leases" / "busy.json"
    wait_for("its lease", lease.exists, 240)
    hours_ago = datetime.now(UTC) - timedelta(hours=3)
    scheduled = at(client, deployment, hours_ago, spec=spec)
    late = at(client, deployment, hours_ago, spec=spec, skip_after=60)
    by_hand = start(client, f"feature/{POOL}", spec=spec, skip_after=60)
    for run, words in ((scheduled, "being run by"), (late, "skip_after is 60")):
        state = finish(client, run, 240)
        assert (state.name, state.is_completed()) == ("Skipped", True), state.message
        assert words in str(state.message)
    state = finish(client, by_hand.id, 240)
    assert state.is_failed()
    assert f"being run by {first.id}" in str(state.message)
    gate.touch()
    assert finish(client, first.id, 240).name == "Completed"
    assert json.loads(lease.read_text(encoding="utf-8"))["end_reason"] == "finished"
    assert ContextStore(LocalObjects(folder / "store")).revisions("busy")
