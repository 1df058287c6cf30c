"""The policies of docs/guides/stores.md suffice for whole runs, and whatever is taken from them is named when it is missed."""

from __future__ import annotations

import json
import re
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from contexts.errors import StoreDenied
from contexts.leases.lease import acquire
from contexts.store.archive import carry_out, holding
from contexts.store.retention import RetentionPlan
from contexts.store.url import open_objects
from tests.contexts.stores import servers
from tests.contexts.stores.faults import Asked
from tests.contexts.stores.policy import ACTIONS, gate, permits
from tests.flows.stores.bucket import NEEDS, TRACKS, Bucket, bucket, plait
from tests.servers import ROOT, Server


def policies(place: Bucket) -> dict[str, dict[str, Any]]:
    """Return the policies of the documentation by their first statement, made out to the case's bucket and prefix."""
    text = (ROOT / "docs" / "guides" / "stores.md").read_text(encoding="utf-8")
    found = [json.loads(block) for block in re.findall(r"^ *```json\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)]
    said = json.dumps(found).replace("my-contexts", "contexts").replace("plait/", f"{place.prefix}/")
    return {policy["Statement"][0]["Sid"]: policy for policy in json.loads(said)}


def without(policy: dict[str, Any], action: str) -> dict[str, Any]:
    """Return a policy that does not allow an action."""
    less = deepcopy(policy)
    for statement in less["Statement"]:
        named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [one for one in named if one != action]
    return less


def test_the_documented_policies_suffice_for_everything_a_run_does_and_hold_nothing_it_does_not(
    prefect_server: Server, ministack: servers.Server, tmp_path: Path
) -> None:
    with bucket(tmp_path / "policy", prefect_server, ministack) as place:
        known = policies(place)
        place.proxy.refuse = gate(known["ListOwnPrefix"], known["DocumentsAreOnlyAdded"])
        place.proxy.hides_missing = True
        spec = place.write_spec(TRACKS, repository=True, settings=NEEDS)
        for arguments in (
            ("doctor",),
            ("plan", spec),
            ("run", spec, "--json"),
            ("resume", "feature", "--json"),
            ("list",),
            ("show", "feature"),
            ("history", "feature"),
            ("store", "check"),
            ("report", "feature", "--output", place.folder / "report.html"),
        ):
            ended = plait(place, *arguments)
            assert ended.code == 0, f"{arguments}: {ended.err}"
        used = {ACTIONS[asked.operation] for asked in place.proxy.asked}
        allowed = {
            action
            for statement in known["ListOwnPrefix"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }
        assert used == allowed, "a permission that nothing needs"


def test_with_the_documented_bucket_policy_no_document_can_be_replaced(
    prefect_server: Server, ministack: servers.Server, tmp_path: Path
) -> None:
    with bucket(tmp_path / "only-added", prefect_server, ministack) as place:
        known = policies(place)
        statements = [*known["ListOwnPrefix"]["Statement"], *known["DocumentsAreOnlyAdded"]["Statement"]]
        for key in ("documents/w/context/000001.json", "blobs/w/00"):
            asked = Asked("PutObject", "contexts", f"{place.prefix}/{key}")
            assert not permits(statements, asked)
            assert permits(statements, Asked("PutObject", "contexts", asked.key, only_new=True))
        assert permits(statements, Asked("PutObject", "contexts", f"{place.prefix}/leases/w.json"))


def test_a_machine_that_only_looks_needs_to_list_and_to_get(
    prefect_server: Server, ministack: servers.Server, tmp_path: Path
) -> None:
    with bucket(tmp_path / "looking", prefect_server, ministack) as place:
        spec = place.write_spec(TRACKS)
        assert plait(place, "run", spec, "--json").code == 0
        place.proxy.refuse = gate(without(policies(place)["ListOwnPrefix"], "s3:PutObject"))
        place.proxy.hides_missing = True
        for arguments in (("list",), ("show", "feature"), ("plan", spec), ("store", "check")):
            ended = plait(place, *arguments)
            assert ended.code == 0, f"{arguments}: {ended.err}"
        denied = plait(place, "run", spec, "--json")
        assert denied.code == 6
        assert "no permission to write objects" in denied.err
        assert "grant s3:PutObject" in denied.err


def test_removing_old_revisions_needs_the_permission_of_its_own_that_is_documented(
    prefect_server: Server, ministack: servers.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bucket(tmp_path / "retention", prefect_server, ministack) as place:
        known = policies(place)
        place.proxy.hides_missing = True
        for name, value in place.environment.items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        objects = open_objects(place.url)
        keys = ("documents/w/context/000001.json", "blobs/w/00")
        for key in keys:
            objects.create(key, b"old")
        plan = RetentionPlan(workflow_id="w", action="archive", keys=keys, reason="a month")
        held = holding(objects, "w")
        lease = acquire(objects, "w", owner="upkeep:test")
        place.proxy.refuse = gate(known["ListOwnPrefix"], known["DocumentsAreOnlyAdded"])
        with pytest.raises(StoreDenied, match="s3:DeleteObject"):
            carry_out(objects, plan, held, read_again=lease.ensure_held, each=lease.ensure_held)
        place.proxy.refuse = gate(known["ListOwnPrefix"], known["DocumentsAreOnlyAdded"], known["RemoveOldRevisions"])
        assert carry_out(objects, plan, held, read_again=lease.ensure_held, each=lease.ensure_held) is not None
        assert Counter(entry.key.partition("/")[0] for entry in objects.list("")) == {"archive": 1, "leases": 1}
