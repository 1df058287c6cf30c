"""What people see of a deployed run: names, tags and states, its artifacts while it goes and after, its events."""

import base64
import json
import re
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun

from tests.deploy.running import Place, finish, start, tasks_of, wait_for, write_spec
from tests.servers import ROOT, Server
from tests.tasks.prefect_ui.feed import of

WORKFLOW = "seen-shop"
PAYLOADS = {
    event: set(re.findall(r"`(\w+)`", payload))
    for event, payload in re.findall(
        r"^\| `(plait\.[a-z.]+)` \|.*\| ([^|]+) \|$",
        (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
"""Every event docs/reference/events.md names, with the fields it names."""


def artifacts(client: SyncPrefectClient) -> dict[str, dict[str, Any]]:
    """Return the newest artifact of each name of the workflow."""
    prefix = f"plait-{WORKFLOW}-"
    wanted = {"limit": 50, "artifacts": {"key": {"like_": f"{prefix}%"}}}
    return {
        one["key"].removeprefix(prefix): one
        for one in client.request("POST", "/artifacts/latest/filter", json=wanted).json()
    }


@pytest.fixture(scope="module")
def seen(worker: Server, client: SyncPrefectClient, place: Place) -> tuple[FlowRun, list[float]]:
    """Run a workflow whose second track waits until the first one's end is shown, and whose check fails."""
    gate = place.specs / "seen-gate"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.1)"
    spec = write_spec(
        place.specs,
        WORKFLOW,
        "",
        waits,
        verification={"checks": [{"id": "unit", "argv": ["sh", "-c", "echo not good; exit 1"]}]},
        success_criteria={"all": [{"id": "works", "text": "It works", "check": "unit"}]},
    )
    run = start(client, "feature/feature", spec=str(spec))
    half = wait_for("the progress of one of two tracks", lambda: (artifacts(client).get("progress") or {}).get("data"))
    gate.touch()
    finish(client, run.id)
    return client.read_flow_run(run.id), [half, artifacts(client)["progress"]["data"]]


def test_names_and_tags_say_workflow_track_and_agent(
    seen: tuple[FlowRun, list[float]], client: SyncPrefectClient
) -> None:
    run, _ = seen
    assert run.name == WORKFLOW
    assert {"plait", f"workflow:{WORKFLOW}"} <= set(run.tags)
    tasks = tasks_of(client, run.id)
    assert {one.name for one in tasks if one.task_key.startswith("run_track")} == {
        f"{WORKFLOW} · track-1 · track-1", f"{WORKFLOW} · track-2 · track-2",
    }  # fmt: skip
    assert {one.name for one in tasks} >= {f"initialize {WORKFLOW}", f"merge {WORKFLOW}", f"check {WORKFLOW} · unit"}


def test_states_say_how_things_ended(seen: tuple[FlowRun, list[float]], client: SyncPrefectClient) -> None:
    run, _ = seen
    assert (run.state_name, run.state and run.state.is_failed()) == ("VerificationFailed", True)
    assert "check unit failed" in str(run.state and run.state.message)
    (check,) = (one for one in tasks_of(client, run.id) if one.task_key.startswith("run_check"))
    assert check.state_name == "Failed"


def test_progress_is_shown_while_the_tracks_run(seen: tuple[FlowRun, list[float]]) -> None:
    assert seen[1] == [50, 100]


def test_all_artifacts_are_there_each_of_its_kind(seen: tuple[FlowRun, list[float]], client: SyncPrefectClient) -> None:
    found = artifacts(client)
    assert {name: one["type"] for name, one in found.items()} == {
        "overview": "markdown", "tracks": "table", "findings": "markdown", "criteria": "table", "documents": "table",
        "context": "markdown", "progress": "progress", "timeline": "image",
    }  # fmt: skip
    assert {row["track"] for row in json.loads(found["tracks"]["data"])} == {"track-1", "track-2"}
    where = [row["where"] for row in json.loads(found["documents"]["data"])]
    assert all(f"documents/{WORKFLOW}/" in one for one in where)
    assert len(where) == 3
    head, _, picture = found["timeline"]["data"].partition(";base64,")
    assert head == "data:image/svg+xml"
    drawn = base64.b64decode(picture).decode()
    assert "critical path: track-2" in drawn
    assert all(word in drawn for word in ("initialize", "tracks", "merge", "verify", "track-1"))


def test_events_carry_the_payloads_the_page_names(seen: tuple[FlowRun, list[float]], client: SyncPrefectClient) -> None:
    for event in ("plait.track.completed", "plait.verification.failed"):
        (one, *_) = wait_for(event, lambda event=event: of(client, WORKFLOW, event))
        assert set(one["payload"]) == PAYLOADS[event] | {"workflow_id"}
        assert any(each["prefect.resource.role"] == "flow-run" for each in one["related"])
