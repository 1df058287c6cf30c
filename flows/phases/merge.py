"""How the merge is composed: groups innermost first, level by level, then the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prefect import Task, allow_failure

from contexts.documents.refs import ContextRef
from contexts.plan.groups import GroupNode, groups_of
from contexts.store.keys import TRACKS
from flows.phases.tracks import Future, Tracks
from tasks.merge import is_at_hand, merge_contexts, merge_group
from tasks.run.run import Run


def merge_all(run: Run, parent: ContextRef, tracks: Tracks) -> ContextRef:
    """Merge all completed tracks, in groups where the plan has groups, and return the merged context."""
    tree = groups_of(run.spec)
    done = {ref.document.removeprefix(TRACKS): ref for ref in tracks.completed}
    groups = _merge_groups(run, tree, done, tracks)
    direct = [done[task_id] for task_id in tree.tracks if task_id in done]
    outer = [groups[str(node.id)].ref for node in tree.groups]
    merging = _cached_in_store(merge_contexts, run)
    merged: ContextRef = _submit(
        merging, _waits(tree, groups, tracks), run, parent, direct, outer, tracks.gaps
    ).result()
    if is_at_hand(run, merged):
        return merged
    return merge_contexts.with_options(refresh_cache=True)(run, parent, direct, outer, tracks.gaps)


@dataclass(frozen=True, slots=True)
class _Merged:
    """A group's document, and the future of the task that merged it."""

    ref: ContextRef
    future: Future


def _waits(node: GroupNode, groups: Mapping[str, _Merged], tracks: Tracks) -> list[Any]:
    """Return what the merge of a node waits for: its own tracks and groups.

    Those inside its groups are waited for there. Prefect looks at every future of every task several times, so that
    naming all tracks for each group would cost the square of their number.
    """
    inside = [tracks.futures[task_id] for task_id in node.tracks if task_id in tracks.futures]
    return [allow_failure(future) for future in (*inside, *(groups[str(inner.id)].future for inner in node.groups))]


def _submit(merging: Any, waits: list[Any], *arguments: Any) -> Future:
    return merging.submit(*arguments, wait_for=waits)  # its overloads do not know allow_failure


def _cached_in_store(merging: Task[..., Any], run: Run) -> Task[..., Any]:
    """Keep the cached merge beside the contexts where the store is a block, for any machine's Prefect to find."""
    if run.block is None:
        return merging
    from contexts.store.blocks import load_block  # noqa: PLC0415 imports the AWS blocks, which takes a second

    return merging.with_options(result_storage=load_block(run.block))


def _merge_groups(run: Run, tree: GroupNode, done: Mapping[str, ContextRef], tracks: Tracks) -> dict[str, _Merged]:
    merged: dict[str, _Merged] = {}
    merging = _cached_in_store(merge_group, run)
    again = merge_group.with_options(refresh_cache=True)
    for level in reversed(list(_levels(tree))):
        inputs = [
            (
                str(node.id),
                [done[task_id] for task_id in node.tracks if task_id in done],
                [merged[str(inner.id)].ref for inner in node.groups],
            )
            for node in level
        ]
        waits = [_waits(node, merged, tracks) for node in level]
        futures = [_submit(merging, wait, run, *given) for wait, given in zip(waits, inputs, strict=True)]
        for future, given in zip(futures, inputs, strict=True):
            ref: ContextRef = future.result()
            merged[given[0]] = _Merged(ref if is_at_hand(run, ref) else again(run, *given), future)
    return merged


def _levels(tree: GroupNode) -> Iterator[tuple[GroupNode, ...]]:
    level = tree.groups
    while level:
        yield level
        level = tuple(inner for node in level for inner in node.groups)
