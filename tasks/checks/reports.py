"""What a check's report files say: JUnit XML and coverage.py's JSON."""

from __future__ import annotations

import math
import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Self

import orjson
from junitparser import JUnitXml, TestCase, TestSuite
from junitparser.junitparser import JUnitXmlError

from contexts.model.base import JsonObject

MAX_REPORT_BYTES = 50_000_000
_SHOWN_FAILURES = 20
_DECLARATION = re.compile(r"\A\s{0,100}<\?xml[^>]{0,200}\?>")
"""Says how the bytes were encoded; text that was decoded already has none."""


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
    try:
        text = raw.decode("utf-8-sig")  # in another encoding a document type could hide
    except UnicodeDecodeError as error:
        raise ReportError(f"the JUnit report is not UTF-8: {error}") from error
    if "\0" in text:  # expat would take it for UTF-16
        raise ReportError("the JUnit report is not UTF-8: it holds NUL")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ReportError("the JUnit report has a document type declaration, which is refused")
    try:
        cases = list(_cases(JUnitXml.fromstring(_DECLARATION.sub("", text))))
        seconds = [float(case.time or 0) for case in cases]
    except RecursionError as error:
        raise ReportError("the JUnit report is nested too deep") from error
    except (JUnitXmlError, SyntaxError, ValueError, TypeError) as error:
        raise ReportError(f"the JUnit report cannot be read: {error}") from error
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
        "seconds": round(sum(one for one in seconds if math.isfinite(one)), 3),
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
        for one in report["files"].values():
            _Counts.of(one["summary"])
        return {
            **_figures(_Counts.of(report["totals"])),
            "percent": _percent(report["totals"]),
            "files": {
                name: {"percent": _percent(one["summary"]), "lines": one["summary"]["num_statements"]}
                for name, one in report["files"].items()
            },
        }
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ReportError(f"the coverage report is not coverage.py's JSON: {error}") from error


def _percent(summary: JsonObject) -> float:
    value = summary["percent_covered"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ValueError(f"percent_covered is {value!r}")
    return value


def track_coverage(raw: bytes, changed_by: Mapping[str, Sequence[str]], tree: Path) -> JsonObject:
    """Return the coverage of the files each track changed, where any of them was measured.

    ``unmeasured`` names code of a track that lies among measured files and is in no report: nothing ever loaded it.

    Args:
        raw: A coverage.py JSON report that `parse_coverage` read.
        changed_by: Changed files by task_id, relative to the tree.
        tree: Where the report's relative names start; absolute ones below it are made relative.
    """
    measured: dict[str, _Counts] = {}
    for name, one in orjson.loads(raw)["files"].items():
        path = Path(os.path.normpath(tree / name.replace("\0", "?")))
        measured[path.relative_to(tree).as_posix() if path.is_relative_to(tree) else name] = _Counts.of(one["summary"])
    tracks: JsonObject = {}
    for task_id, files in changed_by.items():
        own = [measured[path] for path in files if path in measured]
        total = _Counts(*(sum(column) for column in zip(*(astuple(one) for one in own), strict=True))) if own else None
        if total is None or not total.lines:
            continue
        whole = total.lines + total.branches
        unmeasured = [path for path in files if path not in measured and _lies_among(path, measured)]
        tracks[task_id] = {
            **_figures(total),
            "percent": 100 * (total.covered_lines + total.covered_branches) / whole,
            "files": len(own),
            **({"unmeasured": unmeasured} if unmeasured else {}),
        }
    return tracks


def _lies_among(path: str, measured: Mapping[str, Any]) -> bool:
    """Say whether a file is code of the same kind, in the same folder, as files that were measured."""
    folder, _, ending = posixpath.dirname(path), *posixpath.splitext(path)
    return any(posixpath.dirname(one) == folder and one.endswith(ending or "\0") for one in measured)


@dataclass(frozen=True, slots=True)
class _Counts:
    lines: int
    covered_lines: int
    branches: int
    covered_branches: int

    @classmethod
    def of(cls, summary: JsonObject) -> Self:
        counts = cls(
            summary["num_statements"],
            summary["covered_lines"],
            summary.get("num_branches", 0),
            summary.get("covered_branches", 0),
        )
        whole = all(isinstance(one, int) and not isinstance(one, bool) for one in astuple(counts))
        if not whole or not 0 <= counts.covered_lines <= counts.lines < 2**53:
            raise ValueError("its counts of lines are not counts")
        if not 0 <= counts.covered_branches <= counts.branches < 2**53:
            raise ValueError("its counts of branches are not counts")
        return counts


def _figures(counts: _Counts) -> JsonObject:
    figures: JsonObject = {"lines": {"covered": counts.covered_lines, "total": counts.lines}}
    if counts.lines:
        figures["line_percent"] = 100 * counts.covered_lines / counts.lines
    if counts.branches:
        figures["branches"] = {"covered": counts.covered_branches, "total": counts.branches}
        figures["branch_percent"] = 100 * counts.covered_branches / counts.branches
    return figures
