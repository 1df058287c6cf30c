"""Run one check behind the walls and turn it into evidence."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from contexts.codec import digest
from contexts.model.base import JsonObject
from contexts.model.checks import Check
from contexts.specfile import resolve_argv
from tasks.agents.command import split_environment
from tasks.checks.reports import ReportError, parse_coverage, parse_junit, read_report
from tasks.walls.environment import agent_environment
from tasks.walls.ports import lease_ports
from tasks.walls.supervisor import Outcome, run_supervised

Status = Literal["passed", "failed", "unverified"]


@dataclass(frozen=True, slots=True)
class Ran:
    """What running a check gave.

    Attributes:
        status: ``unverified`` when it could not run or its report could not be read: never a pass.
        result: What the reports say: ``tests``, ``coverage``.
        reports: Report files by kind.
        exit_code: The command's exit code, None if it did not exit by itself.
    """

    status: Status
    reason: str
    argv: tuple[str, ...]
    exit_code: int | None
    started_at: str
    seconds: float
    result: JsonObject
    reports: Mapping[str, bytes]
    log: Path


def check_inputs(check: Check, tree: str) -> str:
    """Return the digest that tells whether a passed check still speaks for a tree: the tree and what is run on it."""
    return digest(
        {"tree": tree, "argv": check.argv, "env": check.env, "kind": check.kind, "reports": check.reports.model_dump()}
    )


def run_check_command(
    check: Check,
    *,
    tree: Path,
    place: Path,
    folder: Path,
    cancel: threading.Event,
    on_line: Callable[[str], None] | None = None,
) -> Ran:
    """Run a check's command on a tree.

    Args:
        check: The check.
        tree: Folder with the integrated tree; the command's working folder.
        place: An own folder for the check's home, reports and log.
        folder: The spec's folder, for ``{spec_dir}``.
        cancel: Ends the command.
        on_line: Called with each line of output.
    """
    reports = place / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    passed, extra = split_environment(check.env)
    with lease_ports(check.ports) as lent:
        port = str(lent.ports[0]) if lent.ports else ""
        argv = resolve_argv(check.argv, folder=folder, reports=str(reports), port=port)
        started = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        outcome = run_supervised(
            argv,
            cwd=tree,
            env=agent_environment(
                place / "home",
                passed=passed,
                extra={**extra, "PLAIT_REPORTS": str(reports), "PLAIT_PORTS": " ".join(map(str, lent.ports))},
            ),
            log=place / "check.log",
            deadline=float(check.timeout_minutes) * 60,
            cancel=cancel,
            on_line=on_line,
        )
    status, reason, result, raw = _judge(check, outcome, reports)
    return Ran(
        status, reason, argv, outcome.exit_code, started, round(outcome.seconds, 3), result, raw, place / "check.log"
    )


def _judge(check: Check, outcome: Outcome, reports: Path) -> tuple[Status, str, JsonObject, dict[str, bytes]]:
    result: JsonObject = {}
    raw: dict[str, bytes] = {}
    if outcome.reason != "exited":
        return "unverified", outcome.message, result, raw
    unreadable = ""
    for kind, name, parse in (
        ("tests", check.reports.junit, parse_junit),
        ("coverage", check.reports.coverage, parse_coverage),
    ):
        if name is None:
            continue
        try:
            raw[kind] = read_report(reports / name)
            result[kind] = parse(raw[kind])
        except ReportError as error:
            unreadable = str(error)
    if outcome.exit_code != 0:
        return "failed", _why_failed(outcome, result), result, raw
    if unreadable:
        return "unverified", f"it ended with 0, but {unreadable}", result, raw
    tests: JsonObject | None = result.get("tests")
    if tests is not None and not tests["tests"]:
        return "unverified", "it ended with 0, but ran no test", result, raw
    if tests is not None and tests["failed"] + tests["errors"]:
        return "failed", _why_failed(outcome, result), result, raw
    if tests is not None and tests["skipped"] == tests["tests"]:
        return "unverified", f"all {tests['tests']} tests were skipped", result, raw
    return "passed", "", result, raw


def _why_failed(outcome: Outcome, result: JsonObject) -> str:
    tests: JsonObject | None = result.get("tests")
    how = f"exit code {outcome.exit_code}" if outcome.exit_code is not None else f"signal {outcome.signal}"
    if tests and tests["failed"] + tests["errors"]:
        return f"{tests['failed'] + tests['errors']} of {tests['tests']} tests failed ({how})"
    return f"the command ended with {how}"
