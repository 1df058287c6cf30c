"""What a JUnit report says of its tests: how many ended how, and each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from contexts.documents.figures import TestCounts, TestFailure
from contexts.redaction import head_of
from tasks.checks.junit_reader import Junit, JunitCase, Outcome, read_junit

_SHOWN_FAILURES = 20
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test of a report.

    Attributes:
        id: ``classname::name``; the second of that name in the report has ``#2`` behind it, and so on.
        outcome: How it ended.
        file: The file it is in, where the report tells it.
        suite: Name of the suite around it.
        seconds: How long it took.
        flaky: Whether an earlier try of it failed.
    """

    __test__ = False  # pytest looks at names

    id: str
    outcome: Outcome
    file: str | None
    suite: str
    seconds: float = 0.0
    flaky: bool = False


def parse_junit(raw: bytes) -> TestCounts:
    """Return counts of a JUnit XML report: tests, passed, failed, errors, skipped, seconds, and the first failures.

    Counts are of the cases themselves; an error or failure that a suite has beside its cases counts as one more test.
    Where attributes say that more failed than the elements show, ``contradiction`` is a sentence that says so.

    Raises:
        ReportError: Not JUnit XML, or with a document type (which could expand without bound).
    """
    return count_junit([read_junit(raw)])


def count_junit(files: Sequence[Junit]) -> TestCounts:
    """Return the counts of several files that are one report, as `parse_junit` does of one."""
    cases = [case for one in files for case in _last_tries(one)]
    by_outcome = Counter(case.outcome for case in cases)
    failures = [case for case in cases if case.outcome in {"failed", "errors"}][:_SHOWN_FAILURES]
    return TestCounts(
        tests=len(cases),
        passed=by_outcome["passed"],
        failed=by_outcome["failed"],
        errors=by_outcome["errors"],
        skipped=by_outcome["skipped"],
        flaky=sum(case.retried and case.outcome == "passed" for case in cases),
        seconds=round(sum(case.seconds for case in cases), 3),
        failures=tuple(TestFailure(test=case.name, message=head_of(case.message, _LONGEST)) for case in failures),
        contradiction=next((one.contradiction for one in files if one.contradiction), None),
    ).compact()


def parse_cases(raw: bytes) -> tuple[TestCase, ...]:
    """Return every test of a JUnit XML report, in its order; what concerns a suite alone is a test without a name.

    Raises:
        ReportError: As for `parse_junit`.
    """
    return cases_of([read_junit(raw)])


def cases_of(files: Sequence[Junit]) -> tuple[TestCase, ...]:
    """Return every test of several files that are one report, as `parse_cases` does of one."""
    seen: Counter[str] = Counter()
    cases: list[TestCase] = []
    for one in (case for file in files for case in _last_tries(file)):
        seen[one.name] += 1
        again = f"#{seen[one.name]}" if seen[one.name] > 1 else ""
        flaky = one.retried and one.outcome == "passed"
        cases.append(TestCase(one.name + again, one.outcome, one.file or None, one.suite, one.seconds, flaky))
    return tuple(cases)


def _last_tries(report: Junit) -> Sequence[JunitCase]:
    """Return the cases, each with all its tries as one where several of a name can be nothing else.

    In Go names are distinct within a package, and gotestsum runs again what failed: one that passed at last is flaky.
    Pytest's are distinct as well; of what is run again its report has the earlier tries as cases without a failure.
    Elsewhere two tests may share a name, and each is one of its own.
    """
    if not report.maker:
        return report.cases
    tries: dict[tuple[str, str], list[JunitCase]] = {}
    for case in report.cases:
        tries.setdefault((case.suite, case.name), []).append(case)
    decided: list[JunitCase] = []
    for same in tries.values():
        last = same[-1]
        if report.maker == "go":
            last = next((one for one in same if one.outcome == "passed"), last)
        elif any(one.outcome != "passed" for one in same):
            last = next(one for one in reversed(same) if one.outcome != "passed")
        last.retried |= len(same) > 1
        decided.append(last)
    return decided
