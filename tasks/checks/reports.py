"""What a check's report files say: JUnit XML (see `tasks.checks.junit`) and coverage.py's JSON."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contexts.documents.figures import Coverage, Covered, FileCoverage, TrackShare
from contexts.spec.checks import Percent
from tasks.checks.junit import parse_junit
from tasks.checks.report_file import MAX_REPORT_BYTES, ReportError, problem_of, read_report

__all__ = ["MAX_REPORT_BYTES", "ReportError", "parse_coverage", "parse_junit", "read_report", "track_coverage"]


class _Summary(BaseModel):
    """Counts of coverage.py, of one file or of all."""

    model_config = ConfigDict(strict=True)

    num_statements: int = Field(lt=2**53)
    covered_lines: int = Field(ge=0)
    num_branches: int = Field(default=0, lt=2**53)
    covered_branches: int = Field(default=0, ge=0)
    percent_covered: Percent

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.covered_lines > self.num_statements:
            raise ValueError("its counts of lines are not counts")
        if self.covered_branches > self.num_branches:
            raise ValueError("its counts of branches are not counts")
        return self


class _File(BaseModel):
    summary: _Summary


class _Report(BaseModel):
    """The JSON report of coverage.py; its files are read one after another, as a report may have very many wrong."""

    files: dict[str, Any]
    totals: _Summary

    @model_validator(mode="after")
    def _each(self) -> Self:
        self.files.update({name: _File.model_validate(one) for name, one in self.files.items()})
        return self


def parse_coverage(raw: bytes) -> Coverage:
    """Return line and branch coverage in percent, and per file, of a coverage.py JSON report.

    Raises:
        ReportError: Not such a report.
    """
    try:
        report = _Report.model_validate_json(raw)
    except ValidationError as error:
        raise ReportError(f"the coverage report is not coverage.py's JSON: {problem_of(error)}") from error
    total = _Counts.of([report.totals])
    return Coverage(
        percent=report.totals.percent_covered,
        line_percent=total.line_percent,
        branch_percent=total.branch_percent,
        lines=total.lines,
        branches=total.branches,
        files={
            name: FileCoverage(percent=one.summary.percent_covered, lines=one.summary.num_statements)
            for name, one in report.files.items()
        },
    ).compact()


def track_coverage(raw: bytes, changed_by: Mapping[str, Sequence[str]], tree: Path) -> dict[str, TrackShare]:
    """Return the coverage of the files each track changed, where any of them was measured.

    ``unmeasured`` names code of a track that lies among measured files and is in no report: nothing ever loaded it.

    Args:
        raw: A coverage.py JSON report that `parse_coverage` read.
        changed_by: Changed files by task_id, relative to the tree.
        tree: Where the report's relative names start; absolute ones below it are made relative.
    """
    measured: dict[str, _Summary] = {}
    for name, one in _Report.model_validate_json(raw).files.items():
        path = Path(os.path.normpath(tree / name.replace("\0", "?")))
        measured[path.relative_to(tree).as_posix() if path.is_relative_to(tree) else name] = one.summary
    tracks: dict[str, TrackShare] = {}
    for task_id, files in changed_by.items():
        own = [measured[path] for path in files if path in measured]
        total = _Counts.of(own)
        if not total.lines.total:
            continue
        unmeasured = [path for path in files if path not in measured and _lies_among(path, measured)]
        tracks[task_id] = TrackShare(
            percent=total.percent,
            line_percent=total.line_percent,
            branch_percent=total.branch_percent,
            lines=total.lines,
            branches=total.branches,
            measured=len(own),
            unmeasured=tuple(unmeasured) or None,
        ).compact()
    return tracks


def _lies_among(path: str, measured: Iterable[str]) -> bool:
    """Say whether a file is code of the same kind, in the same folder, as files that were measured."""
    folder, _, ending = posixpath.dirname(path), *posixpath.splitext(path)
    return any(posixpath.dirname(one) == folder and one.endswith(ending or "\0") for one in measured)


@dataclass(frozen=True, slots=True)
class _Counts:
    """What several summaries say together; no branches where none is there."""

    lines: Covered
    branches: Covered | None

    @classmethod
    def of(cls, summaries: Sequence[_Summary]) -> Self:
        branches = sum(one.num_branches for one in summaries)
        return cls(
            Covered(
                covered=sum(one.covered_lines for one in summaries), total=sum(one.num_statements for one in summaries)
            ),
            Covered(covered=sum(one.covered_branches for one in summaries), total=branches) if branches else None,
        )

    @property
    def line_percent(self) -> float | None:
        return 100 * self.lines.covered / self.lines.total if self.lines.total else None

    @property
    def branch_percent(self) -> float | None:
        return 100 * self.branches.covered / self.branches.total if self.branches else None

    @property
    def percent(self) -> float:
        """Lines and branches together."""
        both = [self.lines, *([self.branches] if self.branches else [])]
        return 100 * sum(one.covered for one in both) / sum(one.total for one in both)
