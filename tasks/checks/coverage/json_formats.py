"""Coverage as JSON: that of coverage.py, and istanbul's ``coverage-final.json`` and ``coverage-summary.json``."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contexts.documents.figures import Covered
from contexts.spec.checks import Percent
from tasks.checks.coverage.measured import FileCounts, Measured
from tasks.checks.report_file import ReportError, problem_of

_Count = Annotated[int, Field(ge=0, lt=2**53)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True)


class _Summary(_Strict):
    """Counts of coverage.py, of one file or of all."""

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

    def counts(self) -> FileCounts:
        """Return the same as counts of any tool."""
        lines = Covered(covered=self.covered_lines, total=self.num_statements)
        branches = Covered(covered=self.covered_branches, total=self.num_branches) if self.num_branches else None
        return FileCounts(lines, branches)


class _File(_Strict):
    summary: _Summary


class _Meta(BaseModel):
    timestamp: Any = None


class _CoveragePy(BaseModel):
    """The JSON report of coverage.py; its files are read one after another, as a report may have very many wrong."""

    meta: _Meta = Field(default_factory=_Meta)
    files: dict[str, Any]
    totals: _Summary

    @model_validator(mode="after")
    def _each(self) -> Self:
        self.files.update({name: _File.model_validate(one) for name, one in self.files.items()})
        return self


class _Place(BaseModel):
    line: int | None = None


class _Span(BaseModel):
    start: _Place


class _Branch(BaseModel):
    loc: _Span | None = None
    line: int | None = None


class _Istanbul(BaseModel):
    """One file of ``coverage-final.json``."""

    path: str
    statementMap: dict[str, _Span]  # noqa: N815 - as the report writes it
    s: dict[str, _Count]
    branchMap: dict[str, _Branch] = {}  # noqa: N815
    b: dict[str, list[_Count]] = {}


class _Part(_Strict):
    total: _Count
    covered: _Count

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.covered > self.total:
            raise ValueError("more is covered than there is")
        return self


class _Parts(BaseModel):
    """One file of ``coverage-summary.json``."""

    lines: _Part
    branches: _Part

    def counts(self) -> FileCounts:
        """Return the same as counts of any tool."""
        branches = Covered(**self.branches.model_dump()) if self.branches.total else None
        return FileCounts(Covered(**self.lines.model_dump()), branches)


def read_json(value: dict[str, Any]) -> Measured:
    """Return what a JSON report says.

    Raises:
        ReportError: It is none that is known, or not as its format wants it.
    """
    try:
        if "totals" in value and "files" in value:
            return _coverage_py(_CoveragePy.model_validate(value))
        first = next(iter(value.values()), None)
        if isinstance(first, dict) and "statementMap" in first and "s" in first:
            return Measured({one.path: _lines(one) for one in map(_Istanbul.model_validate, value.values())})
        if isinstance(first, dict) and "lines" in first and "branches" in first:
            files = {name: _Parts.model_validate(one).counts() for name, one in value.items()}
            return Measured(files, total=files.pop("total", None))
    except ValidationError as error:
        raise ReportError(f"the coverage report is not as its format wants it: {problem_of(error)}") from error
    raise ReportError(
        "the coverage report is JSON of none of the known forms: coverage.py's, istanbul's coverage-final.json or "
        "coverage-summary.json"
    )


def _coverage_py(report: _CoveragePy) -> Measured:
    time = report.meta.timestamp
    return Measured(
        {name: one.summary.counts() for name, one in report.files.items()},
        total=report.totals.counts(),
        percent=float(report.totals.percent_covered),
        file_percent={name: float(one.summary.percent_covered) for name, one in report.files.items()},
        local=time if isinstance(time, str) else None,
    )


def _lines(one: _Istanbul) -> FileCounts:
    """Count lines as istanbul does: one that begins a statement was run as often as that of its most run statement."""
    lines: dict[int, bool] = {}
    for key, span in one.statementMap.items():
        if span.start.line is not None:
            lines[span.start.line] = lines.get(span.start.line, False) or one.s.get(key, 0) > 0
    branches: dict[int, tuple[int, int]] = {}
    for key, counts in one.b.items():
        branch = one.branchMap.get(key)
        line = (branch.loc.start.line if branch.loc else branch.line) if branch else None
        before = branches.get(line or 0, (0, 0))
        branches[line or 0] = (before[0] + sum(count > 0 for count in counts), before[1] + len(counts))
    return FileCounts.of_lines(lines, branches, measured=bool(branches))
