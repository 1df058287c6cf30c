"""Read the event feed of a Prefect server."""

from datetime import UTC, datetime, timedelta
from typing import Any

from prefect.client.orchestration import SyncPrefectClient

BEGAN = datetime.now(UTC) - timedelta(minutes=1)
"""Before the first event of these tests."""


def fetch(client: SyncPrefectClient, *names: str) -> list[dict[str, Any]]:
    """Return the newest events of these names."""
    wanted = {
        "event": {"name": list(names)},
        "occurred": {"since": BEGAN.isoformat(), "until": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()},
    }
    answer = client.request("POST", "/events/filter", json={"filter": wanted, "limit": 50})
    return answer.json()["events"]


def of(client: SyncPrefectClient, workflow_id: str, name: str) -> list[dict[str, Any]]:
    """Return one workflow's events of a name."""
    return [one for one in fetch(client, name) if one["payload"]["workflow_id"] == workflow_id]
