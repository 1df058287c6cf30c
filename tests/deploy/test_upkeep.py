"""The deployed upkeep flows, started through the API with what their forms hold."""

import json
import os
import sys
import time
from typing import Any

from prefect.client.orchestration import SyncPrefectClient

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.deploy.running import Place, finish, start
from tests.flows.specs import LEAVE, commit, git, make_repository, write_spec
from tests.servers import Server

CHECK = "import sys; sys.exit(0 if 'hello' in open('greeting.txt').read() else 1)"


def table(client: SyncPrefectClient, key: str) -> list[dict[str, Any]]:
    """Return the newest table under a key."""
    answer = client.request("POST", "/artifacts/latest/filter", json={"artifacts": {"key": {"any_": [key]}}})
    (found,) = answer.json()
    return json.loads(found["data"])


def test_a_scheduled_verification_fails_and_reports_what_got_worse(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    repository = make_repository(place.specs / "greeting-app", readme__md="An application\n")
    spec = write_spec(
        place.specs,
        "greeting",
        {"add": f"open('greeting.txt', 'w').write('hello\\n'); {LEAVE}"},
        repository={"path": "greeting-app", "base": "main"},
        success_criteria={"add": [{"id": "greets", "text": "It says hello", "check": "says-hello"}]},
        verification={"checks": [{"id": "says-hello", "argv": [sys.executable, "-c", CHECK]}]},
    )
    assert finish(client, start(client, "feature/feature", spec=spec).id).name == "Completed"
    git(repository, "merge", "--quiet", "plait/greeting")
    again = finish(client, start(client, "reverify/reverify", workflows=["greeting"], store="").id)
    assert (again.name, again.message) == ("Completed", "1 workflow verified again, nothing got worse")
    commit(repository, "Break it", greeting__txt="good bye\n")
    broken = finish(client, start(client, "reverify/reverify", workflows=["greeting"], reference="").id)
    assert (broken.name, broken.is_failed()) == ("VerificationFailed", True)
    assert "greeting: criterion greets is unmet" in str(broken.message)
    assert [(one["name"], one["before"], one["now"]) for one in table(client, "plait-reverify")] == [
        ("greets", "met", "unmet"),
        ("says-hello", "passed", "failed"),
    ]


def test_verifying_again_without_a_workflow_named_does_nothing(worker: Server, client: SyncPrefectClient) -> None:
    assert finish(client, start(client, "reverify/reverify").id).name == "Completed"


def test_retention_as_scheduled_only_says_what_could_go(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    found = client.read_deployment_by_name("retention/retention")
    assert found.parameter_openapi_schema["properties"]["dry_run"]["default"] is True
    assert "dry_run" not in (found.parameters or {})
    objects = LocalObjects(place.store)
    store = ContextStore(objects)
    for number in range(8):
        document = {"version": "1.0", "workflow_id": "old-one", "number": number}
        store.save(document, workflow_id="old-one", name="context", after=number)
    before = {entry.key for entry in objects.list("documents/old-one/")}
    age(place)
    assert finish(client, start(client, "retention/retention").id).name == "Completed"
    (row,) = (one for one in table(client, "plait-retention") if one["workflow"] == "old-one")
    assert (row["action"], row["objects"], row["done"]) == ("archive", 7, "would be done")
    assert {entry.key for entry in objects.list("documents/old-one/")} == before
    state = finish(client, start(client, "retention/retention", dry_run=False, archive_after_days=365).id)
    assert state.name == "Completed", state.message
    assert store.revisions("old-one") == {"context": (4, 5, 6, 7, 8)}


def age(place: Place) -> None:
    """Make the revisions of the old workflow look two months old."""
    for file in (place.store / "documents" / "old-one").rglob("*.json"):
        os.utime(file, (time.time() - 60 * 24 * 3600,) * 2)
