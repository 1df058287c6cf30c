"""Keep a store small: trim old revisions, archive workflows that rest. A dry run unless it is told otherwise."""

from __future__ import annotations

import time
from typing import TypedDict

from prefect import flow, get_run_logger

from contexts.errors import Conflict, DocumentError, LeaseHeld
from contexts.leases.held import held_lease
from contexts.leases.record import read_lease
from contexts.store.archive import carry_out, holding, holdings
from contexts.store.objects import ObjectStore
from contexts.store.retention import Held, RetentionPlan, RetentionPolicy, plan_retention
from contexts.store.url import open_objects
from flows.deployments.deployed_run import refuse_store_unless_allowed, upkeep_owner
from flows.deployments.form import ArchiveDays, DryRun, KeepCheckpoints, StoreName
from tasks.prefect_ui.artifacts import publish_table
from tasks.prefect_ui.ornaments import show


class Row(TypedDict):
    """What goes of one workflow, and whether it went."""

    workflow: str
    action: str
    objects: int
    bytes: int
    reason: str
    done: str


@flow(name="retention", validate_parameters=True)
def retention(
    store: StoreName = None,
    dry_run: DryRun = True,
    archive_after_days: ArchiveDays = 30,
    keep_checkpoints: KeepCheckpoints = 5,
) -> list[Row]:
    """Say what of each workflow may go, and let it go if this is no dry run.

    Args:
        store: Where contexts are kept. Empty for the worker's own.
        dry_run: Only say what would be done.
        archive_after_days: A workflow in which nothing was saved for so long is archived.
        keep_checkpoints: How many of the last revisions of each document stay; the newest always does.

    Returns:
        One line per workflow of which something goes.

    Raises:
        DocumentError: Something of a workflow is damaged; that one was left alone, and all others were looked at.
    """
    store = refuse_store_unless_allowed(store)
    objects = open_objects(store)
    policy = RetentionPolicy(archive_after_days=archive_after_days, keep_checkpoints=keep_checkpoints)
    logger = get_run_logger()
    rows: list[Row] = []
    damaged: list[str] = []
    for held in holdings(objects):
        try:
            plan, done = _consider(objects, held, policy, dry_run)
        except DocumentError as error:  # the others need not wait for this one's repair
            logger.warning("%s: left alone, %s", held.workflow_id, error.message)
            damaged.append(held.workflow_id)
            continue
        if plan.action == "keep":
            logger.debug("%s: kept, %s", plan.workflow_id, plan.reason)
            continue
        row: Row = {
            "workflow": plan.workflow_id, "action": plan.action, "objects": len(plan.keys), "bytes": plan.size,
            "reason": plan.reason, "done": done,
        }  # fmt: skip
        logger.info("%(workflow)s: %(action)s %(objects)d objects, %(bytes)d bytes (%(reason)s): %(done)s", row)
        rows.append(row)
    description = "What may go from the store" + (", dry run" if dry_run else "")
    show("table", "retention", lambda: publish_table("plait-retention", [dict(row) for row in rows], description))
    if damaged:
        raise DocumentError(
            f"damaged and left alone: {', '.join(damaged)}; `plait store check` says what is wrong there"
        )
    return rows


def _consider(objects: ObjectStore, held: Held, policy: RetentionPolicy, dry_run: bool) -> tuple[RetentionPlan, str]:
    plan = _plan(objects, held, policy)
    if dry_run or plan.action == "keep":
        return plan, "would be done"
    try:
        with held_lease(objects, held.workflow_id, owner=upkeep_owner(), patience=0, only_ended=True) as mine:
            mine.end_reason = mine.before.end_reason if mine.before else "never run"
            # Planned again while no run can start: what was listed before may have been referred to since.
            held = holding(objects, held.workflow_id)
            plan = plan_retention(held, lease_ended=True, now=time.time(), policy=policy, read=objects.read)
            archive = carry_out(objects, plan, held, read_again=mine.ensure_held, each=mine.ensure_held_locally)
    except LeaseHeld as error:
        return plan, f"left alone: {error.message}"
    except Conflict as error:
        return plan, f"not done: {error.message}; the next retention looks again"
    return plan, f"done, in {archive}" if archive else "done"


def _plan(objects: ObjectStore, held: Held, policy: RetentionPolicy) -> RetentionPlan:
    try:
        lease = read_lease(objects, held.workflow_id)
    except DocumentError as error:
        return RetentionPlan(workflow_id=held.workflow_id, action="keep", reason=error.message)
    ended = lease is None or (lease.end_reason is not None and not lease.of_open_run)
    return plan_retention(held, lease_ended=ended, now=time.time(), policy=policy, read=objects.read)
