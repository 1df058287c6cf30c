"""Verify stored workflows again, on the present state of their repository: what was true once may no longer be."""

from __future__ import annotations

from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from contexts.documents.base import now
from contexts.documents.verification import Evidence, Reverification
from contexts.errors import InputError, PlaitError
from contexts.spec.request import RunRequest
from contexts.store.contexts import CONTEXT
from contexts.text.plural import counted
from contexts.verification.criteria import decide
from contexts.verification.regressions import find_regressions, unmet_now
from flows.deployments.deployed_run import refuse_unless_allowed, upkeep_owner
from flows.deployments.form import GitReference, RepositoryName, SpecFolder, StoreName, WorkflowIds
from flows.deployments.own_process import outlive_worker
from flows.phases.checks import run_checks
from tasks.prefect_ui.artifacts import publish_table
from tasks.prefect_ui.markdown import words
from tasks.prefect_ui.ornaments import show
from tasks.run.run import open_run
from tasks.run_check import recheck


@flow(name="reverify", validate_parameters=True)
def reverify(
    workflows: WorkflowIds = [],  # noqa: B006 never changed, and what the form shows
    store: StoreName = None,
    spec_dir: SpecFolder = None,
    repository: RepositoryName = None,
    reference: GitReference = None,
) -> State[Any]:
    """Run the checks of workflows on their repository as it is now, and say what got worse.

    Args:
        workflows: Ids of stored workflows.
        store: Where contexts are kept. Empty for the worker's own.
        spec_dir: Folder of the workflows' specs, as the worker sees it, where checks name programs in it. Usually
            empty.
        repository: Path or URL of the repository, where the spec's own does not exist on the worker.
        reference: What to check out: a branch, tag or commit. Empty for the spec's base branch.

    Returns:
        Failed if a required criterion of any of them is now unmet, or one could not be verified at all.
    """
    outlive_worker()
    logger = get_run_logger()
    rows: list[dict[str, str]] = []
    broken: list[str] = []
    for workflow_id in workflows:
        named = RunRequest(workflow_id=workflow_id, spec_dir=spec_dir, store=store, repository=repository)
        request = refuse_unless_allowed(named)
        try:
            found = reverify_one(request, workflow_id, reference)
        except PlaitError as error:
            broken.append(f"{workflow_id}: {error.message}")
            continue
        unmet = unmet_now(found)
        broken += [f"{workflow_id}: criterion {name} is unmet" for name in unmet]
        commit = found.commit[:12]
        rows += [{"workflow": workflow_id, "commit": commit, **one.to_json()} for one in found.worse]
        logger.info("%s at %s: %d worse, %d unmet", workflow_id, commit, len(found.worse), len(unmet))
    description = "What got worse since the last verification"
    show("table", "reverify", lambda: publish_table("plait-reverify", rows, description))
    worse = f"{counted(len(rows), 'thing')} got worse" if rows else "nothing got worse"
    if broken:
        return Failed(name="VerificationFailed", message=words("; ".join(broken) + f"; {worse}"), data=rows)
    return Completed(message=f"{counted(len(workflows), 'workflow')} verified again, {worse}", data=rows)


def reverify_one(request: RunRequest, workflow_id: str, reference: str | None) -> Reverification:
    """Verify one workflow again, and save what came of it in its context.

    Returns:
        What was saved.

    Raises:
        InputError: It has no repository.
        LeaseHeld: Its last run has not ended.
        StoreError: The store did not answer, or has no such workflow.
    """
    # The lease of an interrupted run is not to be ended: whoever restarts those would pass it by.
    with open_run(request, upkeep_owner, only_ended=True, purpose="check") as run:
        if run.lease.before:
            run.lease.end_reason = run.lease.before.end_reason
        if run.spec.repository is None:
            raise InputError(f"{workflow_id} has no repository, so there is no present state to verify")
        commit = run.repository.pin(reference or run.spec.repository.base)
        evidence = run_checks(recheck, run, commit, run.spec.verification.checks)
        records = [Evidence.model_validate_json(run.store.get_blob(workflow_id, blob)) for blob in evidence]
        context = (run.latest(CONTEXT) or run.store.require(workflow_id)).context
        present = Reverification(
            timestamp=now(),
            commit=commit,
            tree=run.repository.tree(commit),
            criteria=list(decide(run.spec, records, context.waivers or ())),
            evidence=records,
            worse=[],
        )
        last = context.reverification
        before = last if isinstance(last, Reverification) else context
        present = present.changed(worse=list(find_regressions(before, present)))
        run.save(CONTEXT, context.changed(reverification=present, checksum_=None))
    return present
