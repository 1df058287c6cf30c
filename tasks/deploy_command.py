"""Run a deployment's command in the sandbox, on a checkout of the integrated tree."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal
from uuid import uuid4

from contexts.documents.base import now
from contexts.documents.deployment import DeploymentAttempt
from contexts.errors import SecretRefused
from contexts.redaction import redact_text
from contexts.spec.load import resolve_argv
from contexts.spec.policy import Production, Staging
from tasks.filesystem import remove_folder
from tasks.run.progress import Progress, report
from tasks.run.run import Run
from tasks.sandbox.clean_log import clean_log
from tasks.sandbox.environment import agent_environment, split_environment
from tasks.sandbox.outcome import Outcome
from tasks.sandbox.supervisor import run_supervised


def begin(run: Run, target: Staging | Production, subject: str, tree: str) -> DeploymentAttempt:
    """Return the record of a deployment that is about to begin."""
    staging = isinstance(target, Staging)
    return DeploymentAttempt(
        id=uuid4().hex[:12],
        environment="staging" if staging else "production",
        subject=subject,
        status="running",
        argv=list(target.argv or ()),
        started_at=now(),
        tree=tree,
        url=(target.url if isinstance(target, Staging) else None) or None,
        run_id=run.id,
    ).compact()


def check_out(run: Run, environment: str, commit: str) -> None:
    """Write the integrated tree where the command of an environment is to run.

    Raises:
        RepositoryError: This machine lacks the commit.
    """
    place = _place(run, environment)
    remove_folder(place)
    run.repository.checkout(commit, place / "tree", as_repository=True)


def _place(run: Run, environment: str) -> Path:
    return run.repository.root / "deploy" / environment


def carry_out(run: Run, target: Staging | Production, attempt: DeploymentAttempt, commit: str) -> DeploymentAttempt:
    """Run the command on what `check_out` wrote, and return the record of how it ended.

    A command that did not end by itself (deadline, cancel, supervisor lost) may have done anything: ``unknown``. A log
    that must not be stored is withheld; how the command ended is known all the same.
    """
    name = attempt.environment
    place = _place(run, name)
    passed, extra = split_environment(target.env)
    url = {"PLAIT_STAGING_URL": attempt.url} if attempt.url else {}
    outcome = run_supervised(
        resolve_argv(target.argv or (), folder=run.folder),
        cwd=place / "tree",
        env=agent_environment(
            place / "home",
            passed=passed,
            extra={
                **extra,
                **url,
                "PLAIT_WORKFLOW_ID": run.workflow_id,
                "PLAIT_COMMIT": commit,
                "PLAIT_ENVIRONMENT": name,
            },
        ),
        log=place / "deploy.log",
        deadline=float(target.timeout_minutes) * 60,
        # A production deployment that was cut midway is worse than one that ends after the run was suspended.
        cancel=run.cancel if isinstance(target, Staging) else threading.Event(),
        on_line=lambda line: report(Progress(run.workflow_id, "line", name, "running", line)),
    )
    status, reason = _judge(outcome)
    log = None
    try:
        log = run.store.put_blob(run.workflow_id, (place / "deploy.log").read_bytes(), "text/plain")
    except SecretRefused as error:
        withheld = f"its log is withheld: {error.message}"
        reason = f"{redact_text(reason).text}; {withheld}" if reason else withheld
    clean_log(place / "deploy.log")
    return attempt.changed(
        status=status,
        completed_at=now(),
        seconds=round(outcome.seconds, 3),
        exit_code=outcome.exit_code,
        reason=reason or None,
        log=log,
    ).compact()


def _judge(outcome: Outcome) -> tuple[Literal["done", "failed", "unknown"], str]:
    if outcome.reason == "not-started":
        return "failed", outcome.message
    if outcome.reason != "exited":
        return "unknown", outcome.message
    if outcome.exit_code == 0:
        return "done", ""
    how = f"exit code {outcome.exit_code}" if outcome.exit_code is not None else f"signal {outcome.signal}"
    return "failed", f"the command ended with {how}"
