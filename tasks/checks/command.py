"""Checks that are one command: any command, tests, coverage."""

from __future__ import annotations

from contexts.documents.base import JsonObject
from contexts.json.values import section
from contexts.spec.checks import CommandCheck, CoverageCheck, TestsCheck
from tasks.checks.bench import Bench, Step
from tasks.checks.reports import ReportError, parse_coverage, parse_junit, read_report, track_coverage
from tasks.checks.results import CheckResult, Status


def run_command(check: CommandCheck | TestsCheck | CoverageCheck, bench: Bench) -> CheckResult:
    """Run the check's command in the tree and judge it by exit code and reports."""
    step = bench.run(check.id, bench.resolve(check.argv))
    if not step.finished:
        return CheckResult("unverified", bench.why_unfinished(step))
    result: JsonObject = {}
    raw: dict[str, tuple[bytes, str]] = {}
    unreadable = ""
    for kind, name, parse, media in (
        ("tests", check.reports.junit, parse_junit, "text/xml"),
        ("coverage", check.reports.coverage, parse_coverage, "application/json"),
    ):
        if name is None:
            continue
        try:
            content = read_report(bench.reports / name)
            raw[kind] = content, media
            result[kind] = parse(content)
        except ReportError as error:
            unreadable = str(error)
    if "coverage" in raw and "coverage" in result:
        result["coverage"]["tracks"] = track_coverage(raw["coverage"][0], bench.changed_by, bench.tree)
    status, reason = _judge(check, step, result, unreadable)
    if status == "passed" and isinstance(check, CoverageCheck):
        status, reason = _judge_coverage(check, section(result, "coverage"))
    return CheckResult(status, reason, result, raw)


def _judge(
    check: CommandCheck | TestsCheck | CoverageCheck, step: Step, result: JsonObject, unreadable: str
) -> tuple[Status, str]:
    tests: JsonObject | None = result.get("tests")
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


def _judge_tests(step: Step, tests: JsonObject) -> tuple[Status, str]:
    """Judge a report whose command ended with 0; what it says against itself is never a pass."""
    if tests["failed"] + tests["errors"]:
        return "failed", _why_failed(step, tests)
    if "contradiction" in tests:
        return "failed", f"it ended with 0, but {tests['contradiction']}"
    if not tests["tests"]:
        return "unverified", "it ended with 0, but ran no test"
    if tests["skipped"] == tests["tests"]:
        return "unverified", f"all {tests['tests']} tests were skipped"
    return "passed", ""


def _why_failed(step: Step, tests: JsonObject | None) -> str:
    outcome = step.outcome
    how = f"exit code {outcome.exit_code}" if outcome.exit_code is not None else f"signal {outcome.signal}"
    if tests and tests["failed"] + tests["errors"]:
        return f"{tests['failed'] + tests['errors']} of {tests['tests']} tests failed ({how})"
    return f"the command ended with {how}"


def _judge_coverage(check: CoverageCheck, coverage: JsonObject) -> tuple[Status, str]:
    """Compare with the minimums; what was not measured is unverified."""
    low: list[str] = []
    unknown: list[str] = []
    for kind, least, advice in (
        ("line", check.min_line, "the report has no statements"),
        ("branch", check.min_branch, "measure branches too (branch = true, or --branch)"),
    ):
        measured = coverage.get(f"{kind}_percent")
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
