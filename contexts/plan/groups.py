"""The tree in which tracks are merged: the spec's groups, or balanced ones where there are many tracks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from contexts.spec.model import Spec
from contexts.spec.policy import Group

GROUP_SIZE = 10
"""More tracks than this are merged in groups."""

_Item = TypeVar("_Item")


class GroupNode(BaseModel):
    """Tracks and groups that are merged among themselves; the outermost has no id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    tracks: tuple[str, ...] = ()
    groups: tuple[GroupNode, ...] = ()


def groups_of(spec: Spec) -> GroupNode:
    """Return the tree in which tracks are merged: the spec's groups, else groups of at most ten in spec order.

    Tracks that no group names stay at the top, in groups of their own if there are more than ten.
    """
    named: set[str] = set()
    explicit = tuple(_explicit(group, named) for group in spec.groups)
    rest = tuple(track.task_id for track in spec.parallel_tasks if track.task_id not in named)
    if len(rest) <= GROUP_SIZE:
        return GroupNode(tracks=rest, groups=explicit)
    taken = {group.id for group in _all_groups(spec.groups)}
    names = itertools.chain(("group",), (f"auto{number}" for number in itertools.count(1)))
    prefix = next(name for name in names if not any(other.startswith(f"{name}-") for other in taken))
    return GroupNode(groups=(*explicit, *_balanced(rest, prefix)))


def _all_groups(groups: tuple[Group, ...]) -> Iterator[Group]:
    for group in groups:
        yield group
        yield from _all_groups(group.groups)


def _explicit(group: Group, named: set[str]) -> GroupNode:
    named.update(group.tracks)
    return GroupNode(id=group.id, tracks=group.tracks, groups=tuple(_explicit(inner, named) for inner in group.groups))


def _balanced(tracks: tuple[str, ...], prefix: str) -> tuple[GroupNode, ...]:
    """Cut into groups whose sizes differ by at most one, and those into groups again, until at most ten are left."""
    level = [GroupNode(tracks=part) for part in _cut(tracks)]
    while len(level) > GROUP_SIZE:
        level = [GroupNode(groups=part) for part in _cut(tuple(level))]
    return _named(tuple(level), prefix)


def _cut(items: tuple[_Item, ...]) -> list[tuple[_Item, ...]]:
    count = math.ceil(len(items) / GROUP_SIZE)
    cuts = [len(items) * number // count for number in range(count + 1)]
    return [items[start:end] for start, end in itertools.pairwise(cuts)]


def _named(nodes: tuple[GroupNode, ...], prefix: str) -> tuple[GroupNode, ...]:
    return tuple(
        GroupNode(id=f"{prefix}-{number}", tracks=node.tracks, groups=_named(node.groups, f"{prefix}-{number}"))
        for number, node in enumerate(nodes, 1)
    )
