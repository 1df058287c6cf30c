"""What `make deploy` puts on a server, and that it can be done again."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.schedules import IntervalSchedule

from tests.deploy.conftest import deploy
from tests.servers import ROOT, Server, client_environment


def declared() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))


def on_server(client: SyncPrefectClient) -> dict[str, dict[str, Any]]:
    """Everything deployed, without the times of the deploying."""
    found = client.read_deployments(deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=["plait"])))
    moving = {"updated", "version_id", "version_info", "last_polled", "status"}
    kept = {one.name: json.loads(one.model_dump_json(exclude=moving)) for one in found}
    for one in kept.values():
        for schedule in one["schedules"]:
            schedule.pop("updated")
    return kept


def test_every_deployment_of_the_file_is_on_the_server(deployed: Server, client: SyncPrefectClient) -> None:
    found = on_server(client)
    assert set(found) == {one["name"] for one in declared()["deployments"]}
    for one in declared()["deployments"]:
        assert found[one["name"]]["entrypoint"] == one["entrypoint"]
        assert found[one["name"]]["pull_steps"] == [
            {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
        ]
        assert [each["slug"] for each in found[one["name"]]["schedules"]] == [
            each["slug"] for each in one.get("schedules") or ()
        ]


def test_queues_and_limits_are_there(deployed: Server, client: SyncPrefectClient) -> None:
    queues = {one.name: one.concurrency_limit for one in client.read_work_queues(work_pool_name="plait")}
    assert {"features": 4, "upkeep": 2}.items() <= queues.items()
    limits = {one.tag: one.concurrency_limit for one in client.read_concurrency_limits(limit=50, offset=0)}
    assert limits == {"plait-backend-command": 16, "plait-backend-replay": 64}


def test_the_form_has_a_title_a_description_a_type_and_a_default_for_every_parameter(
    deployed: Server, client: SyncPrefectClient
) -> None:
    for name, one in on_server(client).items():
        schema = one["parameter_openapi_schema"]
        assert not schema.get("required"), name
        for parameter, shown in schema["properties"].items():
            assert shown["title"] != parameter, (name, parameter)
            assert shown["title"][0].isupper(), (name, parameter)
            assert shown["description"], (name, parameter)
            assert isinstance(shown["type"], str), (name, parameter)
            assert "default" in shown, (name, parameter)


def test_deploying_again_changes_nothing(deployed: Server, client: SyncPrefectClient) -> None:
    before = on_server(client)
    queues = {one.name: one.concurrency_limit for one in client.read_work_queues(work_pool_name="plait")}
    (line,) = deploy(deployed).splitlines()
    for said in ("Deployed feature, ", f"work pool plait at {deployed.url};", "`prefect worker start --pool plait`"):
        assert said in line
    assert f"{deployed.url.removesuffix('/api')} shows them" in line
    assert on_server(client) == before
    assert {one.name: one.concurrency_limit for one in client.read_work_queues(work_pool_name="plait")} == queues


def test_what_the_file_does_not_have_is_removed_from_the_server(deployed: Server, client: SyncPrefectClient) -> None:
    feature = client.read_deployment_by_name("feature/feature")
    client.create_deployment(
        flow_id=feature.flow_id, name="for-a-day", tags=["plait"], work_pool_name="plait", entrypoint=feature.entrypoint
    )
    mine = client.create_deployment(flow_id=feature.flow_id, name="somebodys-own", work_pool_name="plait")
    client.create_deployment_schedules(feature.id, [(IntervalSchedule(interval=timedelta(hours=1)), True)])
    printed = deploy(deployed)
    assert "Removed for-a-day" in printed
    assert "Removed feature/" in printed
    after = on_server(client)
    assert "for-a-day" not in after
    assert after["feature"]["schedules"] == []
    assert client.read_deployment(mine).name == "somebodys-own"
    client.delete_deployment(mine)


@pytest.mark.parametrize(
    ("url", "words", "code"), [("", "no Prefect server is named", 2), ("http://127.0.0.1:9/api", "does not answer", 6)]
)
def test_without_a_server_it_says_so_and_starts_none(tmp_path: Path, url: str, words: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.deployments.deploy_all", "--wait", "1"],
        cwd=ROOT,
        env=client_environment(tmp_path) | ({"PREFECT_API_URL": url} if url else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    *before, line = done.stderr.splitlines()
    assert len(before) <= 1, "nothing but that it waits"
    assert words in line
    assert "prefect server start" in line
