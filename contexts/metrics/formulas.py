"""Numbers about a run, each computed from recorded times and sizes, with its formula, unit and inputs.

A number that cannot be computed is absent, with the reason; none is guessed. The raw value is kept beside the text for
people. A reused track keeps the time it took when it ran, and is said to be reused: such tracks take part in no number
that compares with this run's clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contexts.documents.base import parse_instant
from contexts.metrics.records import (
    TRACKS_PHASE,
    Absent,
    Metric,
    Metrics,
    PhaseTimes,
    TrackCoverage,
    TrackTimes,
    duration,
    elapsed,
    show,
)
from contexts.plan.graph import heaviest_chain


@dataclass(slots=True)
class _Sheet:
    """Collects metrics and reasons; a formula with an absent input is absent for that reason."""

    found: dict[str, Metric] = field(default_factory=dict[str, Metric])
    absent: dict[str, str] = field(default_factory=dict[str, str])

    def put(
        self, name: str, value: float, unit: str, formula: str, inputs: Mapping[str, float], note: str | None = None
    ) -> None:
        shown = show(value, unit)
        self.found[name] = Metric(
            name=name, value=value, unit=unit, formula=formula, inputs=dict(inputs), display=shown, note=note
        )

    def ratio(self, name: str, above: str, below: str, formula: str, note: str | None = None) -> None:
        """Put ``above / below``, or the reason why not."""
        for part in (above, below):
            if part not in self.found:
                self.absent[name] = f"{part} is missing: {self.absent.get(part, 'it was not recorded')}"
                return
        top, bottom = self.found[above].value, self.found[below].value
        if not bottom:
            self.absent[name] = f"{below} is 0"
            return
        self.put(name, top / bottom, "x", formula, {above: top, below: bottom}, note)


def compute(
    tracks: Sequence[TrackTimes],
    phases: Sequence[PhaseTimes] = (),
    *,
    max_parallel: int | None = None,
    coverage: Sequence[TrackCoverage] = (),
) -> Metrics:
    """Compute every number the records allow.

    Args:
        tracks: In spec order.
        phases: In the order they ran.
        max_parallel: How many tracks could run at a time.
        coverage: Per track, where measured.
    """
    sheet = _Sheet()
    _track_times(sheet, tracks)
    _this_run(sheet, tracks, phases, max_parallel)
    _overall(sheet, phases)
    _sizes(sheet, tracks, phases)
    _coverage(sheet, coverage)
    absent = tuple(Absent(name=name, reason=reason) for name, reason in sheet.absent.items())
    return Metrics(metrics=tuple(sheet.found.values()), absent=absent)


def _known(tracks: Iterable[TrackTimes]) -> tuple[dict[str, float], str | None]:
    """Return the durations, or with a reason why they are not complete."""
    known: dict[str, float] = {}
    missing: list[str] = []
    for track in tracks:
        seconds = duration(track)
        if isinstance(seconds, str):
            missing.append(f"{track.task_id}: {seconds}")
        else:
            known[track.task_id] = seconds
    return known, "; ".join(missing) or None


def _track_times(sheet: _Sheet, tracks: Sequence[TrackTimes]) -> None:
    for track in tracks:
        name, seconds = f"track_seconds.{track.task_id}", duration(track)
        if isinstance(seconds, str):
            sheet.absent[name] = seconds
            continue
        by_clock = track.seconds is None
        note = "reused: the time it took when it ran" if track.reused else None
        if track.attempts > 1:
            note = "; ".join(filter(None, (note, f"{track.attempts} attempts together")))
        formula = "completed_at - started_at" if by_clock else "recorded by a steady clock"
        sheet.put(name, seconds, "s", formula, {"seconds": seconds}, note)
    _sum_and_path(sheet, tracks, "sequential_sum", "critical_path", "all tracks")
    reused = [track.task_id for track in tracks if track.reused]
    for name in ("sequential_sum", "critical_path"):
        if reused and name in sheet.found:
            note = f"with the original times of reused tracks: {', '.join(reused)}"
            sheet.found[name] = sheet.found[name].model_copy(update={"note": note})
    sheet.ratio("parallel_limit", "sequential_sum", "critical_path", "sequential_sum / critical_path")


def _sum_and_path(
    sheet: _Sheet, tracks: Sequence[TrackTimes], total: str, path: str, which: str, *, ran_only: bool = False
) -> None:
    counted = [track for track in tracks if not (ran_only and track.reused)]
    known, missing = _known(counted)
    if missing or not known:
        sheet.absent[total] = sheet.absent[path] = missing or "there are no such tracks"
        return
    sheet.put(total, math.fsum(known.values()), "s", f"sum of the seconds of {which}", known)
    # A reused track holds up nothing, but what needs it still comes after what it needs.
    weights = dict.fromkeys((track.task_id for track in tracks), 0.0) | known
    needs = {track.task_id: tuple(need for need in track.needs if need in weights) for track in tracks}
    heaviest, seconds = heaviest_chain(needs, weights)
    chain = [task_id for task_id in heaviest if task_id in known]
    inputs = {task_id: known[task_id] for task_id in chain}
    formula = "greatest sum of seconds along needs: " + " -> ".join(chain)
    sheet.put(path, seconds, "s", formula, inputs)


def _this_run(
    sheet: _Sheet, tracks: Sequence[TrackTimes], phases: Sequence[PhaseTimes], max_parallel: int | None
) -> None:
    """Compare this run's clock with the tracks that ran in it."""
    ran = [track for track in tracks if not track.reused]
    note = (
        f"without reused tracks: {', '.join(t.task_id for t in tracks if t.reused)}" if len(ran) < len(tracks) else None
    )
    if not ran:
        reason = "every track was reused, so nothing ran" if tracks else "there are no tracks"
        for name in ("tracks_wall", "ran_sum", "ran_critical_path", "speedup", "efficiency", "wall_over_critical"):
            sheet.absent[name] = reason
        return
    _tracks_wall(sheet, ran, phases)
    _sum_and_path(sheet, tracks, "ran_sum", "ran_critical_path", "the tracks that ran in this run", ran_only=True)
    sheet.ratio("speedup", "ran_sum", "tracks_wall", "ran_sum / tracks_wall", note)
    sheet.ratio("wall_over_critical", "tracks_wall", "ran_critical_path", "tracks_wall / ran_critical_path", note)
    if max_parallel is None:
        sheet.absent["efficiency"] = "max_parallel is not known"
    elif "speedup" not in sheet.found:
        sheet.absent["efficiency"] = f"speedup is missing: {sheet.absent['speedup']}"
    else:
        workers, speedup = min(max_parallel, len(ran)), sheet.found["speedup"].value
        inputs = {"speedup": speedup, "max_parallel": max_parallel, "tracks_run": len(ran)}
        formula = "100 * speedup / min(max_parallel, tracks_run)"
        sheet.put("efficiency", 100 * speedup / workers, "%", formula, inputs, note)


def _tracks_wall(sheet: _Sheet, ran: Sequence[TrackTimes], phases: Sequence[PhaseTimes]) -> None:
    phase = next((phase for phase in phases if phase.name == TRACKS_PHASE), None)
    if phase is not None:
        seconds = elapsed(phase.started_at, phase.completed_at)
        if not isinstance(seconds, str):
            formula = "end of the tracks phase - its start"
            sheet.put("tracks_wall", seconds, "s", formula, {"seconds": seconds})
            return
    starts = [track.started_at for track in ran if track.started_at is not None]
    ends = [track.completed_at for track in ran if track.completed_at is not None]
    if len(starts) < len(ran) or len(ends) < len(ran):
        sheet.absent["tracks_wall"] = "neither the tracks phase nor every track has a recorded start and end"
        return
    seconds = elapsed(min(starts, key=parse_instant), max(ends, key=parse_instant))
    if isinstance(seconds, str):
        sheet.absent["tracks_wall"] = seconds
    else:
        sheet.put("tracks_wall", seconds, "s", "last end - first start of the tracks run", {"seconds": seconds})


def _overall(sheet: _Sheet, phases: Sequence[PhaseTimes]) -> None:
    """Compare the whole run with doing its tracks one after another; the other phases are as long either way."""
    if not phases:
        sheet.absent["wall"] = sheet.absent["overall_speedup"] = sheet.absent["saved"] = "no phases were recorded"
        return
    known: dict[str, float] = {}
    for phase in phases:
        seconds = elapsed(phase.started_at, phase.completed_at)
        if isinstance(seconds, str):
            reason = f"{phase.name}: {seconds}"
            sheet.absent["wall"] = sheet.absent["overall_speedup"] = sheet.absent["saved"] = reason
            return
        known[phase.name] = known.get(phase.name, 0) + seconds
    starts = [phase.started_at for phase in phases if phase.started_at is not None]
    ends = [phase.completed_at for phase in phases if phase.completed_at is not None]
    wall = (parse_instant(max(ends, key=parse_instant)) - parse_instant(min(starts, key=parse_instant))).total_seconds()
    sheet.put("wall", wall, "s", "last end - first start of the phases", known)
    if "ran_sum" not in sheet.found or "tracks_wall" not in sheet.found:
        missing = "ran_sum" if "ran_sum" not in sheet.found else "tracks_wall"
        reason = f"{missing} is missing: {sheet.absent[missing]}"
        sheet.absent["overall_speedup"] = sheet.absent["saved"] = reason
        return
    ran, tracks = sheet.found["ran_sum"].value, sheet.found["tracks_wall"].value
    inputs = {"wall": wall, "ran_sum": ran, "tracks_wall": tracks}
    sheet.put("overall_sequential", wall - tracks + ran, "s", "wall - tracks_wall + ran_sum", inputs)
    sheet.ratio("overall_speedup", "overall_sequential", "wall", "overall_sequential / wall")
    sheet.put("saved", ran - tracks, "s", "ran_sum - tracks_wall", {"ran_sum": ran, "tracks_wall": tracks})


def _sizes(sheet: _Sheet, tracks: Sequence[TrackTimes], phases: Sequence[PhaseTimes]) -> None:
    for phase in phases:
        for what, unit, value in (("bytes", "bytes", phase.context_bytes), ("files", "files", phase.files)):
            if value is None:
                sheet.absent[f"context_{what}.{phase.name}"] = "it was not recorded"
            else:
                sheet.put(f"context_{what}.{phase.name}", value, unit, "as recorded", {phase.name: value})
    sizes = {track.task_id: track.context_bytes for track in tracks if track.context_bytes is not None}
    if tracks and len(sizes) == len(tracks):
        sheet.put("context_bytes.all_tracks", sum(sizes.values()), "bytes", "sum over the tracks' documents", sizes)
    else:
        sheet.absent["context_bytes.all_tracks"] = "not every track's size was recorded"
    sheet.ratio(
        "merged_size_ratio",
        "context_bytes.merge",
        "context_bytes.all_tracks",
        "context_bytes.merge / context_bytes.all_tracks",
    )


def _coverage(sheet: _Sheet, coverage: Sequence[TrackCoverage]) -> None:
    if not coverage:
        sheet.absent["coverage_mean"] = sheet.absent["coverage_weighted"] = "no coverage was measured"
        return
    shares = {entry.task_id: entry.percent for entry in coverage}
    mean = math.fsum(shares.values()) / len(shares)
    sheet.put("coverage_mean", mean, "%", "sum of percent / number of tracks (unweighted)", shares)
    weights = {entry.task_id: entry.statements for entry in coverage if entry.statements is not None}
    total = sum(weights.values())
    if len(weights) < len(coverage):
        sheet.absent["coverage_weighted"] = "the number of statements is not known for every track"
    elif not total:
        sheet.absent["coverage_weighted"] = "there are no statements"
    else:
        value = math.fsum(shares[task_id] * weight for task_id, weight in weights.items()) / total
        formula = "sum of percent * statements / sum of statements"
        inputs = shares | {f"{task_id}.statements": weight for task_id, weight in weights.items()}
        sheet.put("coverage_weighted", value, "%", formula, inputs)
