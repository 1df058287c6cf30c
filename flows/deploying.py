"""The deploy phase composed: staging, its checks, the gate; see `flows.gate` for who is asked there."""

from __future__ import annotations

from prefect import unmapped

from contexts.model.refs import BlobRef, ContextRef
from contexts.verdict import PAST_VERIFICATION
from tasks.deploy import check_named, check_staging, deploy_staging, is_staged, pass_gate
from tasks.run import Run


def deploy(run: Run, final: ContextRef) -> ContextRef:
    """Bring verified work to staging and, through its gate, to production; anything else is left as it is.

    Returns:
        The newest context.
    """
    deployment = run.spec.deployment
    if deployment is None or run.store.load(final)["run"]["status"] not in PAST_VERIFICATION:
        return final
    evidence: list[BlobRef] = []
    staging = deployment.staging
    if staging:
        final = deploy_staging(run, final, staging)
        if is_staged(run, final):
            evidence = _check(run, final, staging.checks)
    return pass_gate(run, final, evidence)


def _check(run: Run, final: ContextRef, names: tuple[str, ...]) -> list[BlobRef]:
    together = [name for name in names if check_named(run, name).parallel]
    evidence: dict[str, BlobRef] = {name: check_staging(run, final, name) for name in names if name not in together}
    futures = check_staging.map(unmapped(run), unmapped(final), together)
    evidence.update(zip(together, futures.result(), strict=True))
    return [evidence[name] for name in names]
