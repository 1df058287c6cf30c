"""Phase deploy: staging, the checks against it, and production behind its gate; each a Prefect task.

Every save makes a new revision of the workflow's context. Production is recorded before it begins and after it ended,
so that one that was interrupted is known to be unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from prefect import task
from prefect.cache_policies import NO_CACHE

from contexts.documents.base import JsonObject, now
from contexts.documents.codec import dump, validate  # joint
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import Evidence  # joint
from contexts.errors import RunStopped
from contexts.failpoints import failpoint
from contexts.json.values import entries
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


def subjects_of(run: Run, document: JsonObject) -> dict[str, str]:
    """Return the digest of what each environment would get."""
    return readiness.subjects_of(run.spec, str(document["run"]["tree"]), folder=run.folder, known=run.known)


@task(name="deploy_staging", task_run_name="staging {run.workflow_id}", cache_policy=NO_CACHE)
def deploy_staging(run: Run, final: ContextRef, staging: Staging) -> ContextRef:
    """Deploy the integrated tree to staging, unless this very tree is there already.

    Returns:
        The newest context; its last staging deployment says how it went.
    """
    document = run.store.load(final)
    subject = subjects_of(run, document)["staging"]
    earlier = last_attempt(document, "staging", subject)
    if earlier and earlier["status"] == "done":
        report(Progress(run.workflow_id, "phase", "staging", "reused", "this tree is deployed there"))
        return final
    report(Progress(run.workflow_id, "phase", "staging", "running"))
    failpoint("deploy.staging-begun")
    commit = str(document["run"]["integrated"])
    check_out(run, "staging", commit)
    attempt = begin(run, staging, subject, str(document["run"]["tree"]))
    attempt = carry_out(run, staging, attempt, commit)
    failpoint("deploy.staging-ended")
    good = attempt["status"] == "done"
    report(Progress(run.workflow_id, "phase", "staging", "done" if good else "failed", str(attempt.get("reason", ""))))
    return _save(run, document, {"deployments": _replaced(document, attempt)})


@task(name="check_staging", task_run_name="check {run.workflow_id} · {check_id} on staging", cache_policy=NO_CACHE)
def check_staging(run: Run, final: ContextRef, check_id: str) -> Any:
    """Run one check against staging, or take over its pass against this very deployment.

    Returns:
        Reference of the evidence record, a JSON blob, in a state named as for every check.
    """
    document = run.store.load(final)
    attempt = _staged(run, document)
    url = attempt.get("url")
    check = check_named(run, check_id)
    given = check.model_copy(update={"env": {**check.env, **({"PLAIT_STAGING_URL": str(url)} if url else {})}})
    before = [Evidence.model_validate_json(dump(one)) for one in entries(attempt, "checks")]  # joint
    evidence = evidence_for(run, validate(document), given, before)  # joint
    return state_of(evidence, run.store.put_json(run.workflow_id, evidence.to_json(), kind="evidence"))  # joint


def check_named(run: Run, check_id: str) -> Check:
    """Return a check of verification or of deployment."""
    own = run.spec.deployment.checks if run.spec.deployment else ()
    return next(one for one in (*run.spec.verification.checks, *own) if one.id == check_id)


def is_staged(run: Run, final: ContextRef) -> bool:
    """Say whether the integrated tree is on staging."""
    document = run.store.load(final)
    attempt = last_attempt(document, "staging", subjects_of(run, document)["staging"])
    return attempt is not None and attempt["status"] == "done"


def _staged(run: Run, document: JsonObject) -> JsonObject:
    attempt = last_attempt(document, "staging", subjects_of(run, document)["staging"])
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
    document = run.store.load(final)
    subjects = subjects_of(run, document)
    if evidence:
        records: list[JsonObject] = [orjson.loads(run.store.get_blob(run.workflow_id, blob)) for blob in evidence]
        attempt = {**_staged(run, document), "checks": records}
        document["deployments"] = _replaced(document, attempt)
    gate_state = assess_gate(run.spec, document, subjects)
    production = run.spec.deployment.production if run.spec.deployment else None
    if gate_state.action == "deploy" and production:
        document, gate_state = _to_production(run, production, document, subjects)
    if gate_state.action == "ask":
        events.approval_requested(run.workflow_id, gate_state.readiness["production"], gate_state.reasons)
        report(Progress(run.workflow_id, "phase", "gate", "pending", "; ".join(gate_state.reasons)))
    changes = _readiness_of(document, gate_state)
    phases = [one for one in entries(document["run"], "phases") if one["name"] != "deploy"]
    phase = {"name": "deploy", "started_at": began, "completed_at": now()}
    changes["run"] = {**(changes.get("run") or document["run"]), "phases": [*phases, phase]}
    return _save(run, document, changes)


def _to_production(
    run: Run, production: Production, document: JsonObject, subjects: Mapping[str, str]
) -> tuple[JsonObject, GateState]:
    report(Progress(run.workflow_id, "phase", "production", "running"))
    run.check_going()
    commit = str(document["run"]["integrated"])
    check_out(run, "production", commit)  # before the record says that it began
    attempt = begin(run, production, subjects["production"], str(document["run"]["tree"]))
    begun: JsonObject = {**document, "deployments": _replaced(document, attempt)}
    begun |= _readiness_of(begun, assess_gate(run.spec, begun, subjects))
    begun["deployment_readiness"]["production"]["status"] = "deploying"
    _save(run, begun, {})
    failpoint("deploy.production-recorded")
    run.ready_store()
    run.lease.check()  # the last moment at which somebody else's run could be noticed
    try:
        run.check_going()  # and a stop: from here on the command is left to end by itself
    except RunStopped:
        _save(run, document, {})  # it has not begun
        raise
    attempt = carry_out(run, production, attempt, commit)
    failpoint("deploy.production-ended")
    good = attempt["status"] == "done"
    why = str(attempt.get("reason", ""))
    report(Progress(run.workflow_id, "phase", "production", "done" if good else "failed", why))
    ended = {**document, "deployments": _replaced(document, attempt)}
    return ended, assess_gate(run.spec, ended, subjects)


def _replaced(document: JsonObject, attempt: JsonObject) -> list[JsonObject]:
    """Return the deployments with this one; of staging only the newest counts, of production every one is kept."""
    kept = [
        one
        for one in entries(document, "deployments")
        if one["id"] != attempt["id"] and (one["environment"] == "production" or attempt["environment"] == "production")
    ]
    return [*kept, attempt]


def _readiness_of(document: JsonObject, gate_state: GateState) -> JsonObject:
    """Return what changes in the document by how far the deployment is."""
    run: JsonObject = document["run"]
    changes: JsonObject = {"deployment_readiness": gate_state.readiness}
    if gate_state.status is None:
        return changes
    head = f"{gate_state.status}: " + (
        "; ".join(gate_state.reasons) or "verified, and every step of its deployment is done."
    )
    return {
        **changes,
        "phase": phase_of(gate_state.status),
        "status": gate_state.status,
        "next_agent": "approver" if gate_state.action == "ask" else None,
        "context_summary": head if len(head) <= 500 else head_of(head, 497) + "...",
        "run": {
            **run,
            "status": gate_state.status,
            "exit_code": gate_state.exit_code,
            "reasons": list(gate_state.reasons),
            "completed_at": now(),
        },
    }


def _save(run: Run, document: JsonObject, changes: JsonObject) -> ContextRef:
    document = {**document, **changes, "timestamp": now(), "current_agent": "deployer"}
    document.pop("_checksum", None)
    failpoint("deploy.before-save")
    ref = run.save(CONTEXT, document)
    failpoint("deploy.after-save")
    return ref
