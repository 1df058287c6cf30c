"""The overview of a run as markdown: verdict, tracks, time, context sizes, coverage, what is open. Words are cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contexts.documents.base import JsonObject
from contexts.documents.refs import ContextRef
from contexts.json.values import entries, section
from contexts.text.markdown_table import markdown_table
from tasks.prefect_ui.markdown import cell, row
from tasks.prefect_ui.run_metrics import measure


def track_rows(document: JsonObject) -> list[dict[str, Any]]:
    """Return one row per track for a table."""
    return [
        row(
            {
                "track": one["task_id"],
                "status": "reused" if one.get("reused") else one["status"],
                "attempts": one["attempts"],
                "seconds": one["seconds"],
                "document": _name(one.get("ref")),
                "reason": one.get("reason"),
            }
        )
        for one in document["run"]["tracks"]
    ]


def _name(ref: JsonObject | None) -> str:
    return str(ContextRef(**ref)) if ref else ""


def overview(document: JsonObject, sizes: Sequence[tuple[str, ContextRef]]) -> str:
    """Return the whole overview.

    Args:
        document: The final context.
        sizes: The contexts the phases saved, by phase.
    """
    run: JsonObject = document["run"]
    lines = [
        f"# {cell(document['workflow_id'])}: {cell(document['status'])}",
        "",
        cell(document["context_summary"], 500),
        "",
    ]
    if run.get("branch"):
        lines += [f"Branch {cell(run['branch'])} holds the integrated work.", ""]
    if run.get("reasons"):
        lines += ["## Why it is not verified", "", *(f"- {cell(reason)}" for reason in run["reasons"]), ""]
    lines += ["## Tracks", "", *_table(track_rows(document)), ""]
    lines += _metric_tables(document, sizes)
    lines += ["## Checks", "", *_table(_checks(document)), ""]
    lines += ["## Criteria", "", *_table(_criteria(document)), ""]
    concerns = entries(document, "integration_concerns")
    lines += ["## Concerns", "", *([f"- {cell(one['concern'])}" for one in concerns] or ["None."]), ""]
    actions = entries(document, "pending_actions")
    shown = [one if isinstance(one, str) else one.get("action") for one in actions]
    lines += ["## Pending actions", "", *([f"- {cell(one)}" for one in shown] or ["None."]), ""]
    return "\n".join(lines)


def _table(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    if not rows:
        return ["None."]
    names = list(rows[0])
    return markdown_table(names, [[cell(each.get(name, "")) for name in names] for each in rows])


def _metric_tables(document: JsonObject, sizes: Sequence[tuple[str, ContextRef]]) -> Iterable[str]:
    _, found = measure(document, sizes)
    for table in found:
        yield f"## {cell(table.title)}"
        yield ""
        rows = [[cell(value.display) for value in each] for each in table.rows]
        yield from markdown_table([cell(name) for name in table.columns], rows)
        yield ""
        for note in table.notes:
            yield cell(note, 500)
            yield ""


def _checks(document: JsonObject) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for one in entries(document, "evidence"):
        tests: JsonObject = section(one, "result").get("tests") or {}
        coverage: JsonObject = section(one, "result").get("coverage") or {}
        rows.append(
            {
                "check": one["check"],
                "status": one["status"] + (" (reused)" if one.get("reused") else ""),
                "tests": f"{tests['passed']}/{tests['tests']}" if tests else "",
                "coverage": f"{coverage['percent']:.1f} %" if coverage else "",
                "exit code": one.get("exit_code", ""),
                "seconds": one["seconds"],
                "tree": str(one.get("tree", ""))[:12],
                "reason": one.get("reason", ""),
            }
        )
    return rows


def _criteria(document: JsonObject) -> list[dict[str, Any]]:
    return [
        {"criterion": one["id"], "text": one["text"], "status": one["status"], "why": one["reason"]}
        for one in entries(document, "criteria")
    ]
