"""The deploy phase composed: staging, its checks, the gate; see `flows.phases.gate` for who is asked there."""

from __future__ import annotations

from contexts.documents.base import now
from contexts.documents.refs import BlobRef, ContextRef
from contexts.verification.verdict import PAST_VERIFICATION
from flows.phases.checks import run_checks
from tasks.deploy import check_named, check_staging, deploy_staging, is_staged, pass_gate
from tasks.run.run import Run


def deploy(run: Run, final: ContextRef) -> ContextRef:
    """Bring verified work to staging and, through its gate, to production; anything else is left as it is.

    Returns:
        The newest context.

    Raises:
        RunStopped: A person has stopped the run; what came before is saved.
    """
    deployment = run.spec.deployment
    if deployment is None or run.store.load_context(final).run_record.status not in PAST_VERIFICATION:
        return final
    began = now()
    evidence: list[BlobRef] = []
    staging = deployment.staging
    if staging:
        final = deploy_staging(run, final, staging)
        run.ensure_going()
        if is_staged(run, final):
            evidence = run_checks(check_staging, run, final, [check_named(run, name) for name in staging.checks])
            run.ensure_going()
    return pass_gate(run, final, evidence, began)
