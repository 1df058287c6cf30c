"""Reports that real runners wrote, in every state they have (made by benchmarks/runner_reports.py): none is misread."""

import json
from pathlib import Path

import pytest

from tests.tasks.checks.conftest import RunCheck

RECORDED = Path(__file__).parent / "recorded"
MAY_BE = {
    "none": {"failed", "unverified"},
    "passed": {"passed"},
    "failed": {"failed"},
    "broken": {"failed"},
    "skipped": {"unverified"},
    "flaky": {"passed"},
}
RUNNERS = sorted(folder.name for folder in RECORDED.iterdir())
TELL_FLAKY = {"gotestsum", "maven", "pytest"}


def test_at_least_twelve_runners_are_recorded() -> None:
    assert len(RUNNERS) >= 12


@pytest.mark.parametrize("runner", RUNNERS)
def test_what_a_runner_wrote_is_read_as_what_it_was(run_check: RunCheck, runner: str) -> None:
    for state in sorted((RECORDED / runner).iterdir()):
        known = json.loads((state / "outcome.json").read_text(encoding="utf-8"))
        copy = f'rm -f "$PLAIT_REPORTS"/* && cp "$1"/* "$PLAIT_REPORTS" && exit {known["exit_code"]}'
        judged = run_check(kind="tests", argv=("sh", "-c", copy, "sh", str(state)), reports={"junit": "*.xml"}).judged
        assert judged.status in MAY_BE[state.name], (state.name, judged)
        counts = judged.result.tests.to_json() if judged.result.tests else {}
        assert (judged.status, {key: counts[key] for key in known["counts"]}) == (known["status"], known["counts"])
        if state.name == "flaky":
            assert counts["flaky"] == (runner in TELL_FLAKY)
