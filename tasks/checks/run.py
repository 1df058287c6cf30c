"""Run one check of any kind, and say what it rests on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from contexts.documents.base import parse_instant
from contexts.documents.codec import digest
from contexts.documents.verification import Evidence
from contexts.spec.checks import (
    ApiCheck,
    Check,
    CommandCheck,
    ContractCheck,
    CoverageCheck,
    MigrationsCheck,
    PerformanceCheck,
    SecurityCheck,
    TestsCheck,
)
from contexts.spec.load import programs_of
from contexts.spec.programs import NOTHING_KNOWN, Known
from tasks.checks.api import run_api
from tasks.checks.bench import Bench, StepFailed, ports_of
from tasks.checks.command import run_command
from tasks.checks.contract import run_contract
from tasks.checks.migrations import run_migrations
from tasks.checks.performance import run_performance
from tasks.checks.results import CheckResult, CheckRun, notes_on
from tasks.checks.scanners import SCANNERS
from tasks.checks.security import run_security

INPUTS_FORMAT = 5
_ANSWERS_HOLD = timedelta(days=1)
_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})


def check_inputs(
    check: Check,
    tree: str,
    *,
    folder: Path,
    known: Known = NOTHING_KNOWN,
    base: str | None = None,
    setup: Sequence[Sequence[str]] = (),
    changed_by: Mapping[str, Sequence[str]] = _NOTHING,
    consumers: Sequence[str] = (),
) -> str:
    """Return the digest that tells whether a passed check still speaks for a tree.

    In it: the tree, every setting of the check, programs of the spec's folder by content, what prepares the tree, the
    base commit (whether a track changed the check's own files rests on it), and what the tracks expect of an API where
    the check compares that. Not in it: whether the check is required, and what may run beside it.

    Args:
        check: The check.
        tree: Id of the integrated tree.
        folder: The spec's folder.
        known: What counts instead of the files there, where the workflow goes on from its store.
        base: The base commit.
        setup: Commands that prepare the tree.
        changed_by: The files each track changed, which coverage by track rests on.
        consumers: Digests of the tracks' documents.
    """
    settings = check.model_dump(mode="json", exclude={"required", "parallel"})
    commands = [check.argv, *setup, *([check.url_command or ()] if isinstance(check, MigrationsCheck) else [])]
    outside = [program for argv in commands for program in programs_of(argv, folder=folder, known=known)]
    return digest(
        {
            "format": INPUTS_FORMAT,
            "tree": tree,
            "settings": settings,
            "outside": outside,
            "setup": setup,
            "base": base,
            "changed_by": changed_by if isinstance(check, TestsCheck | CoverageCheck) else None,
            "consumers": list(consumers) if isinstance(check, ContractCheck | ApiCheck) else None,
        }
    )


def still_holds(check: Check, evidence: Evidence) -> bool:
    """Tell whether evidence is young enough to speak for the same inputs again.

    A service's answers change though nothing in the tree does: what rests on one holds for a day. All else holds.

    Args:
        check: The check.
        evidence: Its record.
    """
    if not isinstance(check, SecurityCheck) or not any(SCANNERS[tool].network for tool in check.tools):
        return True
    began = evidence.started_at
    return began is not None and datetime.now(UTC) - parse_instant(began) < _ANSWERS_HOLD


def run_on(check: Check, bench: Bench) -> CheckRun:
    """Run a check of any kind at its bench."""
    started = time.monotonic()
    try:
        judged = _by_kind(check, bench)
    except StepFailed as error:
        judged = CheckResult("unverified", str(error))
    steps = tuple(sorted(bench.steps, key=lambda step: step.started_at))
    return CheckRun(judged, steps, (*judged.notes, *notes_on(steps)), round(time.monotonic() - started, 3))


def _by_kind(check: Check, bench: Bench) -> CheckResult:
    if len(bench.ports) < ports_of(check):
        raise StepFailed(f"{ports_of(check)} loopback ports were not free: end what listens there, and run again")
    match check:
        case CommandCheck() | TestsCheck() | CoverageCheck():
            return run_command(check, bench)
        case PerformanceCheck():
            return run_performance(check, bench)
        case SecurityCheck():
            return run_security(check, bench)
        case MigrationsCheck():
            return run_migrations(check, bench)
        case ContractCheck():
            return run_contract(check, bench)
        case ApiCheck():
            return run_api(check, bench)
