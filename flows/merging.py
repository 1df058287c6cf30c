"""How the merge is composed: groups innermost first, level by level, then the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from prefect import allow_failure, unmapped

from contexts.model.refs import ContextRef
from contexts.plan_groups import GroupNode, groups_of
from flows.schedule import Tracks
from tasks.merge_contexts import is_stored, merge_contexts, merge_group
from tasks.run import Run


def merge_all(run: Run, parent: ContextRef, tracks: Tracks) -> ContextRef:
    """Merge all completed tracks, in groups where the plan has groups, and return the merged context."""
    tree = groups_of(run.spec)
    done = {ref.document.removeprefix("tracks/"): ref for ref in tracks.completed}
    groups = _merge_groups(run, tree, done, tracks)
    direct = [done[task_id] for task_id in tree.tracks if task_id in done]
    outer = [groups[str(node.id)] for node in tree.groups]
    waits = [allow_failure(future) for future in tracks.futures]
    cached = _cached_in_store(run)
    submit = cast("Any", merge_contexts.with_options(**cached)).submit  # its overloads do not know allow_failure
    merged: ContextRef = submit(run, parent, direct, outer, tracks.gaps, wait_for=waits).result()
    if is_stored(run, merged):
        return merged
    return merge_contexts.with_options(refresh_cache=True)(run, parent, direct, outer, tracks.gaps)


def _cached_in_store(run: Run) -> dict[str, Any]:
    """Keep the cached merge beside the contexts where the store is a block, for any machine's Prefect to find."""
    if run.block is None:
        return {}
    from contexts.blocks import load_block  # noqa: PLC0415 imports the AWS blocks, which takes a second

    return {"result_storage": load_block(run.block)}


def _merge_groups(run: Run, tree: GroupNode, done: Mapping[str, ContextRef], tracks: Tracks) -> dict[str, ContextRef]:
    merged: dict[str, ContextRef] = {}
    waits = [allow_failure(future) for future in tracks.futures]
    for level in reversed(list(_levels(tree))):
        ids = [str(node.id) for node in level]
        inside = [[done[task_id] for task_id in node.tracks if task_id in done] for node in level]
        below = [[merged[str(inner.id)] for inner in node.groups] for node in level]
        futures = merge_group.with_options(**_cached_in_store(run)).map(
            unmapped(run), ids, inside, below, wait_for=cast("Any", waits)
        )
        for node_id, tracks_of, groups_of_it, ref in zip(ids, inside, below, futures.result(), strict=True):
            again = merge_group.with_options(refresh_cache=True)
            merged[node_id] = ref if is_stored(run, ref) else again(run, node_id, tracks_of, groups_of_it)
    return merged


def _levels(tree: GroupNode) -> Iterator[tuple[GroupNode, ...]]:
    level = tree.groups
    while level:
        yield level
        level = tuple(inner for node in level for inner in node.groups)
