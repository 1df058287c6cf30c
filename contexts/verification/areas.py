"""The five areas of verification, as the final context shows them: each with the evidence that decided it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from contexts.documents.figures import RequestFigures
from contexts.documents.verification import AreaLine, AreaResult, Evidence, VerificationResults

AREAS: Mapping[str, str] = {
    "contract": "api_contract_alignment",
    "api": "api_contract_alignment",
    "tests": "test_execution",
    "coverage": "test_execution",
    "command": "test_execution",
    "performance": "performance",
    "security": "security",
    "migrations": "database_migration",
}
"""Which of the five areas of verification a kind of check belongs to."""


def areas_of(evidence: Sequence[Evidence]) -> VerificationResults:
    """Return the five areas of verification, each with the evidence that decided it.

    An area without evidence is ``unverified``, never passed. Beside the evidence stand the lines people read: test
    counts by check, measured times by request with their targets, the migration.
    """
    areas: dict[str, AreaResult] = {}
    for area in dict.fromkeys(AREAS.values()):
        own = [one for one in evidence if AREAS.get(one.kind) == area]
        statuses = {one.status for one in own}
        status = next((each for each in ("failed", "unverified", "passed") if each in statuses), "unverified")
        entry = AreaResult(status=status, checks=[_line(one) for one in own])
        if not own:
            entry = entry.changed(reason="the spec has no check of this area")
        areas[area] = _FIGURES[area](entry, own) if area in _FIGURES else entry
    return VerificationResults(**areas)


def _line(one: Evidence) -> AreaLine:
    line = AreaLine(check=one.check, status=one.status, exit_code=one.exit_code, seconds=one.seconds, tree=one.tree)
    shown = {"result": one.result, "log": one.log, "reason": one.reason, "notes": one.notes, "steps": one.steps}
    return line.changed(**{name: value for name, value in shown.items() if value})


def _with_tests(entry: AreaResult, evidence: Sequence[Evidence]) -> AreaResult:
    counted = {one.check: counts for one in evidence if (counts := one.figures.tests) and counts.tests}
    if not counted:
        return entry
    results = {name: _share(counts.passed, counts.tests) for name, counts in counted.items()}
    passed, tests = (sum(column) for column in zip(*((one.passed, one.tests) for one in counted.values()), strict=True))
    return entry.changed(results=results, total=_share(passed, tests, "tests "))


def _share(passed: int, total: int, what: str = "") -> str:
    # Rounded down: 100 % is said only of all.
    return f"{passed}/{total} {what}passed ({100 * passed // total}%)"


def _with_times(entry: AreaResult, evidence: Sequence[Evidence]) -> AreaResult:
    lines: dict[str, str] = {}
    for one in evidence:
        for name, figures in one.figures.performance.requests.items() if one.figures.performance else ():
            title = f"{figures.method} {figures.path}"
            lines[title if title not in lines else f"{title} ({name})"] = _times(figures)
    return entry.changed(measurements=lines) if lines else entry


def _times(figures: RequestFigures) -> str:
    measured = (("P50", figures.p50_ms), ("P95", figures.p95_ms), ("P99", figures.p99_ms))
    times = ", ".join(f"{name}: {value:g}ms" for name, value in measured if value is not None)
    most = figures.targets
    targets = (
        ("MAX", most.max_ms), ("MEAN", most.mean_ms), ("P50", most.p50_ms), ("P95", most.p95_ms), ("P99", most.p99_ms)
    )  # fmt: skip
    wanted = ", ".join(f"{name} <= {value:g}ms" for name, value in targets if value is not None)
    errors = f", {figures.errors} of {figures.count} requests failed" if figures.errors else ""
    return f"{times or 'no time'}{errors}" + (f" (target {wanted})" if wanted else "")


def _with_migration(entry: AreaResult, evidence: Sequence[Evidence]) -> AreaResult:
    heads = [head for one in evidence if (found := one.figures.migrations) for head in found.heads or ()]
    return entry.changed(migration=", ".join(heads)) if heads else entry


_FIGURES: Mapping[str, Callable[[AreaResult, Sequence[Evidence]], AreaResult]] = {
    "test_execution": _with_tests,
    "performance": _with_times,
    "database_migration": _with_migration,
}
"""What adds an area's lines for people."""
