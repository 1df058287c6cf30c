"""Run one check of a stored workflow on any commit of its repository: nothing is taken over from earlier runs."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from tasks.checks.command import check_inputs
from tasks.progress import Progress, report
from tasks.run import Run
from tasks.run_check import evidence_of, run_at


@task(name="recheck", task_run_name="recheck {run.workflow_id} · {check_id}", cache_policy=NO_CACHE)
def recheck(run: Run, commit: str, check_id: str) -> Any:
    """Run a check on a commit.

    Returns:
        Reference of the evidence record, as `tasks.run_check.run_check` does; the state is named after the result.
    """
    check = next(one for one in run.spec.verification.checks if one.id == check_id)
    tree = run.repository.tree(commit)
    report(Progress(run.workflow_id, "check", check_id, "running", f"on {commit[:12]}"))
    ran = run_at(run, check, commit)
    blob = run.store.put_json(run.workflow_id, evidence_of(run, check, ran, tree, check_inputs(check, tree)))
    report(Progress(run.workflow_id, "check", check_id, ran.status, ran.reason, ran.seconds))
    return Completed(name=ran.status.capitalize(), message=ran.reason or None, data=blob)
