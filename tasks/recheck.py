"""Run one check of a stored workflow on any commit of its repository: nothing is taken over from earlier runs."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from contexts.secrets import redact_text
from contexts.store import CONTEXT
from tasks.artifact_text import words
from tasks.evidence import gather, subject_of
from tasks.progress import Progress, report
from tasks.run import Run


@task(name="recheck", task_run_name="recheck {run.workflow_id} · {check_id}", cache_policy=NO_CACHE)
def recheck(run: Run, commit: str, check_id: str) -> Any:
    """Run a check on a commit.

    Returns:
        Reference of the evidence record, as `tasks.run_check.run_check` does; the state is named after the result.
    """
    check = next(one for one in run.spec.verification.checks if one.id == check_id)
    tree = run.repository.tree(commit)
    report(Progress(run.workflow_id, "check", check_id, "running", f"on {commit[:12]}"))
    newest = run.latest(CONTEXT)
    evidence = gather(run, check, subject_of(newest[1] if newest else {}, commit, tree))
    blob = run.store.put_json(run.workflow_id, evidence)
    reason = redact_text(evidence.get("reason", "")).text
    report(Progress(run.workflow_id, "check", check_id, evidence["status"], reason, evidence["seconds"]))
    return Completed(name=str(evidence["status"]).capitalize(), message=words(reason) or None, data=blob)
