"""What a check's report files say: JUnit XML (see `tasks.checks.junit`) and coverage.py's JSON."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from contexts.documents.base import JsonObject
from tasks.checks.junit import parse_junit
from tasks.checks.report_file import MAX_REPORT_BYTES, ReportError, read_report

__all__ = ["MAX_REPORT_BYTES", "ReportError", "parse_coverage", "parse_junit", "read_report", "track_coverage"]


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
            "measured": len(own),
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
