"""The graph of ``needs``: order, waves, prerequisites, longest path, and how long a limited number of workers takes."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from contexts.errors import SpecError
from contexts.spec.model import Spec


def topological_order(spec: Spec) -> tuple[str, ...]:
    """Return the tracks so that each comes after its prerequisites; where either may come first, in spec order.

    Raises:
        SpecError: The tracks need each other in a cycle.
    """
    index = {track.task_id: number for number, track in enumerate(spec.parallel_tasks)}
    waiting = {track.task_id: len(set(track.needs)) for track in spec.parallel_tasks}
    dependents = _dependents(spec)
    ready = [number for task_id, number in index.items() if not waiting[task_id]]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        task_id = spec.parallel_tasks[heapq.heappop(ready)].task_id
        order.append(task_id)
        for dependent in dependents[task_id]:
            waiting[dependent] -= 1
            if not waiting[dependent]:
                heapq.heappush(ready, index[dependent])
    if len(order) < len(index):
        stuck = [task_id for task_id in index if waiting[task_id]]
        raise SpecError(f"tracks need each other in a cycle, or need one that does: {', '.join(stuck[:10])}; cut it")
    return tuple(order)


def _dependents(spec: Spec) -> dict[str, list[str]]:
    dependents: dict[str, list[str]] = {track.task_id: [] for track in spec.parallel_tasks}
    for track in spec.parallel_tasks:
        for need in dict.fromkeys(track.needs):
            dependents[need].append(track.task_id)
    return dependents


def waves(spec: Spec) -> tuple[tuple[str, ...], ...]:
    """Return the tracks by the length of their longest chain of prerequisites, each wave in spec order.

    Waves are for people and for grouping: a track starts when its own prerequisites are done, not when a wave is.
    """
    level: dict[str, int] = {}
    needs = {track.task_id: track.needs for track in spec.parallel_tasks}
    for task_id in topological_order(spec):
        level[task_id] = max((level[need] + 1 for need in needs[task_id]), default=0)
    found: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for track in spec.parallel_tasks:
        found[level[track.task_id]].append(track.task_id)
    return tuple(tuple(wave) for wave in found)


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Who needs whom, over any number of steps; one bit a track, so that a thousand tracks cost a thousand integers."""

    index: Mapping[str, int]
    above: Mapping[str, int]

    def needs(self, task_id: str, other: str) -> bool:
        """Return whether a track needs another, directly or through others."""
        return bool(self.above[task_id] >> self.index[other] & 1)

    def ordered(self, one: str, other: str) -> bool:
        """Return whether two tracks can never run at the same time."""
        return self.needs(one, other) or self.needs(other, one)


def ancestry(spec: Spec) -> Ancestry:
    """Compute all transitive prerequisites at once."""
    index = {track.task_id: number for number, track in enumerate(spec.parallel_tasks)}
    direct = {track.task_id: track.needs for track in spec.parallel_tasks}
    above: dict[str, int] = {}
    for task_id in topological_order(spec):
        above[task_id] = reduce(lambda bits, need: bits | above[need] | 1 << index[need], direct[task_id], 0)
    return Ancestry(index, above)


def all_needs(spec: Spec) -> dict[str, tuple[str, ...]]:
    """Return, for every track, all it stands on, directly or through others, in spec order."""
    order = [track.task_id for track in spec.parallel_tasks]
    above = ancestry(spec).above
    return {task_id: tuple(_named(above[task_id], order)) for task_id in order}


def _named(bits: int, order: Sequence[str]) -> Iterator[str]:
    while bits:
        lowest = bits & -bits
        yield order[lowest.bit_length() - 1]
        bits ^= lowest


def transitive_needs(spec: Spec, task_id: str) -> tuple[str, ...]:
    """Return everything a track stands on, directly or through others, in spec order.

    Raises:
        KeyError: No track is called so.
    """
    direct = {track.task_id: track.needs for track in spec.parallel_tasks}
    found: set[str] = set()
    todo = list(direct[task_id])
    while todo:
        need = todo.pop()
        if need not in found:
            found.add(need)
            todo.extend(direct[need])
    return tuple(track.task_id for track in spec.parallel_tasks if track.task_id in found)


def longest_path(spec: Spec, weights: Mapping[str, float]) -> tuple[tuple[str, ...], float]:
    """Return the chain of needs with the greatest sum of weights, and that sum: no number of workers is faster."""
    needs = {track.task_id: track.needs for track in spec.parallel_tasks}
    return heaviest_chain({task_id: needs[task_id] for task_id in topological_order(spec)}, weights)


def heaviest_chain(needs: Mapping[str, Sequence[str]], weights: Mapping[str, float]) -> tuple[tuple[str, ...], float]:
    """Return the chain with the greatest sum of weights, and that sum, over needs without a cycle, in any order."""
    total: dict[str, float] = {}
    before: dict[str, str | None] = {}
    stack = [iter(needs)]
    trail: list[str] = []
    while stack:
        task_id = next((name for name in stack[-1] if name not in total), None)
        if task_id is not None:
            trail.append(task_id)
            stack.append(iter(needs[task_id]))
            continue
        stack.pop()
        if trail:
            done = trail.pop()
            last = max(needs[done], key=lambda need: total[need], default=None)
            before[done] = last
            total[done] = weights[done] + (total[last] if last is not None else 0)
    end: str | None = max(total, key=lambda name: total[name])
    length = total[end]
    path: list[str] = []
    while end is not None:
        path.append(end)
        end = before[end]
    return tuple(reversed(path)), length


def makespan(spec: Spec, weights: Mapping[str, float], workers: int) -> float:
    """Return when the last track ends, with a limited number at a time.

    The rule is the one runs follow: a track whose prerequisites are done starts as soon as a worker is free, those that
    became ready first going first, then in spec order (list scheduling; at most twice the best, Graham 1969).
    """
    index = {track.task_id: number for number, track in enumerate(spec.parallel_tasks)}
    waiting = {track.task_id: len(set(track.needs)) for track in spec.parallel_tasks}
    dependents = _dependents(spec)
    ready = [(0.0, number) for task_id, number in index.items() if not waiting[task_id]]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < workers:
            _, number = heapq.heappop(ready)
            heapq.heappush(running, (now + weights[spec.parallel_tasks[number].task_id], number))
        now, number = heapq.heappop(running)
        for dependent in dependents[spec.parallel_tasks[number].task_id]:
            waiting[dependent] -= 1
            if not waiting[dependent]:
                heapq.heappush(ready, (now, index[dependent]))
    return now
