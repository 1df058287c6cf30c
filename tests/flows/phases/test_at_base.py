"""Checks on the base commit: on request before a run, and after it for those that failed."""

import json
from pathlib import Path

import pytest

from flows.cli import main
from tests.flows.checked import UNIT, Workflow
from tests.servers import Server

BROKEN = {"id": "lint", "argv": ["{python}", "-c", "raise SystemExit('no linter here')"]}


@pytest.fixture
def workflow(prefect_api: Server, workspaces: Path, tmp_path: Path) -> Workflow:
    del prefect_api, workspaces
    return Workflow(tmp_path)


def test_a_check_that_fails_at_the_base_too_is_said_to(workflow: Workflow) -> None:
    wrong = {"app.py": "def add(a, b):\n    return a - b\n"}
    workflow.run(workflow.spec("broken", {"api": dict(wrong)}, BROKEN, UNIT))
    lint, unit = workflow.final("broken")["evidence"]
    assert (lint["status"], lint["at_base"]["status"]) == ("failed", "failed")
    assert "it fails at the base too" in lint["reason"]
    assert (unit["status"], unit["at_base"]["status"]) == ("failed", "passed")
    assert "at the base" not in unit["reason"]
    workflow.run(workflow.spec("broken", {"api": dict(wrong)}, BROKEN, UNIT))
    again = workflow.final("broken")["evidence"]
    assert [one["at_base"] for one in again] == [lint["at_base"], unit["at_base"]]


def test_plan_runs_the_checks_at_the_base_on_request_and_keeps_nothing(
    workflow: Workflow, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    optional = {**BROKEN, "id": "optional", "required": False}
    spec = workflow.spec("planned", {"api": {}}, UNIT, optional)
    store = ["--store", str(tmp_path / "planned-store")]
    assert main(["plan", spec, *store, "--checks"]) == 0
    out = capfd.readouterr().out
    assert "passed      unit" in out
    assert "failed      optional" in out
    assert not list((tmp_path / "planned-store").rglob("*.json*"))
    assert not list((tmp_path / "workspaces").glob("planned*"))
    spec = workflow.spec("planned", {"api": {}}, UNIT, BROKEN)
    assert main(["plan", spec, *store, "--checks", "--json"]) == 1
    told = json.loads(capfd.readouterr().out)["checks"]
    assert [(one["check"], one["status"]) for one in told] == [("unit", "passed"), ("lint", "failed")]


def test_without_a_repository_there_is_no_base(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], workflow: Workflow
) -> None:
    path = Path(workflow.spec("alone", {"api": {}}, UNIT))
    spec = json.loads(path.read_text())
    del spec["repository"]
    path.write_text(json.dumps(spec))
    assert main(["plan", str(path), "--store", str(tmp_path / "s"), "--checks"]) == 2
    assert "no repository" in capfd.readouterr().err
