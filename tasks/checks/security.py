"""Security: scanners over the integrated tree; what the base commit already had does not count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from contexts.documents.figures import CheckFigures, ScannerHit, ScannerResult, Security
from contexts.spec.checks import SecurityCheck
from contexts.text.plural import counted, first_of
from tasks.checks.bench import Bench, StepFailed
from tasks.checks.results import CheckResult
from tasks.checks.scanners import Unreadable, arguments_of, read_report, without_known

_SHOWN = 50


def run_security(check: SecurityCheck, bench: Bench) -> CheckResult:
    """Run every tool, and on the base commit too where it found anything; compare with the thresholds."""
    tools: dict[str, ScannerResult] = {}
    failed: list[str] = []
    unknown: list[str] = []
    reports: dict[str, tuple[bytes, str]] = {}
    for tool in check.tools:
        try:
            hits, new = _scan(tool, check, bench)
        except (Unreadable, StepFailed) as error:
            unknown.append(f"{tool}: {error}")
            tools[tool] = ScannerResult(status="not run" if str(error).startswith("not run") else "unverified")
            continue
        limits = {"high": check.max_high, "medium": check.max_medium, "low": check.max_low}
        counts = {severity: sum(hit.severity == severity for hit in new) for severity in limits}
        over = [
            f"{tool}: {counted(counts[severity], 'new finding' if check.baseline else 'finding')} of {severity} "
            f"severity, at most {most} may be: {_where(new, severity)}"
            for severity, most in limits.items()
            if most is not None and counts[severity] > most
        ]
        failed += over
        listed = {"found": [hit.to_json() for hit in hits], "new": [hit.to_json() for hit in new]}
        reports[tool] = orjson.dumps(listed), "application/json"
        tools[tool] = ScannerResult(
            status="failed" if over else "passed", **counts, known=len(hits) - len(new), findings=new[:_SHOWN]
        )
    status = "failed" if failed else "unverified" if unknown else "passed"
    return CheckResult(status, "; ".join([*failed, *unknown]), CheckFigures(security=_in_all(tools)), reports)


def _in_all(tools: Mapping[str, ScannerResult]) -> Security:
    """Return what all tools that ran have found, and each."""
    ran = [one for one in tools.values() if one.known is not None]
    if not ran:
        return Security(tools=tools)
    return Security(
        high=sum(one.high or 0 for one in ran),
        medium=sum(one.medium or 0 for one in ran),
        low=sum(one.low or 0 for one in ran),
        tools=tools,
    )


def _scan(tool: str, check: SecurityCheck, bench: Bench) -> tuple[tuple[ScannerHit, ...], tuple[ScannerHit, ...]]:
    """Return all hits in the tree, and those that the base commit had not."""
    hits = _run(tool, check, bench, bench.tree, tool)
    environment_only = tool == "pip-audit" and not check.requirements  # it is no part of any commit
    if not hits or not check.baseline or bench.base is None or environment_only:
        return hits, hits
    base = bench.base()
    try:
        known = _run(tool, check, bench, base, f"{tool} on the base commit")
    except Unreadable as error:
        if not any((base / path).exists() for path in check.requirements or check.paths):
            return hits, hits  # nothing was there, so all is new
        raise Unreadable(f"on the base commit {error}; set baseline: false to judge without it") from error
    return hits, without_known(hits, known)


def _run(tool: str, check: SecurityCheck, bench: Bench, tree: Path, name: str) -> tuple[ScannerHit, ...]:
    argv = (*bench.resolve(check.argv), *arguments_of(tool, check, tree))
    # Without this, Python would look into the tree first, where a track may have put a scanner that finds nothing.
    step = bench.run(name, argv, cwd=tree, capture=True, env={"PYTHONSAFEPATH": "1"})
    return read_report(tool, step, tree)


def _where(hits: tuple[ScannerHit, ...], severity: str) -> str:
    places = [
        f"{hit.rule} {hit.path}" + (f":{hit.line}" if hit.line else "") for hit in hits if hit.severity == severity
    ]
    return first_of(places, 3)
