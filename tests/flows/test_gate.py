"""Staging, the gate and production, run in this process on a real Prefect server."""

from pathlib import Path
from typing import Any

import pytest

from contexts.amend import amend
from contexts.decisions import answer_gate, settle, waive
from contexts.local import LocalObjects
from contexts.model.request import RunRequest
from contexts.store import ContextStore
from flows.launch import RunReport, launch
from tests.flows.specs import LEAVE, write_spec

pytestmark = pytest.mark.usefixtures("prefect_api", "workspaces")


class Place:
    """A spec with a deployment whose commands leave a line in a file, and what came of it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.store = ContextStore(LocalObjects(folder / "store"))
        self.spec = self.write(**changes)

    def write(self, program: str = LEAVE, **changes: Any) -> str:
        smoke = "import os; assert os.environ['PLAIT_STAGING_URL'] == 'http://127.0.0.1:1'"
        deployment = {
            "checks": [{"id": "smoke", "argv": ["{python}", "-c", smoke]}],
            "staging": {"argv": self.note("staging"), "url": "http://127.0.0.1:1", "checks": ["smoke"]},
            "production": {
                "argv": self.note("production"),
                "gate": "go",
                "prerequisites": [
                    {"id": "smoked", "text": "smoke on staging", "check": "smoke"},
                    {"id": "told", "text": "users were told", "manual": True},
                ],
            },
        }
        more = {
            "verification": {"checks": [{"id": "unit", "argv": ["true"]}]},
            "deployment": {**deployment, **changes.pop("deployment", {})},
            **changes,
        }
        return write_spec(self.folder, "shop", {"api": program, "page": LEAVE}, **more)

    def note(self, name: str, then: str = "true") -> list[str]:
        return ["sh", "-c", f"echo {name} >> {self.folder / name}; {then}"]

    def times(self, name: str) -> int:
        file = self.folder / name
        return len(file.read_text().splitlines()) if file.exists() else 0

    def run(self) -> RunReport:
        return launch(RunRequest(spec=self.spec, store=str(self.folder / "store")))

    def newest(self) -> dict[str, Any]:
        return self.store.require("shop")[1]

    def answer(self, answer: Any, *ticked: str) -> None:
        amend(
            self.store,
            "shop",
            lambda document, at: answer_gate(
                document, "go", answer=answer, by="Ann", note="looked", at=at, ticked=ticked
            ),
        )


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_run_waits_at_the_gate_and_the_next_one_deploys_what_was_approved_once(place):
    first = place.run()
    assert (first.status, first.exit_code) == ("waiting-for-approval", 5)
    assert "plait approve shop go" in first.reasons[0]
    assert (place.times("staging"), place.times("production")) == (1, 0)
    assert place.newest()["phase"] == "integration-verified-ready-for-deployment"
    place.answer("approve", "told")
    second = place.run()
    assert (second.status, second.exit_code) == ("deployed", 0)
    assert all(track.reused for track in second.tracks)
    assert (place.run().status, place.times("staging"), place.times("production")) == ("deployed", 1, 1)
    readiness = place.newest()["deployment_readiness"]
    assert readiness["staging"]["validation"] == "1 of 1 checks passed on staging: smoke"
    assert readiness["production"]["status"] == "deployed"
    assert readiness["production"]["approval"]["by"] == "Ann"
    assert [(one["status"], one.get("by")) for one in readiness["production"]["prerequisites"]] == [
        ("met", None), ("met", "Ann"),
    ]  # fmt: skip
    log = readiness["production"]["evidence"]
    assert (log["exit_code"], log["log"]["media_type"]) == (0, "text/plain")


@pytest.mark.deploy
def test_other_work_is_staged_again_and_needs_another_approval(place):
    place.run()
    place.answer("approve", "told")
    place.spec = place.write(LEAVE + "; open('page.txt', 'w').write('new')")
    report = place.run()
    assert (report.status, report.exit_code) == ("waiting-for-approval", 5)
    assert (place.times("staging"), place.times("production")) == (2, 0)


def test_a_rejected_gate_ends_the_run_with_the_reason(place):
    place.run()
    place.answer("reject")
    report = place.run()
    assert (report.status, report.exit_code) == ("rejected", 1)
    assert report.reasons == ("gate go rejected by Ann: looked",)
    assert place.times("production") == 0


@pytest.mark.deploy
def test_staging_that_fails_keeps_the_gate_closed(tmp_path):
    place = Place(tmp_path)
    place.spec = place.write(deployment={"staging": {"argv": place.note("staging", "exit 3"), "checks": ["smoke"]}})
    report = place.run()
    assert (report.status, report.exit_code) == ("staging-failed", 1)
    assert "exit code 3" in report.reasons[0]
    assert place.run().status == "staging-failed"
    assert place.times("staging") == 2, "what failed is tried again"


def test_work_that_is_not_verified_is_deployed_nowhere(tmp_path):
    place = Place(tmp_path, verification={"checks": [{"id": "unit", "argv": ["false"]}]})
    place.spec = place.write(verification={"checks": [{"id": "unit", "argv": ["false"]}]})
    report = place.run()
    assert (report.status, report.exit_code) == ("verification-failed", 1)
    assert place.times("staging") == 0
    assert "deployment_readiness" not in place.newest()


@pytest.mark.deploy
def test_a_failed_production_command_is_not_run_again_without_consent(tmp_path):
    place = Place(tmp_path)
    production = {"argv": place.note("production", "exit 4"), "gate": "go"}
    place.spec = place.write(deployment={"production": production})
    place.run()
    place.answer("approve")
    assert place.run().status == "deployment-failed"
    report = place.run()
    assert (report.status, report.exit_code, place.times("production")) == ("deployment-failed", 1, 1)
    place.answer("rerun")
    assert (place.run().status, place.times("production")) == ("deployment-failed", 2)
    place.answer("done")
    assert (place.run().status, place.times("production")) == ("deployed", 2)


def test_the_next_run_honours_a_waiver_and_a_settlement(tmp_path):
    checks = {"checks": [{"id": "unit", "argv": ["false"]}]}
    criteria = {"all": [{"id": "works", "text": "it works", "check": "unit"}]}
    decision = (
        "import json, os; json.dump({'decisions': [{'topic': 'cache', 'choice': os.environ['PLAIT_CONTEXT'][-30:]}]},"
        " open(os.environ['PLAIT_CONTEXT'], 'w'))"
    )
    both = {"api": decision.replace("os.environ['PLAIT_CONTEXT'][-30:]", "'redis'"), "page": decision}
    spec = write_spec(tmp_path, "shop", both, verification=checks, success_criteria=criteria)
    store = ContextStore(LocalObjects(tmp_path / "store"))
    request = RunRequest(spec=spec, store=str(tmp_path / "store"))
    assert launch(request).status == "verification-failed"
    made = {"by": "Ann", "why": "known"}
    for target in ("works", "unit"):
        amend(store, "shop", lambda document, at, target=target: waive(document, target, at=at, **made))
    (concern,) = store.require("shop")[1]["integration_concerns"]
    amend(store, "shop", lambda document, at: settle(document, "1", choice="redis", at=at, **made))
    report = launch(request)
    assert (report.status, report.exit_code) == ("verified", 0)
    final = store.require("shop")[1]
    assert [one["status"] for one in final["criteria"]] == ["waived"]
    assert final["integration_concerns"][0]["status"] == "settled"
    assert final["integration_concerns"][0]["concern"] == concern["concern"]
    assert final["integration_concerns"][0]["settlement"]["choice"] == "redis"
    assert launch(request).status == "verified", "a decision outlives the run after it"
