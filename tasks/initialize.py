"""Phase initialize: the workflow's first context, with the spec and the pinned base in it."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from contexts.documents.base import JsonObject, now
from contexts.documents.refs import ContextRef
from contexts.documents.verification import DECIDED
from contexts.documents.version import FORMAT_VERSION
from contexts.failpoints import failpoint
from contexts.json.values import section
from contexts.store.contexts import CONTEXT
from contexts.store.keys import track_document
from tasks.git.bundles import bundle_history
from tasks.run.progress import Progress, report
from tasks.run.run import Run

_HEAD = (
    "next_agent", "feature_spec", "shared_constraints", "integration_requirements", "success_criteria", "metadata",
    "context_summary",
)  # fmt: skip
_CARRIED = (*DECIDED, "evidence")
"""What people decided and what was proven or deployed before; each says itself what it holds for."""


@task(name="initialize", task_run_name="initialize {run.workflow_id}", cache_policy=NO_CACHE)
def initialize(run: Run) -> ContextRef:
    """Save the workflow's context: requirements, constraints, criteria, tracks, the spec itself, the base commit.

    Raises:
        StoreError: The store did not take it; no agent has started.
        LeaseLost: Another run owns the workflow now.
    """
    report(Progress(run.workflow_id, "phase", "initialize", "running"))
    document = _document(run)
    failpoint("initialize.before-save")
    ref = run.save(CONTEXT, document)
    failpoint("initialize.after-save")
    report(Progress(run.workflow_id, "phase", "initialize", "done", str(ref)))
    return ref


def _copy_of_base(run: Run, recorded: JsonObject) -> JsonObject:
    """Save the base commit with its history, where the spec wants that, so that another machine needs no repository."""
    if run.spec.repository is None or not run.spec.repository.store_base:
        return {}
    if recorded.get("base") == run.base and recorded.get("base_bundle"):
        return {"base_bundle": recorded["base_bundle"]}
    body = bundle_history(run.repository.git, run.base)
    return {"base_bundle": run.store.put_blob(run.workflow_id, body, "application/x-git-bundle").model_dump()}


def _document(run: Run) -> JsonObject:
    earlier = run.latest(CONTEXT)
    carried: JsonObject = {}
    if earlier:
        carried = {key: earlier[1][key] for key in _CARRIED if key in earlier[1]}
    recorded: JsonObject = section(earlier[1], "run") if earlier else {}
    started = now()
    return {
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
        # What a person wrote to be run is kept but for what is certain: no guess may keep it from running again.
        "spec": run.store.put_json(run.workflow_id, run.raw, guesses=False).model_dump(),
        "run": {
            "id": run.id,
            "status": "running",
            "started_at": started,
            "base": run.base if run.has_repository else None,
            "start": run.base,
            "programs": run.programs,
            **{key: recorded[key] for key in ("branch", "delivered") if key in recorded},
            **_copy_of_base(run, recorded),
            "base_name": run.spec.repository.base if run.spec.repository else None,
            "recordings": {
                task_id: {
                    "name": one.name,
                    "blob": run.store.put_blob(run.workflow_id, one.raw, "application/json").model_dump(),
                }
                for task_id, one in run.recordings.items()
            },
        },
        **carried,
    }
