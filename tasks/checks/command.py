"""Checks that are one command: any command, tests, coverage."""

from __future__ import annotations

import re

from contexts.documents.base import parse_instant
from contexts.documents.figures import CheckFigures, Coverage, TestCounts
from contexts.redaction import head_of
from contexts.spec.checks import CheckBase, CommandCheck, CoverageCheck, Reports, TestsCheck
from contexts.spec.runners import without_report
from contexts.text.plural import counted, first_of
from tasks.checks.bench import Bench, Step, from_environment
from tasks.checks.coverage.measured import Measured
from tasks.checks.coverage.read import coverage_of, placed, track_coverage
from tasks.checks.own_files import is_test
from tasks.checks.report_file import Shelf
from tasks.checks.report_times import zones_of
from tasks.checks.reports import Moment, Reader, Said
from tasks.checks.results import CheckResult, Status

_XPASSED = re.compile(r"^=* ?(?:\d+ [a-z]+, ){0,8}(\d{1,9}) xpassed(?:, \d+ [a-z]+){0,8} in [\d.]+s\b", re.MULTILINE)
"""Pytest's closing line: its JUnit report writes a test that passed unexpectedly as any that passed."""


def run_command(check: CommandCheck | TestsCheck | CoverageCheck, bench: Bench) -> CheckResult:
    """Run the check's command in the tree and judge it by exit code and reports."""
    step, said = run_and_read(check, bench, check.reports)
    if not step.finished:
        return CheckResult("unverified", bench.why_unfinished(step))
    if said.tests:
        said.tests = said.tests.changed(xpassed=_xpassed(step))
    coverage = None
    if said.coverage:
        said.coverage = placed(said.coverage, bench.tree)
        tracks = track_coverage(said.coverage, bench.changed_by)
        coverage = coverage_of(said.coverage).changed(tracks=tracks)
    status, reason = _judge(check, step, said)
    if status == "passed" and isinstance(check, CoverageCheck):
        status, reason = _judge_coverage(check, coverage or Coverage())
    figures = CheckFigures(tests=said.tests, coverage=coverage, sarif=said.sarif, metrics=said.metrics).compact()
    notes = (*said.notes, *_notes(said.tests, said.coverage))
    return CheckResult(status, reason, figures, said.raw, notes=notes, cases=said.cases)


def run_and_read(check: CheckBase, bench: Bench, named: Reports) -> tuple[Step, Said]:
    """Run a check's command in the bench's tree; return how it ended and what its reports say."""
    reader = Reader(Shelf(bench.reports, bench.tree), named)
    step = bench.run(check.id, bench.resolve(check.argv))
    if not step.finished:
        return step, Said()
    zone = check.env.get("TZ", "")
    zones = zones_of(from_environment(zone) if zone.startswith("env:") else zone)
    return step, reader.read(Moment(parse_instant(step.started_at), zones))


def _xpassed(step: Step) -> int:
    return sum(int(found) for found in _XPASSED.findall(step.text))


def _judge(check: CommandCheck | TestsCheck | CoverageCheck, step: Step, said: Said) -> tuple[Status, str]:
    if step.outcome.exit_code != 0:
        return "failed", _why_failed(step, said)
    if said.unreadable:
        return "unverified", f"it ended with 0, but {'; '.join(said.unreadable)}"
    if said.sarif and said.sarif.error:
        return "failed", _why_failed(step, said)
    if said.tests is not None:
        return _judge_tests(step, said.tests, said)
    if isinstance(check, TestsCheck):
        return "unverified", f"it ended with 0, but {without_report(check.argv)}"
    return "passed", ""


def _judge_tests(step: Step, tests: TestCounts, said: Said) -> tuple[Status, str]:
    """Judge a report whose command ended with 0; what it says against itself is never a pass."""
    if tests.failed + tests.errors:
        return "failed", _why_failed(step, said)
    if tests.contradiction:
        return "failed", f"it ended with 0, but {tests.contradiction}"
    if not tests.tests:
        return "unverified", "it ended with 0, but ran no test"
    if tests.skipped == tests.tests:
        return "unverified", f"all {tests.tests} tests were skipped"
    return "passed", ""


def _why_failed(step: Step, said: Said) -> str:
    outcome = step.outcome
    how = f"exit code {outcome.exit_code}" if outcome.exit_code is not None else f"signal {outcome.signal}"
    tests = said.tests
    if tests and tests.failed + tests.errors:
        named = first_of([head_of(one.test, 200) for one in tests.failures], 3)
        return f"{tests.failed + tests.errors} of {tests.tests} tests failed ({how})" + (f": {named}" if named else "")
    if said.sarif and said.sarif.error:
        first = said.sarif.findings[0]
        place = f"{first.path}:{first.line}" if first.line else first.path
        return f"{counted(said.sarif.error, 'error')} found, the first {first.rule} at {place} ({how})"
    return f"the command ended with {how}"


def _notes(tests: TestCounts | None, coverage: Measured | None) -> list[str]:
    """Return what a pass alone would not say."""
    notes: list[str] = []
    if tests and tests.skipped > tests.tests - tests.skipped > 0:
        notes.append(f"{tests.skipped} of {tests.tests} tests were skipped, more than ran")
    if tests and tests.flaky:
        notes.append(f"{counted(tests.flaky, 'test')} passed only at a later try")
    if tests and tests.xpassed:
        notes.append(
            f"{counted(tests.xpassed, 'test')} passed that {'was' if tests.xpassed == 1 else 'were'} expected to fail"
        )
    named = [name for name, one in coverage.files.items() if one.lines.total] if coverage else []
    if named and all(is_test(name) for name in named):
        notes.append("its coverage is of tests alone: no other file was measured")
    return notes


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
