"""What will happen when a spec is run, and what to think about before: pure functions over the spec."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contexts.plan.graph import longest_path, makespan, topological_order, waves
from contexts.plan.groups import GROUP_SIZE, GroupNode, groups_of
from contexts.plan.overlaps import Overlaps, overlaps, peak_ports
from contexts.spec.checks import TestsCheck
from contexts.spec.model import Spec
from contexts.spec.runners import without_report

FEW = 5
WORTH_IT = 1.25
"""Below this speedup coordination is likely to cost more than it saves."""
SHOWN_WARNINGS = 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Estimate(_Frozen):
    """How long the tracks take, by the spec's estimates.

    Attributes:
        unit: ``minutes``, or ``tracks`` where no track has an estimate: each then counts 1.
        sequential: Sum over all tracks.
        critical: Sum over the critical path: no number of workers is faster.
        critical_path: The chain of needs with the greatest sum.
        makespan: With ``max_parallel`` tracks at a time.
        speedup_limit: ``sequential / critical``; none where nothing takes time.
        speedup: ``sequential / makespan``.
        unknown: Tracks without an estimate.
        assumed: What those were counted as: the mean of the known ones.
    """

    unit: Literal["minutes", "tracks"]
    sequential: float
    critical: float
    critical_path: tuple[str, ...]
    makespan: float
    speedup_limit: float | None
    speedup: float | None
    unknown: tuple[str, ...]
    assumed: float | None


class Advice(_Frozen):
    """How to run the tracks, or what to see to first, and why."""

    kind: Literal["sequential", "parallel", "careful", "groups", "warning", "note"]
    reason: str


class PlannedTrack(_Frozen):
    """One track with its place in the plan; ``wave`` counts from 1."""

    task_id: str
    agent: str
    needs: tuple[str, ...]
    wave: int
    required: bool
    estimate_minutes: float | None
    owns: tuple[str, ...]


class Plan(_Frozen):
    """Everything `plan` can say from the spec alone.

    Attributes:
        order: Each track after its prerequisites.
        waves: Tracks that could run side by side if all took the same time.
        width: Size of the largest wave.
        peak_ports: Ports wanted at once at worst.
        advice: The way to run first, then warnings and notes.
    """

    workflow_id: str
    tracks: tuple[PlannedTrack, ...]
    order: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    width: int
    max_parallel: int
    groups: GroupNode
    overlaps: Overlaps
    peak_ports: int
    estimate: Estimate
    advice: tuple[Advice, ...]


def make_plan(spec: Spec) -> Plan:
    """Plan a spec.

    Args:
        spec: The spec.

    Raises:
        SpecError: The tracks need each other in a cycle.
    """
    layers = waves(spec)
    wave = {task_id: number for number, layer in enumerate(layers, 1) for task_id in layer}
    found = overlaps(spec)
    estimate = _estimate(spec)
    groups = groups_of(spec)
    width = max(len(layer) for layer in layers)
    return Plan(
        workflow_id=spec.workflow_id,
        tracks=tuple(
            PlannedTrack(
                task_id=track.task_id,
                agent=track.agent,
                needs=track.needs,
                wave=wave[track.task_id],
                required=track.required,
                estimate_minutes=track.estimate_minutes,
                owns=track.owns,
            )
            for track in spec.parallel_tasks
        ),
        order=topological_order(spec),
        waves=layers,
        width=width,
        max_parallel=spec.max_parallel,
        groups=groups,
        overlaps=found,
        peak_ports=peak_ports(spec),
        estimate=estimate,
        advice=tuple(_advice(spec, width, groups, found, estimate)),
    )


def _estimate(spec: Spec) -> Estimate:
    known = {
        track.task_id: float(track.estimate_minutes)
        for track in spec.parallel_tasks
        if track.estimate_minutes is not None
    }
    unknown = tuple(track.task_id for track in spec.parallel_tasks if track.task_id not in known)
    assumed = sum(known.values()) / len(known) if known else 1.0
    weights: Mapping[str, float] = known | dict.fromkeys(unknown, assumed)
    path, critical = longest_path(spec, weights)
    sequential = math.fsum(weights.values())
    span = makespan(spec, weights, spec.max_parallel)
    return Estimate(
        unit="minutes" if known else "tracks",
        sequential=sequential,
        critical=critical,
        critical_path=path,
        makespan=span,
        speedup_limit=sequential / critical if critical else None,
        speedup=sequential / span if span else None,
        unknown=unknown,
        assumed=assumed if known and unknown else None,
    )


def _advice(spec: Spec, width: int, groups: GroupNode, found: Overlaps, estimate: Estimate) -> Iterator[Advice]:
    yield _way(spec, width, groups)
    count, path = len(spec.parallel_tasks), estimate.critical_path
    if width > 1 and len(path) > max(2, count // 2):
        chain = " -> ".join(path[:6]) + (" -> ..." if len(path) > 6 else "")
        yield Advice(
            kind="note",
            reason=f"{len(path)} of {count} tracks wait for one another ({chain}): "
            "that chain, not the number of workers, sets the time",
        )
    if estimate.unit == "minutes" and width > 1 and estimate.speedup is not None and estimate.speedup < WORTH_IT:
        yield Advice(
            kind="warning",
            reason=f"side by side is only {estimate.speedup:.2f} times as fast as one after another; "
            "coordination may cost more than it saves",
        )
    if estimate.unknown:
        few = len(estimate.unknown)
        missing = f"{few} of {count} tracks {'has' if few == 1 else 'have'} no estimate_minutes; "
        reason = (
            "no track has estimate_minutes: in the estimate each counts 1"
            if estimate.assumed is None
            else f"{missing}{_assumed(few, estimate.assumed)}, the mean of the rest"
        )
        yield Advice(kind="note", reason=reason)
    for check in spec.verification.checks:
        if isinstance(check, TestsCheck) and check.reports.junit is None:
            yield Advice(kind="warning", reason=f"check {check.id} will be unverified: {without_report(check.argv)}")
    shown = [overlap for overlap in found.listed if not overlap.ordered][:SHOWN_WARNINGS]
    yield from (Advice(kind="warning", reason=overlap.message) for overlap in shown)
    if found.unsettled > len(shown):
        yield Advice(kind="warning", reason=f"{found.unsettled} overlaps in all, of which {len(shown)} are shown here")


def _assumed(few: int, minutes: float) -> str:
    said = f"{minutes:g} {'minute' if minutes == 1 else 'minutes'}"
    return f"it is counted as {said}" if few == 1 else f"they are counted as {said} each"


def _way(spec: Spec, width: int, groups: GroupNode) -> Advice:
    """Say how to run, by the number of tracks: 3 to 5 is best, 6 to 10 wants care, beyond that groups."""
    count = len(spec.parallel_tasks)
    if count == 1:
        return Advice(kind="sequential", reason="there is one track, so nothing runs beside it")
    if width == 1:
        return Advice(kind="sequential", reason=f"all {count} tracks form one chain of needs: none run side by side")
    if count <= FEW:
        return Advice(kind="parallel", reason=f"{count} tracks, {width} side by side: few enough to merge easily")
    if count <= GROUP_SIZE:
        return Advice(
            kind="careful",
            reason=f"{count} tracks: from 6 to 10 each further track gains less and merging gets harder; "
            "fix contracts and owns first",
        )
    top = len(groups.groups)
    own = "" if spec.groups else "; name your own under groups to keep related tracks together"
    reason = f"{count} tracks are more than {GROUP_SIZE}: they are merged in {top} group{'s' * (top != 1)} first{own}"
    return Advice(kind="groups", reason=reason)
