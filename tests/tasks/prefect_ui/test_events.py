"""Events and artifacts of a run, as a real Prefect server has them."""

import json
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import get_client

from contexts.documents.merged import Concern
from contexts.spec.request import RunRequest
from flows.launch import launch
from tasks.prefect_ui import events
from tasks.run.outcome import TrackOutcome
from tests.deploy.running import wait_for
from tests.flows.specs import LEAVE, write_spec
from tests.servers import Server, descendants
from tests.tasks.prefect_ui.feed import of


@pytest.fixture(scope="module")
def client(prefect_api: Server):
    with get_client(sync_client=True) as made:
        yield made


@pytest.fixture
def run(prefect_api: Server, workspaces: Path, tmp_path: Path):
    """Run a workflow with a failing and a good track, an unmet criterion, and words that would be markup."""
    spec = write_spec(
        tmp_path,
        "noisy.shop",
        {"api": LEAVE, "page": "raise SystemExit('no')"},
        tracks={"page": {"required": False}},
        verification={"checks": [{"id": "unit", "argv": ["false"]}]},
        success_criteria={"all": [{"id": "works", "text": "it | works <script>", "check": "unit"}]},
    )
    return launch(RunRequest(spec=spec, store=str(tmp_path / "store")))


def test_a_run_tells_the_server_what_happened_and_shows_its_tables(run, client) -> None:
    workflow_id = "noisy.shop"
    (done,) = wait_for("the completed track", lambda: of(client, workflow_id, "plait.track.completed"))
    assert done["resource"]["prefect.resource.id"] == "plait.workflow.noisy.shop.track.api"
    assert done["payload"]["document"] == "noisy.shop/tracks/api@1"
    assert any(one["prefect.resource.role"] == "flow-run" for one in done["related"])
    (failed,) = of(client, workflow_id, "plait.track.failed")
    assert (failed["payload"]["status"], failed["resource"]["plait.task-id"]) == ("failed", "page")
    (concern,) = wait_for("the concern", lambda: of(client, workflow_id, "plait.merge.concern"))
    assert (concern["payload"]["kind"], concern["payload"]["tracks"]) == ("missing-track", ["page"])
    (unverified,) = wait_for("the verdict", lambda: of(client, workflow_id, "plait.verification.failed"))
    assert unverified["payload"]["status"] == run.status == "verification-failed"
    mine = {"key": {"like_": "plait-noisy-shop-%"}}
    answer = client.request("POST", "/artifacts/latest/filter", json={"limit": 50, "artifacts": mine}).json()
    found = {one["key"].removeprefix("plait-noisy-shop-"): one for one in answer}
    assert {"overview", "tracks", "findings", "criteria", "documents", "context", "progress"} <= set(found)
    assert found["progress"]["data"] == 100
    (row,) = json.loads(found["criteria"]["data"])
    assert (row["criterion"], row["status"]) == ("works", "unmet")
    assert "<script>" not in found["overview"]["data"].replace("\\<", "")
    (flow_run,) = client.request(
        "POST", "/flow_runs/filter", json={"flow_runs": {"tags": {"all_": [f"workflow:{workflow_id}"]}}}
    ).json()
    assert flow_run["name"] == workflow_id


def test_a_thousand_events_wait_for_no_server(prefect_api: Server) -> None:
    events.track_ended("large", TrackOutcome("first", "completed", None))
    server = [psutil.Process(prefect_api.pid), *descendants(prefect_api.pid)]
    for process in server:
        process.suspend()
    try:  # whoever waited for an answer would wait for good
        for number in range(1000):
            events.track_ended("large", TrackOutcome(f"track-{number}", "completed", None, reason="x" * 100_000))
    finally:
        for process in server:
            process.resume()


def test_events_that_no_server_takes_fail_nothing(prefect_api: Server) -> None:
    events.track_ended("odd", TrackOutcome("t\x00", "completed", None, seconds=float("nan")))
    odd = Concern.model_construct(concern="\ud800" * 10_000, tracks=["t\ud800"] * 50)
    events.concerns_found("odd", [odd] * 100)
