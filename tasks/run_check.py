"""Phase verify, first half: one mapped task per check, each leaving its evidence in the store."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import Evidence
from contexts.failpoints import failpoint
from contexts.redaction import redact_text
from contexts.store.contexts import CONTEXT
from tasks.prefect_ui.markdown import words
from tasks.run.contract_files import contract_files
from tasks.run.evidence import Subject, evidence_for, run_check_on, subject_of
from tasks.run.progress import Progress, report
from tasks.run.run import Run


@task(name="run_check", task_run_name="check {run.workflow_id} · {check_id}", cache_policy=NO_CACHE)
def run_check(run: Run, merged: ContextRef, check_id: str) -> Any:
    """Run one check on the integrated tree, or take over its pass on the very same inputs.

    Returns:
        Reference of the evidence record, a JSON blob. A failed check is evidence too, so the task completes; its
        state is named Passed, Failed, Unverified or Reused.
    """
    check = next(one for one in run.spec.verification.checks if one.id == check_id)
    # Not the merged context's: the merge may be of an earlier run, before there was any evidence.
    newest = run.latest(CONTEXT)
    before = newest.context.evidence if newest else None
    evidence = evidence_for(run, run.store.load_context(merged), check, before or ())
    blob = run.store.put_json(run.workflow_id, evidence.to_json(), kind="evidence")
    failpoint("check.evidence-saved")
    return state_of(evidence, blob)


@task(name="read_contract_files", task_run_name="contract files {run.workflow_id}", cache_policy=NO_CACHE)
def read_contract_files(run: Run, merged: ContextRef) -> Any:
    """Read the files of the integrated tree that tracks name as contracts, or take over what was read of the same.

    Returns:
        Reference of the evidence record, as `run_check` does; Unverified is the state's name where some are not read.
    """
    newest = run.latest(CONTEXT)
    before = newest.context.evidence if newest else None
    evidence = contract_files(run, run.store.load_context(merged), before or ())
    blob = run.store.put_json(run.workflow_id, evidence.to_json(), kind="evidence")
    return state_of(evidence, blob)


@task(name="recheck", task_run_name="recheck {run.workflow_id} · {check_id}", cache_policy=NO_CACHE)
def recheck(run: Run, commit: str, check_id: str) -> Any:
    """Run a check of a stored workflow on any commit of its repository: nothing is taken over from earlier runs.

    Returns:
        Reference of the evidence record, as `run_check` does; the state is named after the result.
    """
    check = next(one for one in run.spec.verification.checks if one.id == check_id)
    tree = run.repository.tree(commit)
    report(Progress(run.workflow_id, "check", check_id, "running", f"on {commit[:12]}"))
    newest = run.latest(CONTEXT)
    subject = subject_of(newest.context, commit, tree) if newest else Subject(commit, tree, {}, {})
    evidence = run_check_on(run, check, subject)
    blob = run.store.put_json(run.workflow_id, evidence.to_json(), kind="evidence")
    reason = redact_text(evidence.reason or "").text
    report(Progress(run.workflow_id, "check", check_id, evidence.status, reason, evidence.seconds))
    return Completed(name=evidence.status.capitalize(), message=words(reason) or None, data=blob)


def state_of(evidence: Evidence, blob: BlobRef) -> State[Any]:
    """Return the Completed state of a check's task, named after how it ended."""
    if evidence.reused:
        return Completed(name="Reused", message="Passed before on this tree", data=blob)
    reason = words(redact_text(evidence.reason or "").text)
    return Completed(name=evidence.status.capitalize(), message=reason or None, data=blob)
