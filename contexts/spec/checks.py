"""Checks of a spec: commands that give evidence, by kind."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from contexts.documents.base import Closed, Identifier, Number, RelativePath
from contexts.errors import BadIdentifier
from contexts.identifiers import check_relative_path
from contexts.json.schemas import why_no_schema
from contexts.json.values import is_object

Argv = Annotated[tuple[str, ...], Field(min_length=1)]
Percent = Annotated[Number, Field(ge=0, le=100)]
IN_TREE = "{tree}/"
"""What the name of a report begins with that is left in the tree the check runs in."""


def _report_name(value: str) -> str:
    try:
        check_relative_path(value.removeprefix(IN_TREE))
    except BadIdentifier as error:
        raise ValueError(error.message) from error
    return value


ReportName = Annotated[str, AfterValidator(_report_name)]
Milliseconds = Annotated[Number, Field(gt=0)]
Tool = Literal["bandit", "detect-secrets", "pip-audit"]


class Reports(Closed):
    """Report files a check leaves: each a file, a folder or a glob, and all its files together are one report.

    They are looked for in the check's report folder (``{reports}``); one that begins with ``{tree}/`` in the tree the
    check runs in. What stood there before the check ran is no report.

    Attributes:
        junit: JUnit XML.
        coverage: Coverage: the JSON of coverage.py, lcov, Cobertura XML, JaCoCo XML, or istanbul's
            ``coverage-final.json`` or ``coverage-summary.json``.
        sarif: What a linter or scanner found, as SARIF 2.1.0; a result of level ``error`` fails the check.
        metrics: A JSON object with numbers at any depth; criteria name them, as ``metrics.bundle_kb``.
    """

    junit: ReportName | None = None
    coverage: ReportName | None = None
    sarif: ReportName | None = None
    metrics: ReportName | None = None


class CheckBase(Closed):
    """What every kind of check has.

    Attributes:
        id: Name of the check, for criteria and waivers.
        argv: Program and arguments; ``{python}``, ``{spec_dir}``, ``{reports}``, ``{port}`` and ``{database}`` are
            replaced where they mean something.
        env: Variables for it; a value ``env:NAME`` passes NAME from plait's own environment.
        files: Globs of files the check rests on besides those its command names (configuration, fixtures): a track
            that changes one of them changes the check, which a person must accept.
        timeout_minutes: Deadline of the whole check, in minutes.
        required: Whether a failure makes the workflow fail.
        parallel: May run beside other parallel checks.
        ports: How many free loopback ports it gets in ``PLAIT_PORTS``.
    """

    id: Identifier
    argv: Argv
    env: dict[str, str] = {}
    files: tuple[RelativePath, ...] = ()
    timeout_minutes: Number = Field(default=15, gt=0, le=60 * 24)
    required: bool = True
    parallel: bool = False
    ports: int = Field(default=0, ge=0, le=64)


class CommandCheck(CheckBase):
    """Any command; it passes with exit code 0, and reports it names are read.

    Attributes:
        reports: Report files it leaves.
    """

    kind: Literal["command"] = "command"
    reports: Reports = Field(default_factory=Reports)


class TestsCheck(CheckBase):
    """Tests: their JUnit report must show that at least one passed and none failed; without one it is unverified.

    Attributes:
        reports: Report files it leaves; the JUnit report is needed.
        second_pass: Whether the base commit's tests are put back over the merged product and run as well.
        tests: Globs of the files that are tests or serve them alone; default: those of the usual layouts.
    """

    kind: Literal["tests"]
    reports: Reports = Field(default_factory=Reports)
    second_pass: Literal["auto", "off"] = "auto"  # noqa: S105 - no password
    tests: tuple[RelativePath, ...] = ()


class CoverageCheck(CheckBase):
    """Coverage against minimums, in percent of lines and of branches.

    Attributes:
        reports: Report files it leaves; the coverage report is needed.
        min_line: Least share of lines, in percent.
        min_branch: Least share of branches, in percent.
    """

    kind: Literal["coverage"]
    reports: Reports = Field(default_factory=lambda: Reports(coverage="coverage.json"))
    min_line: Percent | None = None
    min_branch: Percent | None = None

    @field_validator("reports")
    @classmethod
    def _names_the_report(cls, reports: Reports) -> Reports:
        if reports.coverage is None:
            raise ValueError("a coverage check needs the name of its coverage report, for example coverage.json")
        return reports


class Targets(Closed):
    """What the figures of one request must not exceed.

    Attributes:
        p50_ms: Half of the answers are as fast, in milliseconds.
        p95_ms: 95 % of the answers are as fast, in milliseconds.
        p99_ms: 99 % of the answers are as fast, in milliseconds.
        mean_ms: The mean, in milliseconds.
        max_ms: The slowest answer, in milliseconds.
        errors: Requests that were not answered as they should be.
    """

    p50_ms: Milliseconds | None = None
    p95_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None
    mean_ms: Milliseconds | None = None
    max_ms: Milliseconds | None = None
    errors: int = Field(default=0, ge=0)


class LoadRequest(Closed):
    """One request, sent again and again.

    Attributes:
        id: Name in results; default ``request-1`` and so on, by position.
        method: HTTP method.
        path: Path and query.
        headers: Header fields; a value ``env:NAME`` is taken from plait's own environment.
        body: JSON value to send.
        status: Status codes that are no error.
        answers: JSON Schema (2020-12) that the JSON of every answer must satisfy; another answer is an error. Without
            it an answer is an error that says so in a standard's own form, or that says it is JSON and is not.
        warmup: Requests before anything is measured.
        count: Requests that are measured.
        concurrency: Clients side by side, each with a connection of its own; they share ``count``.
        targets: What its figures must not exceed.
    """

    id: Identifier | None = None
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    path: str = Field(pattern=r"^/[!-~]{0,2000}$")
    headers: dict[str, str] = {}
    body: Any = None
    status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = (200,)
    answers: dict[str, Any] | bool | None = None
    warmup: int = Field(default=10, ge=0, le=100_000)
    count: int = Field(default=100, ge=1, le=1_000_000)
    concurrency: int = Field(default=1, ge=1, le=64)
    targets: Targets = Field(default_factory=Targets)

    @field_validator("answers")
    @classmethod
    def _is_a_schema(cls, answers: dict[str, Any] | bool | None) -> dict[str, Any] | bool | None:
        problem = None if answers is None else why_no_schema(answers)
        if problem:
            raise ValueError(f"answers is no JSON Schema that can be used: {problem}")
        return answers

    @model_validator(mode="after")
    def _is_answered(self) -> Self:
        if self.answers is not None and self.method == "HEAD":
            raise ValueError("an answer to HEAD has no body; leave out answers, or ask with GET")
        return self


class PerformanceCheck(CheckBase):
    """A load on the spec's own application: ``argv`` starts it on ``{port}`` of loopback, and it is ended afterwards.

    Attributes:
        ready_path: Asked until there is an answer below 500.
        ready_seconds: How long the application may take until then.
        request_seconds: After how long an unanswered request is an error.
        requests: What is sent.
    """

    kind: Literal["performance"]
    ready_path: str = Field(default="/", pattern=r"^/[!-~]{0,2000}$")
    ready_seconds: Number = Field(default=60, gt=0)
    request_seconds: Number = Field(default=30, gt=0)
    requests: tuple[LoadRequest, ...] = Field(min_length=1)

    @field_validator("requests")
    @classmethod
    def _names_are_distinct(cls, requests: tuple[LoadRequest, ...]) -> tuple[LoadRequest, ...]:
        names = [request_name(one, at) for at, one in enumerate(requests)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"request id {twice!r} is used twice; give each request its own")
        return requests


def request_name(request: LoadRequest, at: int) -> str:
    """Return the name of the request at a position."""
    return request.id or f"request-{at + 1}"


class SecurityCheck(CheckBase):
    """Scanners over the code; only what the base commit did not have counts, unless ``baseline`` is off.

    Attributes:
        argv: How a Python module is started: the scanner's name and arguments are appended.
        tools: Which scanners are run.
        paths: Files and folders to scan.
        requirements: Requirements files for pip-audit; without any it audits the environment ``argv`` starts.
        baseline: Count only what the base commit did not have.
        max_high: Most findings of high severity each tool may have; null: any number.
        max_medium: The same of medium severity.
        max_low: The same of low severity.
    """

    kind: Literal["security"]
    argv: Argv = ("{python}", "-m")
    tools: tuple[Tool, ...] = Field(default=("bandit", "detect-secrets"), min_length=1)
    paths: tuple[RelativePath | Literal["."], ...] = Field(default=(".",), min_length=1)
    requirements: tuple[RelativePath, ...] = ()
    baseline: bool = True
    max_high: int | None = Field(default=0, ge=0)
    max_medium: int | None = Field(default=0, ge=0)
    max_low: int | None = Field(default=None, ge=0)


class MigrationsCheck(CheckBase):
    """Alembic's migrations: one head, up from nothing and from the base commit, down and up, no drift, no row lost.

    Attributes:
        argv: The alembic command, without its sub-command; ``{database}`` in it is the database's URL.
        url_variable: Environment variable through which the project's ``env.py`` takes the URL.
        url_command: Prints the URL of a new empty database; none: an SQLite file.
        down_to: How far down before up again: to the base commit's revision, or to nothing.
        rows: Whether rows are put into every table before it goes up and down, and counted after; off where no
            row that is made by types alone can stand in some table.
    """

    kind: Literal["migrations"]
    argv: Argv = ("{python}", "-m", "alembic")
    url_variable: str = Field(default="DATABASE_URL", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    url_command: Argv | None = None
    down_to: Literal["base-commit", "nothing"] = "base-commit"
    rows: Literal["auto", "off"] = "auto"


class ContractCheck(CheckBase):
    """The provider's OpenAPI against what every track expects of it.

    Attributes:
        argv: Prints the OpenAPI document as JSON.
        path: Or the file in the tree that holds it.
    """

    kind: Literal["contract"]
    argv: tuple[str, ...] = ()
    path: RelativePath | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if bool(self.argv) == bool(self.path):
            raise ValueError("a contract check needs either argv, which prints the OpenAPI document, or its path")
        return self


class ApiCheck(CheckBase):
    """The running server against its OpenAPI document and the examples that tracks hand in.

    ``argv`` starts the product on ``{port}`` of loopback, and it is ended afterwards. Examples are sent first, then
    schemathesis sends what the document allows: no answer may be a server error, an undocumented success, or of
    another shape than documented.

    Attributes:
        openapi: The document: a file in the tree, or a path that the product answers, such as ``/openapi.json``.
        ready_path: Asked until there is an answer below 500.
        ready_seconds: How long the product may take until then.
        headers: Header fields of every request; a value ``env:NAME`` is taken from plait's own environment.
        max_examples: How many requests are made for each operation.
        seed: What the requests are made from; the same gives the same.
        replay: Whether the examples of hand-ins are sent.
        tool: How schemathesis is started, which must be installed there.
    """

    kind: Literal["api"]
    openapi: str = Field(min_length=1)
    ready_path: str = Field(default="/", pattern=r"^/[!-~]{0,2000}$")
    ready_seconds: Number = Field(default=60, gt=0)
    headers: dict[str, str] = {}
    max_examples: int = Field(default=20, ge=1, le=10_000)
    seed: int = Field(default=1, ge=0)
    replay: bool = True
    tool: Argv = ("{python}", "-m", "schemathesis.cli")

    @field_validator("openapi")
    @classmethod
    def _is_a_place(cls, openapi: str) -> str:
        if not openapi.startswith("/"):
            return _report_name(openapi)
        if not re.fullmatch(r"/[!-~]{0,2000}", openapi):
            raise ValueError("openapi is neither a file of the tree nor a path of the product, such as /openapi.json")
        return openapi


def _kind_of(value: Any) -> str:
    if is_object(value):
        return str(value.get("kind", "command"))
    return str(getattr(value, "kind", "command"))


Check = Annotated[
    Annotated[CommandCheck, Tag("command")]
    | Annotated[TestsCheck, Tag("tests")]
    | Annotated[CoverageCheck, Tag("coverage")]
    | Annotated[PerformanceCheck, Tag("performance")]
    | Annotated[SecurityCheck, Tag("security")]
    | Annotated[MigrationsCheck, Tag("migrations")]
    | Annotated[ContractCheck, Tag("contract")]
    | Annotated[ApiCheck, Tag("api")],
    Discriminator(_kind_of),
]
"""One check of a spec; without ``kind`` it is a plain command."""
