"""Coverage as coverage.py really reports it: lines, branches, and the files each track changed."""

import json
from pathlib import Path

import pytest

from contexts.documents.figures import Coverage, Covered, TrackShare
from tasks.checks.results import CheckRun
from tests.tasks.checks.conftest import RunCheck, write

MEASURE = """
import sys, coverage
measured = coverage.Coverage(data_file=None, branch=True, source=["src"])
measured.start()
sys.path.insert(0, "src")
import api, page
api.sign(1); page.show()
measured.stop()
measured.json_report(outfile=sys.argv[1] + "/coverage.json")
"""
FILES = {
    "measure.py": MEASURE,
    # 4 of 5 lines, 1 of 2 branches
    "src/api.py": "def sign(n):\n    if n > 0:\n        return 1\n    return -1\nLAST = 1\n",
    # all lines, no branch
    "src/page.py": "def show():\n    return 'page'\n",
}
TRACKS = {"api": ("src/api.py",), "page": ("src/page.py", "README.md"), "docs": ("README.md",)}
ARGV = ("{python}", "measure.py", "{reports}")


def measure(run_check: RunCheck, tree: Path, **minimums: float) -> CheckRun:
    write(tree, FILES)
    return run_check(kind="coverage", argv=ARGV, changed_by=TRACKS, **minimums)


def coverage_of(ran: CheckRun) -> tuple[Coverage, dict[str, TrackShare]]:
    """Coverage of the whole, and by track."""
    found = ran.judged.result.coverage
    assert found is not None
    return found, dict(found.tracks or {})


def test_lines_and_branches_are_measured_for_the_whole_and_for_each_track(run_check: RunCheck, tree: Path) -> None:
    ran = measure(run_check, tree, min_line=80, min_branch=50)
    found, tracks = coverage_of(ran)
    assert ran.judged.status == "passed", ran.judged.reason
    assert (found.lines, found.branches) == (Covered(covered=6, total=7), Covered(covered=1, total=2))
    assert found.line_percent == pytest.approx(100 * 6 / 7)
    assert set(tracks) == {"api", "page"}, "nothing of docs is code"
    api, page = tracks["api"], tracks["page"]
    assert (api.line_percent, api.branch_percent, api.measured) == (80, 50, 1)
    assert api.percent == pytest.approx(100 * 5 / 7)
    assert page.line_percent == 100
    assert "branch_percent" not in page.to_json()
    assert json.loads(ran.judged.reports["coverage"][0])["totals"]["covered_lines"] == 6


@pytest.mark.parametrize(
    ("minimums", "reason"),
    [
        ({"min_line": 90}, "line coverage is 85.71 %, at least 90 % is wanted"),
        ({"min_line": 80, "min_branch": 50.5}, "branch coverage is 50.00 %, at least 50.5 % is wanted"),
    ],
)
def test_less_than_the_minimum_fails(run_check: RunCheck, tree: Path, minimums: dict[str, float], reason: str) -> None:
    judged = measure(run_check, tree, **minimums).judged
    assert (judged.status, judged.reason) == ("failed", reason)


def test_branches_nobody_measured_are_unverified(run_check: RunCheck, tree: Path) -> None:
    write(tree, {**FILES, "measure.py": MEASURE.replace("branch=True, ", "")})
    judged = run_check(kind="coverage", argv=ARGV, min_line=80, min_branch=1).judged
    assert judged.status == "unverified"
    assert "branch coverage was not measured" in judged.reason


def test_a_report_that_is_missing_is_unverified(run_check: RunCheck) -> None:
    judged = run_check(kind="coverage", argv=("true",), min_line=1).judged
    assert (judged.status, judged.reason) == (
        "unverified",
        "it ended with 0, but the check left no report coverage.json",
    )


def test_code_of_a_track_that_nothing_loaded_is_named(run_check: RunCheck, tree: Path) -> None:
    write(tree, {**FILES, "measure.py": MEASURE.replace(', source=["src"]', ', include=["src/*"]')})
    write(tree, {"src/forgotten.py": "A = 1\n"})
    ran = run_check(kind="coverage", argv=ARGV, changed_by={"api": ("src/api.py", "src/forgotten.py")})
    assert coverage_of(ran)[1]["api"].unmeasured == ("src/forgotten.py",)
