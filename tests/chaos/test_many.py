"""Many tracks: right results and states, and what Prefect's own database lost on the way, counted."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.running import Place, fork, plait, torn
from tests.postgres import NoPostgres, programs, running_postgres
from tests.servers import Server, running_server
from tests.waiting import PATIENCE

NOTHING = ["sh", "-c", 'echo {} > "$PLAIT_CONTEXT"']


def write_many(place: Place, count: int, width: int) -> None:
    spec = {
        "workflow_id": place.workflow_id,
        "agents": {"none": {"backend": "command", "argv": NOTHING}},
        "parallel_tasks": [{"task_id": f"track-{number:04d}", "agent": "none"} for number in range(count)],
        "max_parallel": width,
    }
    place.spec.write_text(json.dumps(spec), encoding="utf-8")


LOOKS = 6
"""How many times in a row the database must hold the same for nothing more to come, each five seconds after the last."""


def recorded_states(server: Server) -> Counter[str]:
    """Return how many track task runs the server's database holds, by state name."""
    found: Counter[str] = Counter()
    offset = 0
    while True:
        page = httpx.post(
            f"{server.url}/task_runs/filter", json={"limit": 200, "offset": offset, "sort": "ID_DESC"}, timeout=PATIENCE
        ).json()
        found.update(one["state_name"] for one in page if one["task_key"].startswith("run_track"))
        if len(page) < 200:
            return found
        offset += 200


def settled(server: Server, wanted: int) -> Counter[str]:
    """Wait until the server has recorded everything, or nothing more comes."""
    looks: list[Counter[str]] = []
    while (now := recorded_states(server)) != {"Completed": wanted} and looks[-LOOKS:] != [now] * LOOKS:
        looks.append(now)
        time.sleep(5)
    return now


def assert_all_done(place: Place, count: int, report: dict[str, Any]) -> None:
    assert report["status"] == "completed"
    assert Counter(one["status"] for one in report["tracks"]) == {"completed": count}
    _, final = place.store.require(place.workflow_id)
    final = place.store.expand(place.workflow_id, final)
    assert [one["task_id"] for one in final["parallel_tasks"]] == [f"track-{number:04d}" for number in range(count)]
    assert {one["status"] for one in final["parallel_tasks"]} == {"completed"}
    assert final["omissions"] == []
    groups = [name for name in place.store.revisions(place.workflow_id) if name.startswith("groups/")]
    assert bool(groups) == (count > 10)
    assert torn(place.store) == []


@pytest.mark.parametrize(("count", "width"), [(3, 1), (10, 5), (100, 16)])
def test_any_number_of_tracks_completes_and_is_reused_whole(place: Place, count: int, width: int) -> None:
    write_many(place, count, width)
    assert_all_done(place, count, plait(place, "run", place.spec, "--json").report)
    again = plait(place, "run", place.spec, "--json").report
    assert all(one["reused"] for one in again["tracks"])


@pytest.mark.timeout(1800)
@pytest.mark.soak
def test_a_thousand_tracks_on_sqlite(tmp_path: Path) -> None:
    with running_server(tmp_path / "sqlite") as server:
        _missing(Place(tmp_path, server), 1000, "SQLite")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.soak)])
def test_on_postgres_no_task_run_of_many_tracks_is_lost(postgres: str, tmp_path: Path, count: int) -> None:
    with running_server(tmp_path / "server", PREFECT_API_DATABASE_CONNECTION_URL=postgres) as server:
        missing = _missing(Place(tmp_path, server), count, "Postgres")
    assert missing == 0


def _missing(place: Place, count: int, database: str) -> int:
    """Run many tracks; return how many task runs the server's database lacks, and print it."""
    write_many(place, count, 16)
    ended = fork(place, "run", place.spec, "--json").wait(1200)
    assert ended.code == 0, ended.err
    assert_all_done(place, count, ended.report)
    states = settled(place.server, count)
    missing = count - states.total()
    print(
        f"\n{count} no-op tracks on {database}: {ended.seconds:.0f} s; task runs missing in its database: {missing}; "
        f"states: {dict(states)}"
    )
    return missing


@pytest.fixture
def postgres() -> Iterator[str]:
    """A Postgres server of this test's own."""
    try:
        programs()
    except NoPostgres as error:
        pytest.skip(str(error))
    with running_postgres() as url:
        yield url
