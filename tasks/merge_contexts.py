"""Phase merge: the tracks' documents and branches become one. Its own task, its result cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import CacheKeyFnPolicy
from prefect.context import TaskRunContext

from contexts.codec import digest
from contexts.errors import NotFound
from contexts.merge import assemble, contribute
from contexts.model.base import JsonObject
from contexts.model.refs import ContextRef
from contexts.store import CONTEXT
from tasks.progress import Progress, report
from tasks.ref_serializer import RefSerializer
from tasks.run import Run, now
from tasks.workspaces import restore_commit

CACHE_FORMAT = 1


def merge_key(_context: TaskRunContext, parameters: Mapping[str, Any]) -> str:
    """Return the cache key of a merge: what it reads and where; never which flow run asked."""
    run: Run = parameters["run"]
    tracks: Sequence[ContextRef] = parameters["tracks"]
    return "plait-merge-" + digest(
        {
            "format": CACHE_FORMAT,
            "task": "merge_contexts",
            "store": run.store.identity,
            "workflow_id": run.workflow_id,
            "parent": _parent_inputs(run),
            "tracks": [one.sha256 for one in tracks],
            "gaps": dict(parameters["gaps"]),
            "base": run.base,
        }
    )


def _parent_inputs(run: Run) -> JsonObject:
    return {key: value for key, value in run.raw.items() if key not in {"verification", "deployment", "budget"}}


@task(
    name="merge_contexts",
    task_run_name="merge {run.workflow_id}",
    cache_policy=CacheKeyFnPolicy(cache_key_fn=merge_key),
    persist_result=True,
    result_serializer=RefSerializer(),
)
def merge_contexts(run: Run, parent: ContextRef, tracks: Sequence[ContextRef], gaps: Mapping[str, str]) -> ContextRef:
    """Merge the completed tracks' documents, integrate their branches, and save the merged context.

    Args:
        run: The run.
        parent: The workflow's context as initialize saved it.
        tracks: Documents of the completed tracks, in spec order.
        gaps: Why each other track is missing.

    Returns:
        The merged context. Its ``status`` is ``partial`` when a track is missing or a branch was left out.
    """
    report(Progress(run.workflow_id, "merge", "merge", "running"))
    documents = run.store.load_many(tracks)
    branches = [
        (ref.document.removeprefix("tracks/"), restore_commit(run, one))
        for ref, one in zip(tracks, documents, strict=True)
    ]
    integration = run.repository.integrate(run.base, [(name, commit) for name, commit in branches if commit])
    concerns = [
        _branch_concern(conflict.task_id, conflict.files, conflict.against) for conflict in integration.conflicts
    ]
    parts = (contribute(document, ref=ref) for ref, document in zip(tracks, documents, strict=True))
    parent_document = run.store.load(parent)
    merged = assemble(
        parent_document,
        {one.task_id: one for one in parts},
        timestamp=now(),
        gaps=gaps,
        extra_concerns=concerns,
        files_settled=any(commit for _, commit in branches),
    )
    merged["kind"] = "workflow"
    merged["run"] = {
        **parent_document["run"],
        "integrated": integration.commit,
        "tree": integration.tree,
        "left_out": [conflict.task_id for conflict in integration.conflicts],
    }
    if concerns:
        merged["status"], merged["phase"] = "partial", "parallel-partial-merge"
    ref = run.save(CONTEXT, merged)
    report(Progress(run.workflow_id, "merge", "merge", "done", merged["context_summary"]))
    return ref


def _branch_concern(task_id: str, files: Sequence[str], against: Sequence[str]) -> JsonObject:
    against_whom = ", ".join(against) or "the base"
    return {
        "concern": f"Branch of {task_id} conflicts with {against_whom} in {', '.join(files)}; it was left out",
        "kind": "conflicting-branch",
        "status": "open",
        "tracks": [task_id, *against],
        "files": list(files),
    }


def is_stored(run: Run, ref: ContextRef) -> bool:
    """Return whether a reference from Prefect's cache still leads to a document; the store is the truth."""
    try:
        run.store.load(ref)
    except NotFound:
        return False
    return True
