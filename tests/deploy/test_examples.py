"""The example's specs through the command line, to the end: what each run says, and with what exit code it ends."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.examples.workspaces import prepare
from tests.servers import Server

PLAIT = Path(sys.executable).parent / "plait"


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str
    final: dict[str, Any]


class Example:
    """A prepared folder, and the command line on it."""

    def __init__(self, folder: Path, server: Server) -> None:
        assert prepare(folder).returncode == 0
        self.folder = folder
        places = {"PLAIT_STORE": str(folder / "store"), "PLAIT_WORKSPACES": str(folder / "workspaces"), "NO_COLOR": "1"}
        self.environment = {**os.environ, **server.environment, **places}

    def plait(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the command line."""
        return subprocess.run(
            [PLAIT, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def run(self, spec: str, workflow_id: str) -> Ended:
        """Run a spec and read its final context."""
        done = self.plait("run", spec)
        return Ended(done.returncode, done.stdout, done.stderr, json.loads(self.plait("show", workflow_id).stdout))


@pytest.fixture(scope="module")
def example(prefect_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(tmp_path_factory.mktemp("example") / "prepared", prefect_server)


@pytest.fixture(scope="module")
def full(example: Example) -> Ended:
    return example.run("spec_full.yaml", "user-profile-full")


@pytest.fixture(scope="module")
def mismatch(example: Example) -> Ended:
    return example.run("mismatch.yaml", "user-profile-mismatch")


def test_the_feature_with_every_kind_of_check_is_verified(full: Ended) -> None:
    assert full.code == 0, full.out + full.err
    statuses = {one["check"]: one["status"] for one in full.final["evidence"]}
    assert statuses.pop("dependencies") in {"passed", "unverified"}, "it asks the network"
    assert statuses == dict.fromkeys(
        ("unit", "e2e", "coverage", "security", "migrations", "contract", "performance"), "passed"
    )
    assert {one["status"] for one in full.final["criteria"]} == {"met"}
    areas = {name: area["status"] for name, area in full.final["verification_results"].items()}
    assert areas.pop("security") in {"passed", "unverified"}
    assert set(areas.values()) == {"passed"}


def test_three_targets_of_performance_are_measured_and_compared(full: Ended) -> None:
    (load,) = [one for one in full.final["evidence"] if one["kind"] == "performance"]
    requests = load["result"]["performance"]["requests"]
    assert len(requests) == 3
    for one in requests.values():
        assert (one["count"], one["errors"], one["met"]) == (200, 0, True)
        assert one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"]
    assert load["reports"]["load"]["size"] > 1000, "every single time is kept"
    lines = full.final["verification_results"]["performance"]["measurements"]
    assert len(lines) == 3
    assert all("target P95 <= " in line for line in lines.values())


def test_the_migration_goes_up_from_the_base_and_the_contract_is_the_application_s_own(full: Ended) -> None:
    evidence = {one["check"]: one.get("result") for one in full.final["evidence"]}
    migrated = evidence["migrations"]["migrations"]
    assert (migrated["from_nothing"], migrated["drift"], migrated["from_base"]) == (
        True,
        False,
        migrated["down_and_up"],
    )
    contract = evidence["contract"]["contract"]
    assert (contract["mismatches"], contract["unknown"]) == (0, 0)
    assert set(contract["consumers"]) == {"frontend", "e2e"}
    assert contract["aligned"] >= 6
    assert {"backend", "frontend"} & set(evidence["coverage"]["coverage"]["tracks"])


def test_tracks_that_are_wrong_together_are_told_all_five_ways_and_the_run_ends_with_1(mismatch: Ended) -> None:
    ended = mismatch
    assert ended.code == 1
    assert {one["task_id"]: one["status"] for one in ended.final["run"]["tracks"]} == dict.fromkeys(
        ("directory-api", "directory-page", "directory-help"), "completed"
    )
    statuses = {one["check"]: one["status"] for one in ended.final["evidence"]}
    assert statuses == {"unit": "passed", "contract": "failed"}, "each is green alone, and their tests together"
    said = {
        "contracts/field": "display_name",
        "contracts/type": "member_since is string for the consumer and integer for the provider",
        "contracts/presence": "last_change may be null",
        "contracts/limit": "may reach 100, and the provider takes 40",
        "contracts/missing-endpoint": "DELETE /api/directory/:userId",
    }
    (code,) = [one for one in ended.final["findings"] if one["rule"] == "contracts/status-code"]
    assert (code["severity"], "handles 409" in code["message"]) == ("note", True), "a page may handle what never comes"
    blocking = {one["rule"]: one["message"] for one in ended.final["findings"] if one["severity"] == "blocking"}
    assert blocking.keys() == said.keys()
    for rule, words in said.items():
        assert words in blocking[rule]
        assert f"{rule}: " in ended.out, "the run itself says it"
    for one in ended.final["findings"]:
        if one["severity"] == "blocking":
            assert one["sources"][0]["document"] == "tracks/directory-page"


def test_a_conflict_a_failure_and_what_waits_for_it_make_a_partial_run_that_ends_with_3(example: Example) -> None:
    ended = example.run("conflict.yaml", "user-profile-conflict")
    assert ended.code == 3
    lines = {one["task_id"]: one for one in ended.final["run"]["tracks"]}
    assert {name: one["status"] for name, one in lines.items()} == {
        "greeting-formal": "completed", "greeting-casual": "completed", "translation": "failed", "letter": "blocked",
    }  # fmt: skip
    assert "cannot translate" in lines["translation"]["reason"]
    assert ended.final["run"]["left_out"] == ["greeting-casual"]
    assert ended.final["run"]["status"] == "partial"
    concerns = ended.final["integration_concerns"]
    assert any({"greeting-formal", "greeting-casual"} <= set(one.get("tracks") or ()) for one in concerns)
    assert any("static/index.html" in (one.get("files") or ()) for one in concerns)
    for said in ("required track translation failed", "required track letter blocked", "greeting-casual conflicts"):
        assert said in ended.out
    assert [one["status"] for one in ended.final["evidence"]] == ["passed"], "what could be integrated was checked"


def test_the_five_can_be_waived_one_by_one_by_a_person_and_the_next_run_honours_it(
    example: Example, mismatch: Ended
) -> None:
    assert mismatch.code == 1
    opened = json.loads(example.plait("edit", "user-profile-mismatch", "list", "--json").stdout)["open"]
    names = [one["name"] for one in opened if one["kind"] == "finding" and one["status"] == "blocking"] + ["contract"]
    assert len(names) == 6
    for name in names:
        done = example.plait(
            "edit", "user-profile-mismatch", "waive", name, "--by", "Kim", "--why", "the page is rewritten"
        )
        assert done.returncode == 0, done.stderr
    ended = example.run("mismatch.yaml", "user-profile-mismatch")
    assert ended.code == 0, ended.out
    assert sum(bool(one.get("waived")) for one in ended.final["findings"]) == 5
    assert {one["reused"] for one in ended.final["run"]["tracks"]} == {True}
