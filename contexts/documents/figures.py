"""What a check measured, by kind: counts of tests, coverage, response times, scanners' hits, migrations, contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from contexts.documents.base import Items, JsonObject, Lenient, Number, Open
from contexts.json.values import is_object


class TestFailure(Open):
    """One test that failed, and what it said."""

    __test__ = False  # pytest looks at names

    test: str
    message: str


class TestCounts(Open):
    """Counts of a test report.

    Attributes:
        tests: All of them.
        errors: Those that ended before they could fail.
        flaky: Those that passed after a try that failed.
        xpassed: Those that passed though they were expected to fail.
        seconds: What they took together.
        failures: The first of those that failed.
        contradiction: Where the report says of itself that more failed than its cases show: a sentence about that.
    """

    __test__ = False

    tests: int
    passed: int
    failed: int
    errors: int
    skipped: int
    flaky: int | None = None
    xpassed: int | None = None
    seconds: Number
    failures: Items[TestFailure] = ()
    contradiction: str | None = None


class Covered(Open):
    """How many lines or branches there are, and how many of them were run."""

    covered: int
    total: int


class CoverageShare(Open):
    """Coverage of some files, in percent and as counts; what was not measured is absent."""

    percent: Number | None = None
    line_percent: Number | None = None
    branch_percent: Number | None = None
    lines: Covered | None = None
    branches: Covered | None = None


class FileCoverage(Open):
    """Coverage of one file: percent, and how many lines it has."""

    percent: Number
    lines: int


class TrackShare(CoverageShare):
    """Coverage of the files one track changed.

    Attributes:
        measured: How many of them the report names.
        unmeasured: Code of the track that lies among measured files and is in no report: nothing ever loaded it.
    """

    measured: int
    unmeasured: Items[str] | None = None


class Coverage(CoverageShare):
    """Coverage of the tree, of each file, and of what each track changed."""

    files: Mapping[str, FileCoverage] | None = None
    tracks: Mapping[str, TrackShare] | None = None


class Times(Open):
    """Response times in milliseconds: percentiles by nearest rank, the mean and the most."""

    p50_ms: Number | None = None
    p95_ms: Number | None = None
    p99_ms: Number | None = None
    mean_ms: Number | None = None
    max_ms: Number | None = None


class Targets(Times):
    """The most that is wanted of a request: milliseconds, errors."""

    errors: Number | None = None


class RequestFigures(Times):
    """What a load measured of one request.

    Attributes:
        count: How often it was made.
        errors: How many of these failed.
        per_second: Answers a second.
        status: The status that was wanted.
        met: Whether every target is.
    """

    method: str
    path: str
    count: int
    errors: int
    error_percent: Number
    concurrency: int
    per_second: Number
    status: Mapping[str, int]
    targets: Targets
    met: bool


class Performance(Times):
    """What a load measured: the worst of all requests, and each.

    Attributes:
        percentile: How percentiles were made.
        ready_seconds: How long the application took to answer.
        floor_ms: What a request takes that does nothing.
    """

    errors: int
    count: int
    requests: Mapping[str, RequestFigures]
    percentile: str
    ready_seconds: Number
    floor_ms: Number


class ScannerHit(Open):
    """One thing a scanner found.

    Attributes:
        line: Its line, where the scanner says one.
        fingerprint: The same for the same hit when only lines above it changed.
    """

    rule: str
    severity: Literal["high", "medium", "low"]
    path: str
    line: int | None
    message: str
    fingerprint: str


class ScannerResult(Open):
    """What one scanner found that the base commit had not; without counts where it did not run.

    Attributes:
        known: How many hits the base commit had already.
        findings: The first of the new ones.
    """

    status: Literal["passed", "failed", "unverified", "not run"]
    high: int | None = None
    medium: int | None = None
    low: int | None = None
    known: int | None = None
    findings: Items[ScannerHit] | None = None


class Security(Open):
    """Hits of all scanners that ran, by severity, and each scanner's own."""

    high: int | None = None
    medium: int | None = None
    low: int | None = None
    tools: Mapping[str, ScannerResult]


class Migrations(Open):
    """How far the walk through the migrations came.

    Attributes:
        heads: Revisions nothing comes after.
        from_nothing: An empty database was brought to the head.
        drift: The models differ from the migrated schema.
        from_base: The base commit's head that was upgraded from, or why there was none.
        down_and_up: What was gone down to before going up again.
        rows: By table, how many rows were put there before it went up and down.
    """

    heads: Items[str] | None = None
    from_nothing: bool | None = None
    drift: bool | None = None
    from_base: str | None = None
    down_and_up: str | None = None
    rows: Mapping[str, int] | None = None


class SarifFinding(Open):
    """One result of a SARIF report."""

    rule: str
    level: str
    path: str
    line: int | None
    message: str


class Sarif(Open):
    """Results of a SARIF report by level.

    Attributes:
        suppressed: Those the code or the tool's settings accept; they count at no level.
        findings: The first of the others, the gravest before the rest.
    """

    error: int
    warning: int
    note: int
    suppressed: int
    findings: Items[SarifFinding] = ()


Alignment = Literal["aligned", "mismatch", "unknown"]


class ContractFigures(Open):
    """What tracks expect of an API against what it offers.

    Attributes:
        endpoints: How many the provider has.
        mismatches: How many expectations it does not meet.
        aligned: How many endpoints agree on both sides.
        unknown: How many could not be compared.
        consumers: By track, what came of each endpoint it names.
    """

    endpoints: int
    mismatches: int
    aligned: int
    unknown: int
    consumers: Mapping[str, Mapping[str, Alignment]]


class ContractFileFigures(Open):
    """Files that tracks name as contracts.

    Attributes:
        read: How many were read.
        unread: How many could not be.
    """

    read: int
    unread: int


class ApiFigures(Open):
    """What a running server was tried with.

    Attributes:
        operations: How many of its document's operations were tried.
        failures: Kinds of answers that are not as the document says, each once for each operation.
        replayed: Examples of hand-ins that were sent.
        broken: How many of these were answered otherwise than expected.
    """

    operations: int
    failures: int
    replayed: int
    broken: int


class CheckFigures(Lenient):
    """What a check measured; only what its kind and reports give is there."""

    tests: TestCounts | None = None
    coverage: Coverage | None = None
    performance: Performance | None = None
    security: Security | None = None
    migrations: Migrations | None = None
    contract: ContractFigures | None = None
    api: ApiFigures | None = None
    sarif: Sarif | None = None
    metrics: JsonObject | None = None
    contract_files: ContractFileFigures | None = None

    def number(self, path: str) -> float | None:
        """Return the number under a path such as ``coverage.line_percent``; None where there is none."""
        return _number(self.to_json(), path.split("."))


def _number(value: Any, parts: Sequence[str]) -> float | None:
    """Return the number under a path; a key may have dots of its own."""
    if not parts:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if not is_object(value):
        return None
    for count in range(1, len(parts) + 1):
        key = ".".join(parts[:count])
        if key in value and (found := _number(value[key], parts[count:])) is not None:
            return found
    return None
