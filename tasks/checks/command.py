"""Checks that are one command: any command, tests, coverage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from contexts.documents.figures import CheckFigures, Coverage, TestCounts
from contexts.spec.checks import CommandCheck, CoverageCheck, TestsCheck
from tasks.checks.bench import Bench, Step
from tasks.checks.reports import ReportError, parse_coverage, parse_junit, read_report, track_coverage
from tasks.checks.results import CheckResult, Status

_Figures = TypeVar("_Figures")


class _Reports:
    """A check's report files as they are read: the raw ones by kind, and why one could not be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.raw: dict[str, tuple[bytes, str]] = {}
        self.unreadable = ""

    def read(self, kind: str, name: str | None, media: str, parse: Callable[[bytes], _Figures]) -> _Figures | None:
        """Return what a report says; None where there is none to be read."""
        if name is None:
            return None
        try:
            content = read_report(self._folder / name)
            self.raw[kind] = content, media
            return parse(content)
        except ReportError as error:
            self.unreadable = str(error)
            return None


def run_command(check: CommandCheck | TestsCheck | CoverageCheck, bench: Bench) -> CheckResult:
    """Run the check's command in the tree and judge it by exit code and reports."""
    step = bench.run(check.id, bench.resolve(check.argv))
    if not step.finished:
        return CheckResult("unverified", bench.why_unfinished(step))
    reports = _Reports(bench.reports)
    tests = reports.read("tests", check.reports.junit, "text/xml", parse_junit)
    coverage = reports.read("coverage", check.reports.coverage, "application/json", parse_coverage)
    if coverage:
        tracks = track_coverage(reports.raw["coverage"][0], bench.changed_by, bench.tree)
        coverage = coverage.changed(tracks=tracks)
    status, reason = _judge(check, step, tests, reports.unreadable)
    if status == "passed" and isinstance(check, CoverageCheck):
        status, reason = _judge_coverage(check, coverage or Coverage())
    return CheckResult(status, reason, CheckFigures(tests=tests, coverage=coverage).compact(), reports.raw)


def _judge(
    check: CommandCheck | TestsCheck | CoverageCheck, step: Step, tests: TestCounts | None, unreadable: str
) -> tuple[Status, str]:
    if step.outcome.exit_code != 0:
        return "failed", _why_failed(step, tests)
    if unreadable:
        return "unverified", f"it ended with 0, but {unreadable}"
    if tests is not None:
        return _judge_tests(step, tests)
    if isinstance(check, TestsCheck) and not step.text.strip():
        # A test runner says what it ran. A process that tests end from within, with 0, says nothing.
        return "unverified", "it ended with 0, but printed nothing and left no report: nothing shows that a test ran"
    return "passed", ""


def _judge_tests(step: Step, tests: TestCounts) -> tuple[Status, str]:
    """Judge a report whose command ended with 0; what it says against itself is never a pass."""
    if tests.failed + tests.errors:
        return "failed", _why_failed(step, tests)
    if tests.contradiction:
        return "failed", f"it ended with 0, but {tests.contradiction}"
    if not tests.tests:
        return "unverified", "it ended with 0, but ran no test"
    if tests.skipped == tests.tests:
        return "unverified", f"all {tests.tests} tests were skipped"
    return "passed", ""


def _why_failed(step: Step, tests: TestCounts | None) -> str:
    outcome = step.outcome
    how = f"exit code {outcome.exit_code}" if outcome.exit_code is not None else f"signal {outcome.signal}"
    if tests and tests.failed + tests.errors:
        return f"{tests.failed + tests.errors} of {tests.tests} tests failed ({how})"
    return f"the command ended with {how}"


def _judge_coverage(check: CoverageCheck, coverage: Coverage) -> tuple[Status, str]:
    """Compare with the minimums; what was not measured is unverified."""
    low: list[str] = []
    unknown: list[str] = []
    for kind, measured, least, advice in (
        ("line", coverage.line_percent, check.min_line, "the report has no statements"),
        (
            "branch",
            coverage.branch_percent,
            check.min_branch,
            "measure branches too (branch = true, or --branch)",
        ),
    ):
        if least is None:
            continue
        if measured is None:
            unknown.append(f"{kind} coverage was not measured: {advice}")
        elif measured < least:
            low.append(f"{kind} coverage is {measured:.2f} %, at least {least:g} % is wanted")
    if low:
        return "failed", "; ".join([*low, *unknown])
    if unknown:
        return "unverified", "; ".join(unknown)
    return "passed", ""
