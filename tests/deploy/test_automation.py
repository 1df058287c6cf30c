"""The example automation of docs/reference/events.md hears of an approval."""

import re
import subprocess
import sys
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.worker import EventsWorker

from contexts.documents.deployment import ProductionReadiness
from tasks.prefect_ui import events
from tests.deploy.running import wait_for
from tests.servers import ROOT, Server
from tests.tasks.prefect_ui.feed import fetch


@pytest.fixture(scope="module")
def automation(prefect_api: Server, client: SyncPrefectClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The automation of the page on events, created as the page says."""
    (example,) = re.findall(
        r"```json\n(.*?)```", (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8"), re.DOTALL
    )
    file = tmp_path_factory.mktemp("automation") / "approval.json"
    file.write_text(example, encoding="utf-8")
    argv = [sys.executable, "-m", "prefect", "automation", "create", "--from-file", str(file)]
    done = subprocess.run(argv, env=prefect_api.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = client.request("POST", "/automations/filter", json={}).json()
    return str(made["id"])


def test_the_automation_of_the_documentation_hears_of_an_approval(automation: str, client: SyncPrefectClient) -> None:
    waiting = ProductionReadiness(gate="go", subject="a" * 64, status="waiting", prerequisites=[])
    events.approval_requested("waiting-shop", waiting, ["gate go waits for a person"])
    EventsWorker.instance().wait_until_empty()

    def triggered() -> list[dict[str, Any]]:
        ours = f"prefect.automation.{automation}"
        return [
            one
            for one in fetch(client, "prefect.automation.triggered")
            if one["resource"]["prefect.resource.id"] == ours
        ]

    assert wait_for("the automation", triggered, 60)
