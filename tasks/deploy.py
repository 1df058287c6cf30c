"""Phase deploy: staging, the checks against it, and production behind its gate; each a Prefect task.

Every save makes a new revision of the workflow's context. Production is recorded before it begins and after it ended,
so that one that was interrupted is known to be unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from contexts.documents.base import now
from contexts.documents.context import Context
from contexts.documents.deployment import DeploymentAttempt
from contexts.documents.records import PhaseRecord
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import Evidence
from contexts.documents.version import SUMMARY_LIMIT
from contexts.errors import RunStopped
from contexts.failpoints import failpoint
from contexts.redaction import head_of
from contexts.spec.checks import Check
from contexts.spec.policy import Production, Staging
from contexts.store.contexts import CONTEXT
from contexts.verification import deployment_gate as readiness
from contexts.verification.deployment_gate import GateState, assess_gate, last_attempt
from contexts.verification.verdict import phase_of
from tasks.deploy_command import begin, carry_out, check_out
from tasks.prefect_ui import events
from tasks.run.evidence import evidence_for
from tasks.run.progress import Progress, report
from tasks.run.run import Run
from tasks.run_check import state_of


def subjects_of(run: Run, context: Context) -> dict[str, str]:
    """Return the digest of what each environment would get."""
    return readiness.subjects_of(run.spec, str(context.run_record.tree), folder=run.folder, known=run.known)


@task(name="deploy_staging", task_run_name="staging {run.workflow_id}", cache_policy=NO_CACHE)
def deploy_staging(run: Run, final: ContextRef, staging: Staging) -> ContextRef:
    """Deploy the integrated tree to staging, unless this very tree is there already.

    Returns:
        The newest context; its last staging deployment says how it went.
    """
    context = run.store.load_context(final)
    subject = subjects_of(run, context)["staging"]
    earlier = last_attempt(context, "staging", subject)
    if earlier and earlier.status == "done":
        report(Progress(run.workflow_id, "phase", "staging", "reused", "this tree is deployed there"))
        return final
    report(Progress(run.workflow_id, "phase", "staging", "running"))
    failpoint("deploy.staging-begun")
    commit = str(context.run_record.integrated)
    check_out(run, "staging", commit)
    attempt = begin(run, staging, subject, str(context.run_record.tree))
    attempt = carry_out(run, staging, attempt, commit)
    failpoint("deploy.staging-ended")
    good = attempt.status == "done"
    report(Progress(run.workflow_id, "phase", "staging", "done" if good else "failed", attempt.reason or ""))
    return _save(run, _with_attempt(context, attempt))


@task(name="check_staging", task_run_name="check {run.workflow_id} · {check_id} on staging", cache_policy=NO_CACHE)
def check_staging(run: Run, final: ContextRef, check_id: str) -> Any:
    """Run one check against staging, or take over its pass against this very deployment.

    Returns:
        Reference of the evidence record, a JSON blob, in a state named as for every check.
    """
    context = run.store.load_context(final)
    attempt = _staged(run, context)
    check = check_named(run, check_id)
    url = {"PLAIT_STAGING_URL": attempt.url} if attempt.url else {}
    given = check.model_copy(update={"env": {**check.env, **url}})
    evidence = evidence_for(run, context, given, attempt.checks or ())
    blob = run.store.put_json(run.workflow_id, evidence.to_json(), kind="evidence")
    return state_of(evidence, blob)


def check_named(run: Run, check_id: str) -> Check:
    """Return a check of verification or of deployment."""
    own = run.spec.deployment.checks if run.spec.deployment else ()
    return next(one for one in (*run.spec.verification.checks, *own) if one.id == check_id)


def is_staged(run: Run, final: ContextRef) -> bool:
    """Say whether the integrated tree is on staging."""
    context = run.store.load_context(final)
    attempt = last_attempt(context, "staging", subjects_of(run, context)["staging"])
    return attempt is not None and attempt.status == "done"


def _staged(run: Run, context: Context) -> DeploymentAttempt:
    attempt = last_attempt(context, "staging", subjects_of(run, context)["staging"])
    if attempt is None:
        raise LookupError(f"{run.workflow_id} has no staging deployment of this tree")
    return attempt


@task(name="pass_gate", task_run_name="gate {run.workflow_id}", cache_policy=NO_CACHE)
def pass_gate(run: Run, final: ContextRef, evidence: Sequence[BlobRef], began: str) -> ContextRef:
    """Decide what is ready, and deploy to production if every prerequisite holds and a person has approved.

    Args:
        run: The run.
        final: The newest context.
        evidence: What the checks against staging left.
        began: When the phase began.

    Returns:
        The newest context, with ``deployment_readiness`` and the run's last word.
    """
    context = run.store.load_context(final)
    subjects = subjects_of(run, context)
    if evidence:
        checks = [Evidence.model_validate_json(run.store.get_blob(run.workflow_id, blob)) for blob in evidence]
        context = _with_attempt(context, _staged(run, context).changed(checks=checks))
    gate_state = assess_gate(run.spec, context, subjects)
    production = run.spec.deployment.production if run.spec.deployment else None
    if gate_state.action == "deploy" and production:
        context, gate_state = _to_production(run, production, context, subjects)
    if gate_state.action == "ask" and gate_state.readiness.production:
        events.approval_requested(run.workflow_id, gate_state.readiness.production, gate_state.reasons)
        report(Progress(run.workflow_id, "phase", "gate", "pending", "; ".join(gate_state.reasons)))
    context = _with_state(context, gate_state)
    record = context.run_record
    phases = [one for one in record.phases or () if one.name != "deploy"]
    phase = PhaseRecord(name="deploy", started_at=began, completed_at=now())
    return _save(run, context.changed(run=record.changed(phases=[*phases, phase])))


def _to_production(
    run: Run, production: Production, context: Context, subjects: Mapping[str, str]
) -> tuple[Context, GateState]:
    report(Progress(run.workflow_id, "phase", "production", "running"))
    run.ensure_going()
    commit = str(context.run_record.integrated)
    check_out(run, "production", commit)  # before the record says that it began
    attempt = begin(run, production, subjects["production"], str(context.run_record.tree))
    begun = _with_attempt(context, attempt)
    _save(run, _deploying(_with_state(begun, assess_gate(run.spec, begun, subjects))))
    failpoint("deploy.production-recorded")
    run.ready_store()
    run.lease.ensure_held()  # the last moment at which somebody else's run could be noticed
    try:
        run.ensure_going()  # and a stop: from here on the command is left to end by itself
    except RunStopped:
        _save(run, context)  # it has not begun
        raise
    attempt = carry_out(run, production, attempt, commit)
    failpoint("deploy.production-ended")
    good = attempt.status == "done"
    report(Progress(run.workflow_id, "phase", "production", "done" if good else "failed", attempt.reason or ""))
    ended = _with_attempt(context, attempt)
    return ended, assess_gate(run.spec, ended, subjects)


def _with_attempt(context: Context, attempt: DeploymentAttempt) -> Context:
    """Return a context with a deployment; of staging only the newest counts, of production every one is kept."""
    kept = [
        one
        for one in context.deployments or ()
        if one.id != attempt.id and "production" in {one.environment, attempt.environment}
    ]
    return context.changed(deployments=[*kept, attempt])


def _deploying(context: Context) -> Context:
    """Return a context that says that production is being deployed."""
    readiness = context.deployment_readiness
    if readiness is None or readiness.production is None:
        return context
    production = readiness.production.changed(status="deploying")
    return context.changed(deployment_readiness=readiness.changed(production=production))


def _with_state(context: Context, gate_state: GateState) -> Context:
    """Return a context that says how far its deployment is."""
    context = context.changed(deployment_readiness=gate_state.readiness)
    if gate_state.status is None:
        return context
    head = f"{gate_state.status}: " + (
        "; ".join(gate_state.reasons) or "verified, and every step of its deployment is done."
    )
    return context.changed(
        phase=phase_of(gate_state.status),
        status=gate_state.status,
        next_agent="approver" if gate_state.action == "ask" else None,
        context_summary=head if len(head) <= SUMMARY_LIMIT else head_of(head, SUMMARY_LIMIT - 3) + "...",
        run=context.run_record.changed(
            status=gate_state.status,
            exit_code=gate_state.exit_code,
            reasons=list(gate_state.reasons),
            completed_at=now(),
        ),
    )


def _save(run: Run, context: Context) -> ContextRef:
    failpoint("deploy.before-save")
    ref = run.save(CONTEXT, context.without("checksum_").changed(timestamp=now(), current_agent="deployer"))
    failpoint("deploy.after-save")
    return ref
