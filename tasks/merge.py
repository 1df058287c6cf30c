"""Phase merge: the tracks' documents and branches become one. Tasks of their own, their results cached.

Many tracks are merged group by group first. What a group passes on is the map of its tracks' contributions, so the
merge of groups equals the merge of all tracks at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import CacheKeyFnPolicy
from prefect.context import TaskRunContext

from contexts.documents.base import now
from contexts.documents.codec import digest, validate
from contexts.documents.merged import Concern
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.version import FORMAT_VERSION
from contexts.errors import NotFound
from contexts.failpoints import failpoint
from contexts.json.values import entries, section
from contexts.merge import Contribution, assemble, contribute, derive, union
from contexts.merge.contribution import dump_contributions, load_contributions
from contexts.merge.left_out import left_out_decisions
from contexts.store.contexts import CONTEXT, group_document
from contexts.text.plural import counted
from tasks.prefect_ui import events
from tasks.run.progress import Progress, report
from tasks.run.ref_serializer import RefSerializer
from tasks.run.run import Run
from tasks.track.workspace import restore_commit

CACHE_FORMAT = 2


def merge_key(context: TaskRunContext, parameters: Mapping[str, Any]) -> str:
    """Return the cache key of a merge: what it reads and where; never which flow run asked."""
    run: Run = parameters["run"]
    return "plait-merge-" + digest(
        {
            "format": CACHE_FORMAT,
            "task": context.task.name,
            "store": run.store.identity,
            "workflow_id": run.workflow_id,
            "group": parameters.get("group_id"),
            "parent": {key: value for key, value in run.raw.items() if key not in {"verification", "deployment"}},
            "tracks": [one.sha256 for one in parameters["tracks"]],
            "groups": [one.sha256 for one in parameters["groups"]],
            "gaps": dict(parameters.get("gaps") or {}),
            "base": run.base,
        }
    )


def _gather(run: Run, tracks: Sequence[ContextRef], groups: Sequence[ContextRef]) -> dict[str, Contribution]:
    documents = run.store.load_many([*tracks, *groups])
    parts = [contribute(document, ref=ref) for ref, document in zip(tracks, documents[: len(tracks)], strict=True)]
    maps = [load_contributions(document["contributions"]) for document in documents[len(tracks) :]]
    return union({one.task_id: one for one in parts}, *maps)


@task(
    name="merge_group",
    task_run_name="merge {run.workflow_id} · {group_id}",
    cache_policy=CacheKeyFnPolicy(cache_key_fn=merge_key),
    persist_result=True,
    result_serializer=RefSerializer(),
)
def merge_group(run: Run, group_id: str, tracks: Sequence[ContextRef], groups: Sequence[ContextRef]) -> ContextRef:
    """Merge a group's tracks and groups among themselves, and save the group's document.

    Args:
        run: The run.
        group_id: The group.
        tracks: Documents of its completed tracks, in spec order.
        groups: Documents of the groups inside it.
    """
    report(Progress(run.workflow_id, "group", group_id, "running"))
    contributions = _gather(run, tracks, groups)
    failpoint("group.before-save")
    derived = derive(contributions, [track.task_id for track in run.spec.parallel_tasks])
    ref = run.save(
        group_document(group_id),
        {
            "version": FORMAT_VERSION,
            "workflow_id": f"{run.workflow_id}-{group_id}",
            "parent_workflow_id": run.workflow_id,
            "group_id": group_id,
            "kind": "group",
            "timestamp": now(),
            "current_agent": "orchestrator",
            "phase": "group-merged",
            "context_summary": f"Merged {counted(len(contributions), 'track')} of group {group_id}.",
            **derived.lists,
            "integration_concerns": [one.to_json() for one in derived.concerns],
            "provenance": derived.provenance,
            "omissions": [one.to_json() for one in derived.omissions],
            "contributions": dump_contributions(contributions),
        },
    )
    failpoint("group.after-save")
    report(Progress(run.workflow_id, "group", group_id, "done", counted(len(contributions), "track")))
    return ref


@task(
    name="merge_contexts",
    task_run_name="merge {run.workflow_id}",
    cache_policy=CacheKeyFnPolicy(cache_key_fn=merge_key),
    persist_result=True,
    result_serializer=RefSerializer(),
)
def merge_contexts(
    run: Run,
    parent: ContextRef,
    tracks: Sequence[ContextRef],
    groups: Sequence[ContextRef],
    gaps: Mapping[str, str],
) -> ContextRef:
    """Merge the completed tracks' documents, integrate their branches, and save the merged context.

    Args:
        run: The run.
        parent: The workflow's context as initialize saved it.
        tracks: Documents of the completed tracks that no group holds, in spec order.
        groups: Documents of the outermost groups.
        gaps: Why each other track is missing.

    Returns:
        The merged context. Its ``status`` is ``partial`` when a track is missing or a branch was left out.
    """
    report(Progress(run.workflow_id, "phase", "merge", "running"))
    contributions = _gather(run, tracks, groups)
    failpoint("merge.gathered")
    order = [track.task_id for track in run.spec.parallel_tasks if track.task_id in contributions]
    branches = [(name, _commit_of(run, contributions[name])) for name in order]
    worked = [(name, commit) for name, commit in branches if commit]
    integration = run.repository.integrate(run.base, worked)
    failpoint("merge.integrated")
    concerns = [_branch_concern(one.task_id, one.files, one.against) for one in integration.conflicts]
    first = run.store.load_context(parent)
    merged = assemble(
        first.to_json(),
        contributions,
        timestamp=now(),
        gaps=gaps,
        extra_concerns=concerns,
        files_settled=bool(worked),
    )
    found = [one for name in order for one in entries(contributions[name].facts, "findings")]
    record = first.run_record.changed(
        integrated=integration.commit,
        tree=integration.tree,
        left_out=[conflict.task_id for conflict in integration.conflicts],
    )
    context = validate({**merged, "kind": "workflow", "findings": found}, run.workflow_id).changed(run=record)
    if record.left_out:
        context = context.changed(left_out=left_out_decisions(context.provenance or {}, record.left_out))
    if concerns:
        context = context.changed(status="partial", phase="parallel-partial-merge")
    failpoint("merge.before-save")
    ref = run.save(CONTEXT, context)
    failpoint("merge.after-save")
    events.concerns_found(run.workflow_id, [one for one in context.integration_concerns or () if one.asks])
    report(Progress(run.workflow_id, "phase", "merge", "done", context.context_summary or ""))
    return ref


def _commit_of(run: Run, one: Contribution) -> str | None:
    execution = section(one.facts, "execution")
    bundle = execution.get("bundle")
    return restore_commit(run, one.task_id, execution.get("commit"), BlobRef(**bundle) if bundle else None)


def _branch_concern(task_id: str, files: Sequence[str], against: Sequence[str]) -> Concern:
    against_whom = ", ".join(against) or "the base"
    return Concern(
        concern=f"Branch of {task_id} conflicts with {against_whom} in {', '.join(files)}; it was left out",
        kind="conflicting-branch",
        status="open",
        tracks=[task_id, *against],
        files=list(files),
    )


def is_at_hand(run: Run, ref: ContextRef) -> bool:
    """Return whether a merge from Prefect's cache still leads to its document, and to its commit on this machine.

    The store is the truth of documents. Commits are in the workflow's folder, which is another one on another machine
    and may be cleared on this one; merging again makes the same commit from the tracks' bundles.
    """
    try:
        record = run.store.load_context(ref).run
    except NotFound:
        return False
    commit = record.integrated if record else None
    return commit is None or run.repository.git.commit_of(commit) is not None
