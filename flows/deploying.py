"""The deploy phase composed: staging, its checks, the gate; and in a deployed run, the suspension at the gate."""

from __future__ import annotations

from prefect import unmapped

from contexts.model.refs import BlobRef, ContextRef
from tasks.deploy import check_named, check_staging, deploy_staging, pass_gate
from tasks.run import Run


def deploy(run: Run, final: ContextRef) -> ContextRef:
    """Bring verified work to staging and, through its gate, to production; anything else is left as it is.

    Returns:
        The newest context.
    """
    deployment = run.spec.deployment
    verified = run.store.load(final)["run"]["status"] == "verified"
    if deployment is None or not verified:
        return final
    evidence: list[BlobRef] = []
    staging = deployment.staging
    if staging:
        final = deploy_staging(run, final, staging)
        if run.store.load(final)["deployments"][-1]["status"] == "done" or True:
            evidence = _check(run, final, staging.checks)
    return pass_gate(run, final, evidence)


def _check(run: Run, final: ContextRef, names: tuple[str, ...]) -> list[BlobRef]:
    together = [name for name in names if check_named(run, name).parallel]
    evidence: dict[str, BlobRef] = {name: check_staging(run, final, name) for name in names if name not in together}
    futures = check_staging.map(unmapped(run), unmapped(final), together)
    evidence.update(zip(together, futures.result(), strict=True))
    return [evidence[name] for name in names]
