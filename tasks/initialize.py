"""Phase initialize: the workflow's first context, with the spec and the pinned base in it."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from contexts.documents.base import now
from contexts.documents.codec import validate
from contexts.documents.context import Context
from contexts.documents.records import RecordedDocument, RunRecord
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import RULINGS
from contexts.documents.version import FORMAT_VERSION
from contexts.failpoints import failpoint
from contexts.store.contexts import CONTEXT
from contexts.store.keys import track_document
from tasks.git.bundles import bundle_history
from tasks.run.progress import Progress, report
from tasks.run.run import Run

_HEAD = (
    "next_agent", "feature_spec", "shared_constraints", "integration_requirements", "success_criteria", "metadata",
    "context_summary",
)  # fmt: skip
_CARRIED = (*RULINGS, "evidence")
"""What people decided and what was proven or deployed before; each says itself what it holds for."""


@task(name="initialize", task_run_name="initialize {run.workflow_id}", cache_policy=NO_CACHE)
def initialize(run: Run) -> ContextRef:
    """Save the workflow's context: requirements, constraints, criteria, tracks, the spec itself, the base commit.

    Raises:
        StoreError: The store did not take it; no agent has started.
        LeaseLost: Another run owns the workflow now.
    """
    report(Progress(run.workflow_id, "phase", "initialize", "running"))
    context = _context(run)
    failpoint("initialize.before-save")
    ref = run.save(CONTEXT, context)
    failpoint("initialize.after-save")
    report(Progress(run.workflow_id, "phase", "initialize", "done", str(ref)))
    return ref


def _copy_of_base(run: Run, recorded: RunRecord | None) -> BlobRef | None:
    """Save the base commit with its history, where the spec wants that, so that another machine needs no repository."""
    if run.spec.repository is None or not run.spec.repository.store_base:
        return None
    if recorded and recorded.base == run.base and recorded.base_bundle:
        return recorded.base_bundle
    body = bundle_history(run.repository.git, run.base)
    return run.store.put_blob(run.workflow_id, body, "application/x-git-bundle")


def _context(run: Run) -> Context:
    earlier = run.latest(CONTEXT)
    before = earlier.context if earlier else None
    started = now()
    said = {
        "version": FORMAT_VERSION,
        "workflow_id": run.workflow_id,
        "timestamp": started,
        "current_agent": run.spec.current_agent,
        "phase": "parallel-execution",
        "kind": "workflow",
        **{key: run.raw[key] for key in _HEAD if key in run.raw},
        "parallel_tasks": [
            {
                **{key: value for key, value in entry.items() if not key.startswith("x-")},
                "status": "pending",
                "context_ref": track_document(entry["task_id"]),
            }
            for entry in run.raw["parallel_tasks"]
        ],
    }
    carried = {key: value for key in _CARRIED if before and (value := getattr(before, key)) is not None}
    # What a person wrote to be run is kept but for what is certain: no guess may keep it from running again.
    spec = run.store.put_json(run.workflow_id, run.raw, guesses=False)
    return validate(said, run.workflow_id).changed(spec=spec, run=_record(run, before, started), **carried)


def _record(run: Run, before: Context | None, started: str) -> RunRecord:
    recorded = before.run if before else None
    record = RunRecord(
        id=run.id,
        status="running",
        started_at=started,
        base=run.base if run.has_repository else None,
        start=run.base,
        programs=run.programs,
        base_name=run.spec.repository.base if run.spec.repository else None,
        recordings={
            task_id: RecordedDocument(
                name=one.name, blob=run.store.put_blob(run.workflow_id, one.raw, "application/json")
            )
            for task_id, one in run.recordings.items()
        },
    )
    kept = {
        "branch": recorded.branch if recorded else None,
        "delivered": recorded.delivered if recorded else None,
        "base_bundle": _copy_of_base(run, recorded),
    }
    return record.changed(**{key: value for key, value in kept.items() if value is not None})
