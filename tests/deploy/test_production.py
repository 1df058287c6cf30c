"""What is deployed again and what is not: other work, failed commands, runs that died in the middle of one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.gate import Place
from tests.flows.specs import LEAVE
from tests.servers import ROOT, Server

pytestmark = pytest.mark.usefixtures("prefect_api", "workspaces")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_other_work_is_staged_again_and_needs_another_approval(place):
    place.run()
    place.answer("approve", "told")
    place.spec = place.write(LEAVE + "; open('page.txt', 'w').write('new')")
    report = place.run()
    assert (report.status, report.exit_code) == ("waiting-for-approval", 5)
    assert (place.times("staging"), place.times("production")) == (2, 0)


def test_staging_that_fails_keeps_the_gate_closed(tmp_path):
    place = Place(tmp_path)
    place.spec = place.write(deployment={"staging": {"argv": place.note("staging", "exit 3"), "checks": ["smoke"]}})
    report = place.run()
    assert (report.status, report.exit_code) == ("staging-failed", 1)
    assert "exit code 3" in report.reasons[0]
    assert place.run().status == "staging-failed"
    assert place.times("staging") == 2, "what failed is tried again"


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


def killed_run(place: Place, server: Server, point: str) -> None:
    """Run in a process of its own that dies at a point."""
    code = (
        "from contexts.model.request import RunRequest; from flows.launch import launch; "
        f"launch(RunRequest(spec={place.spec!r}, store={str(place.folder / 'store')!r}))"
    )
    environment = server.environment | {"PLAIT_WORKSPACES": os.environ["PLAIT_WORKSPACES"], "PLAIT_KILL_AT": point}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize(("point", "times"), [("deploy.production-recorded", 0), ("deploy.production-ended", 1)])
def test_an_interrupted_production_deployment_is_unknown_and_waits_for_a_person(place, prefect_api, point, times):
    place.run()
    place.answer("approve", "told")
    killed_run(place, prefect_api, point)
    assert place.newest()["deployment_readiness"]["production"]["status"] == "deploying"
    report = place.run()
    assert (report.status, report.exit_code) == ("deployment-unknown", 5)
    assert place.times("production") == times
    place.answer("rerun")
    assert (place.run().status, place.times("production")) == ("deployed", times + 1)


def test_a_death_between_staging_and_its_record_stages_again(place, prefect_api):
    killed_run(place, prefect_api, "deploy.staging-ended")
    assert place.run().status == "waiting-for-approval"
    assert place.times("staging") == 2
