"""The overview of a run as markdown: verdict, tracks, time, context sizes, coverage, what is open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from contexts.model.base import JsonObject, entries, section
from contexts.model.refs import ContextRef

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def plain(value: object, most: int = 300) -> str:
    """Return a value as markdown text that renders as itself, on one line, whatever an agent wrote."""
    text = " ".join(str(value).split())
    return _SPECIAL.sub(r"\\\1", text if len(text) <= most else text[: most - 1] + "…")


def track_rows(document: JsonObject) -> list[dict[str, Any]]:
    """Return one row per track for a table."""
    return [
        {
            "track": one["task_id"],
            "status": "reused" if one.get("reused") else one["status"],
            "attempts": one["attempts"],
            "seconds": one["seconds"],
            "document": _name(one.get("ref")),
            "reason": one.get("reason") or "",
        }
        for one in document["run"]["tracks"]
    ]


def _name(ref: JsonObject | None) -> str:
    return str(ContextRef(**ref)) if ref else ""


def overview(document: JsonObject, phases: Sequence[ContextRef]) -> str:
    """Return the whole overview.

    Args:
        document: The final context.
        phases: The contexts each phase saved, in order.
    """
    run: JsonObject = document["run"]
    lines = [
        f"# {plain(document['workflow_id'])}: {plain(document['status'])}",
        "",
        plain(document["context_summary"], 500),
        "",
    ]
    if run.get("branch"):
        lines += [f"Branch `{run['branch']}` holds the integrated work.", ""]
    if run.get("reasons"):
        lines += ["## Why it is not verified", "", *(f"- {plain(reason)}" for reason in run["reasons"]), ""]
    lines += ["## Tracks", "", *_table(track_rows(document)), ""]
    lines += ["## Time", "", *_table(_times(document)), ""]
    lines += ["## Context sizes", "", *_table(_sizes(document, phases)), ""]
    lines += ["## Checks", "", *_table(_checks(document)), ""]
    lines += ["## Criteria", "", *_table(_criteria(document)), ""]
    concerns = entries(document, "integration_concerns")
    lines += ["## Concerns", "", *([f"- {plain(one['concern'])}" for one in concerns] or ["None."]), ""]
    actions = entries(document, "pending_actions")
    shown = [one if isinstance(one, str) else one.get("action") for one in actions]
    lines += ["## Pending actions", "", *([f"- {plain(one)}" for one in shown] or ["None."]), ""]
    return "\n".join(lines)


def _table(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    if not rows:
        return ["None."]
    names = list(rows[0])
    return [
        "| " + " | ".join(names) + " |",
        "|" + " --- |" * len(names),
        *("| " + " | ".join(plain(row.get(name, "")) for name in names) + " |" for row in rows),
    ]


def _times(document: JsonObject) -> list[dict[str, Any]]:
    run: JsonObject = document["run"]
    worked = [float(one["seconds"]) for one in run["tracks"] if one["status"] == "completed"]
    rows: list[dict[str, Any]] = [
        {"what": "tracks one after another", "value": f"{sum(worked):.1f} s", "formula": "sum of the tracks' times"},
        {"what": "longest track", "value": f"{max(worked, default=0):.1f} s", "formula": "max of the tracks' times"},
    ]
    if any(one.get("reused") for one in run["tracks"]):
        rows.append(
            {"what": "note", "value": "some tracks were reused", "formula": "their times are of the run that did them"}
        )
    return rows


def _sizes(document: JsonObject, phases: Sequence[ContextRef]) -> list[dict[str, Any]]:
    initial, *later = phases
    tracks = [ContextRef(**one["ref"]) for one in document["run"]["tracks"] if one.get("ref")]
    named = [
        ("initial", initial),
        *((ref.document, ref) for ref in tracks),
        *zip(("merged", "final"), later, strict=True),
    ]
    return [{"phase": name, "revision": ref.revision, "bytes": ref.size} for name, ref in named]


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
