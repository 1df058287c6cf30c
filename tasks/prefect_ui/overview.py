"""The overview of a run as markdown: verdict, tracks, time, context sizes, coverage, what is open. Words are cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.documents.verification import Evidence
from contexts.documents.version import SUMMARY_LIMIT
from contexts.text.markdown_table import markdown_table
from tasks.prefect_ui.markdown import Row, cell, row
from tasks.prefect_ui.run_metrics import measure


def track_rows(context: Context) -> list[Row]:
    """Return one row per track for a table."""
    return [
        row(
            {
                "track": one.task_id,
                "status": "reused" if one.reused else one.status,
                "attempts": one.attempts,
                "seconds": one.seconds,
                "document": str(one.ref) if one.ref else "",
                "reason": one.reason,
            }
        )
        for one in (context.run.tracks if context.run else None) or ()
    ]


def overview(context: Context, sizes: Sequence[tuple[str, ContextRef]]) -> str:
    """Return the whole overview.

    Args:
        context: The final context.
        sizes: The contexts the phases saved, by phase.
    """
    run = context.run
    lines = [
        f"# {cell(context.workflow_id)}: {cell(context.status)}",
        "",
        cell(context.context_summary or "", SUMMARY_LIMIT),
        "",
    ]
    if run and run.branch:
        lines += [f"Branch {cell(run.branch)} holds the integrated work.", ""]
    if run and run.reasons:
        lines += ["## Why it is not verified", "", *(f"- {cell(reason)}" for reason in run.reasons), ""]
    lines += ["## Tracks", "", *_table(track_rows(context)), ""]
    lines += _metric_tables(context, sizes)
    lines += ["## Checks", "", *_table(_checks(context)), ""]
    lines += ["## Criteria", "", *_table(_criteria(context)), ""]
    concerns = context.integration_concerns or ()
    lines += ["## Concerns", "", *([f"- {cell(one.concern)}" for one in concerns] or ["None."]), ""]
    shown = [one if isinstance(one, str) else one.action for one in context.pending_actions or ()]
    lines += ["## Pending actions", "", *([f"- {cell(one)}" for one in shown] or ["None."]), ""]
    return "\n".join(lines)


def _table(rows: Sequence[Mapping[str, object]]) -> Iterable[str]:
    if not rows:
        return ["None."]
    names = list(rows[0])
    return markdown_table(names, [[cell(each.get(name, "")) for name in names] for each in rows])


def _metric_tables(context: Context, sizes: Sequence[tuple[str, ContextRef]]) -> Iterable[str]:
    _, found = measure(context, sizes)
    for table in found:
        yield f"## {cell(table.title)}"
        yield ""
        rows = [[cell(value.display) for value in each] for each in table.rows]
        yield from markdown_table([cell(name) for name in table.columns], rows)
        yield ""
        for note in table.notes:
            yield cell(note, 500)
            yield ""


def _checks(context: Context) -> Sequence[Row]:
    return [
        row(
            {
                "check": one.check,
                "status": one.status + (" (reused)" if one.reused else ""),
                "tests": f"{tests.passed}/{tests.tests}" if (tests := one.figures.tests) else "",
                "coverage": "" if (share := _percent(one)) is None else f"{share:.1f} %",
                "exit code": one.exit_code,
                "seconds": one.seconds,
                "tree": (one.tree or "")[:12],
                "reason": one.reason,
            }
        )
        for one in context.evidence or ()
    ]


def _percent(one: Evidence) -> float | None:
    return one.figures.coverage.percent if one.figures.coverage else None


def _criteria(context: Context) -> Sequence[Row]:
    return [
        row({"criterion": one.id, "text": one.text, "status": one.status, "why": one.reason})
        for one in context.criteria or ()
    ]
