"""What is deployed again and what is not: other work, commands that failed."""

from pathlib import Path

import pytest

from tests.flows.gate import Place
from tests.flows.specs import LEAVE

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
