"""`plait plan`: what a run would do, and how long it would take, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.cli.run_options import Fresh, RepositoryOption, Rerun, check_tracks
from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.plan import Estimate, GroupNode, Plan
    from contexts.plan.reuse import Reuse
    from tasks.run.plan_checks import Tried

_MOST_ROWS = 60
_MOST_OVERLAPS = 10


def plan(
    spec: Path,
    /,
    *,
    replay: Annotated[Path | None, Parameter(help="As for run: the context files that would be played back.")] = None,
    fresh: Fresh = False,
    rerun: Rerun = (),
    repository: RepositoryOption = None,
    checks: Annotated[
        bool, Parameter(negative=(), help="Run the checks on the base commit too; exit code 1 if a required one fails.")
    ] = False,
    session: Given,
) -> int:
    """Show order, waves, groups, overlaps, estimate, advice, and what `run` would reuse from the store, and why.

    Args:
        spec: The spec, YAML or JSON.
    """
    from contexts.plan import make_plan
    from contexts.redaction import know_values_of
    from contexts.spec.load import expand_workflow_id, load_spec
    from tasks.run.reuse import plan_reuse

    loaded = load_spec(spec)
    know_values_of(loaded.raw, repository)
    check_tracks(rerun, loaded.spec)
    made = make_plan(loaded.spec)
    workflow_id = expand_workflow_id(loaded.spec.workflow_id, datetime.now(UTC))
    expected = plan_reuse(
        loaded,
        session.contexts(),
        workflow_id,
        replay=replay,
        repository=repository,
        forced=frozenset(rerun),
        fresh=fresh,
    )
    if not session.as_json:
        _print(session.out(), made, workflow_id, {one.task_id: one for one in expected})
    tried = _try_checks(spec, repository, session) if checks else None
    if session.as_json:
        more = {"workflow_id": workflow_id, "reuse": [asdict(one) for one in expected]}
        if tried is not None:
            more["checks"] = [_told(one) for one in tried]
        session.emit({**made.model_dump(mode="json"), **more})
    return int(any(one.check.required and one.evidence and one.evidence.status != "passed" for one in tried or ()))


def _try_checks(spec: Path, repository: str | None, session: Given) -> list[Tried]:
    """Run the checks at the base, and print each as it ends."""
    from contexts.spec.request import RunRequest
    from tasks.run.plan_checks import try_checks

    found: list[Tried] = []
    out = None if session.as_json else session.out()
    if out:
        out.print()
        out.print(Text("checks at the base commit", style="bold"))
    for one in try_checks(RunRequest(spec=str(spec), repository=repository)):
        found.append(one)
        if out:
            told = _told(one)
            line = f"{told['status']:<11} {told['check']}" + (f"  {told['reason']}" if told["reason"] else "")
            out.print(Text(line), soft_wrap=True)
    return found


def _told(one: Tried) -> dict[str, str]:
    if one.evidence is None:
        return {"check": one.check.id, "status": "not run", "reason": "it compares what tracks say"}
    return {"check": one.check.id, "status": one.evidence.status, "reason": one.evidence.reason or ""}


def _print(console: Console, made: Plan, workflow_id: str, expected: dict[str, Reuse]) -> None:
    from contexts.text.plural import and_more, counted
    from flows.cli.terminal.tables import print_table

    count = len(made.tracks)
    reused = sum(one.action == "reuse" for one in expected.values())
    counts = f"{counted(count, 'track')}, {counted(len(made.waves), 'wave')}, {reused} reused"
    console.print(Text.assemble((workflow_id, "bold"), f"  {counts}"), soft_wrap=True)
    console.print()
    by_id = {track.task_id: track for track in made.tracks}
    with_estimate = any(track.estimate_minutes is not None for track in made.tracks)
    print_table(
        console,
        ("wave", "track", "agent", "needs", *(("minutes",) if with_estimate else ()), "action", "why"),
        [
            (
                str(by_id[task_id].wave),
                task_id,
                by_id[task_id].agent,
                ", ".join(by_id[task_id].needs),
                *((_number(by_id[task_id].estimate_minutes),) if with_estimate else ()),
                expected[task_id].action,
                expected[task_id].reason,
            )
            for task_id in made.order[:_MOST_ROWS]
        ],
        right=("wave", "minutes"),
        cut=("agent", "needs"),
        fold=("why",),
    )
    if more := and_more(count - _MOST_ROWS, "track"):
        console.print(f"{more}, all of them with --json", style="dim")
    console.print()
    lines = list(_remarks(made))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in lines:
        grid.add_row(name, text)
    console.print(grid)


def _remarks(made: Plan) -> Iterator[tuple[str, Text]]:
    if made.groups.groups:
        yield "groups", Text(_tree(made.groups))
    yield from (("estimate", Text(line)) for line in _estimate(made.estimate, made.max_parallel))
    shown = made.overlaps.listed[:_MOST_OVERLAPS]
    for overlap in shown:
        yield "overlap", Text(overlap.message, style="dim" if overlap.ordered else "yellow")
    if made.overlaps.total > len(shown):
        yield "", Text(f"{made.overlaps.total} overlaps in all; --json lists them", style="dim")
    said = {overlap.message for overlap in shown}
    for advice in made.advice:
        if advice.reason not in said:
            yield "advice", Text(f"{advice.kind}: {advice.reason}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _tree(node: GroupNode) -> str:
    inner = [*node.tracks, *(_tree(group) for group in node.groups)]
    shown = ", ".join(inner[:12]) + (f", ... ({len(inner)})" if len(inner) > 12 else "")
    return f"{node.id}({shown})" if node.id else shown


def _estimate(estimate: Estimate, max_parallel: int) -> Iterator[str]:
    unit = estimate.unit
    whole = unit.removesuffix("s") if estimate.sequential == 1 else unit
    yield f"{estimate.sequential:g} {whole} one after another, {estimate.makespan:g} with {max_parallel} at a time"
    path = " -> ".join(estimate.critical_path[:8]) + (" -> ..." if len(estimate.critical_path) > 8 else "")
    yield f"critical path {estimate.critical:g} {unit.removesuffix('s') if estimate.critical == 1 else unit}: {path}"
    if estimate.speedup is not None and estimate.speedup_limit is not None:
        yield f"speedup {estimate.speedup:.2f}; at most {estimate.speedup_limit:.2f} however many run at once"
