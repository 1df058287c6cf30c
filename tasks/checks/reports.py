"""What a check's report files say: JUnit XML and coverage.py's JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from junitparser import JUnitXml, TestCase, TestSuite
from junitparser.junitparser import JUnitXmlError

from contexts.model.base import JsonObject

MAX_REPORT_BYTES = 50_000_000
_SHOWN_FAILURES = 20


class ReportError(Exception):
    """A report that is missing or cannot be read; the text says why."""


def read_report(path: Path) -> bytes:
    """Return a report's bytes.

    Raises:
        ReportError: Missing, no plain file, or larger than 50 MB.
    """
    if path.is_symlink() or not path.is_file():
        raise ReportError(f"the check left no report {path.name}")
    if path.stat().st_size > MAX_REPORT_BYTES:
        raise ReportError(f"report {path.name} is larger than {MAX_REPORT_BYTES // 1_000_000} MB")
    return path.read_bytes()


def parse_junit(raw: bytes) -> JsonObject:
    """Return counts of a JUnit XML report: tests, passed, failed, errors, skipped, seconds, and the first failures.

    Counts are of the test cases themselves, not of what the suite's attributes claim.

    Raises:
        ReportError: Not JUnit XML, or with a document type (which could expand without bound).
    """
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise ReportError("the JUnit report has a document type declaration, which is refused")
    try:
        report = JUnitXml.fromstring(raw)
    except (JUnitXmlError, SyntaxError, ValueError) as error:
        raise ReportError(f"the JUnit report cannot be read: {error}") from error
    cases = list(_cases(report))
    bad = {"failed": 0, "errors": 0, "skipped": 0}
    failures: list[JsonObject] = []
    for case in cases:
        kinds = {type(one).__name__ for one in case.result}
        outcome = "errors" if "Error" in kinds else "failed" if "Failure" in kinds else "skipped" if kinds else None
        if outcome:
            bad[outcome] += 1
        if outcome in {"errors", "failed"} and len(failures) < _SHOWN_FAILURES:
            message = next((str(one.message or one.text or "") for one in case.result), "")
            failures.append({"test": f"{case.classname or ''}::{case.name or ''}", "message": message[:500]})
    tests = len(cases)
    return {
        "tests": tests,
        "passed": tests - sum(bad.values()),
        **bad,
        "seconds": round(sum(float(case.time or 0) for case in cases), 3),
        "failures": failures,
    }


def _cases(node: Any) -> Any:
    for one in node:
        if isinstance(one, TestCase):
            yield one
        elif isinstance(one, TestSuite):
            yield from _cases(one)


def parse_coverage(raw: bytes) -> JsonObject:
    """Return line and branch coverage in percent, and per file, of a coverage.py JSON report.

    Raises:
        ReportError: Not such a report.
    """
    try:
        report = orjson.loads(raw)
        totals = report["totals"]
        result: JsonObject = {
            "percent": totals["percent_covered"],
            "lines": {"covered": totals["covered_lines"], "total": totals["num_statements"]},
            "files": {
                name: {"percent": one["summary"]["percent_covered"], "lines": one["summary"]["num_statements"]}
                for name, one in report["files"].items()
            },
        }
        if totals["num_statements"]:
            result["line_percent"] = 100 * totals["covered_lines"] / totals["num_statements"]
        if totals.get("num_branches"):
            result["branches"] = {"covered": totals["covered_branches"], "total": totals["num_branches"]}
            result["branch_percent"] = 100 * totals["covered_branches"] / totals["num_branches"]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"the coverage report is not coverage.py's JSON: {error}") from error
    return result
