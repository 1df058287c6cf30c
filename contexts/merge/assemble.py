"""The merged document: the parent's words, the tracks' lists, and where everything came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from contexts.merge.contribution import Contribution, Contributions
from contexts.merge.derive import Derived, derive
from contexts.model.base import JsonObject, entries, parse_instant

_NOT_CARRIED = {
    "_checksum", "version", "workflow_id", "timestamp", "current_agent", "next_agent", "phase", "parallel_tasks",
    "context_summary", "kind", "run", "status",
}  # fmt: skip
"""Head fields that the merged document has of its own."""


def assemble(
    parent: JsonObject,
    contributions: Contributions,
    *,
    timestamp: str,
    gaps: Mapping[str, str] | None = None,
    extra_concerns: Iterable[JsonObject] = (),
    files_settled: bool = False,
    expanded: bool = False,
) -> JsonObject:
    """Return the merged document.

    Args:
        parent: The workflow's document: order of tracks, requirements, constraints, criteria.
        contributions: The state of the merge.
        timestamp: When the merge was made, ISO 8601.
        gaps: For tracks without a contribution, why there is none; default: "no document".
        extra_concerns: Concerns found elsewhere, such as branches that conflict.
        files_settled: Whether git has already decided files that several tracks changed.
        expanded: Carry each track's remaining document inline (as JSON fragments) instead of by reference.
    """
    planned: list[JsonObject] = entries(parent, "parallel_tasks")
    order = [str(entry["task_id"]) for entry in planned]
    derived = derive(contributions, order)
    missing = [task_id for task_id in order if task_id not in contributions]
    why = gaps or {}
    for task_id in missing:
        derived.omissions.append({"what": "track", "why": why.get(task_id, "no document"), "task_id": task_id})
        derived.concerns.append(
            {
                "concern": f"Track {task_id} is missing from the merge: {why.get(task_id, 'no document')}",
                "kind": "missing-track",
                "status": "open",
                "tracks": [task_id],
            }
        )
    if not files_settled:
        derived.concerns.extend(_shared_files(derived))
    derived.concerns.extend(extra_concerns)
    return {
        **_head(parent, derived, timestamp, missing, len(contributions)),
        **{key: parent[key] for key in parent if key not in _NOT_CARRIED and key not in derived.lists},
        "parallel_tasks": [_closed_entry(entry, contributions, why) for entry in planned],
        "parallel_execution_summary": _summary(planned, contributions, order),
        **derived.lists,
        "integration_concerns": [*entries(parent, "integration_concerns"), *derived.concerns],
        "metrics": {"total_files_modified": len(derived.lists["files_modified"])},
        "track_contexts": {
            task_id: _track(contributions[task_id], expanded=expanded) for task_id in _in_order(contributions, order)
        },
        "provenance": derived.provenance,
        "omissions": derived.omissions,
    }


def _head(parent: JsonObject, derived: Derived, timestamp: str, missing: Sequence[str], done: int) -> JsonObject:
    phase = "parallel-partial-merge" if missing else "parallel-complete-merge"
    gap = f" Missing: {', '.join(missing)}." if missing else ""
    summary = (
        f"Merged {done} of {done + len(missing)} tracks: {len(derived.lists['files_modified'])} files, "
        f"{len(derived.lists['decisions'])} decisions, {len(derived.lists['pending_actions'])} pending actions, "
        f"{len(derived.concerns)} concerns.{gap}"
    )
    return {
        "version": parent.get("version", "1.0"),
        "workflow_id": parent.get("workflow_id"),
        "timestamp": timestamp,
        "current_agent": "orchestrator",
        "next_agent": "integration-verifier",
        "phase": phase,
        "status": "partial" if missing else "complete",
        "context_summary": summary if len(summary) <= 500 else summary[:497] + "...",
    }


def _in_order(contributions: Contributions, order: Sequence[str]) -> list[str]:
    known = set(order)
    return [task for task in order if task in contributions] + sorted(
        task for task in contributions if task not in known
    )


def _closed_entry(entry: JsonObject, contributions: Contributions, gaps: Mapping[str, str]) -> JsonObject:
    one = contributions.get(entry["task_id"])
    if one is None:
        return {**entry, "status": "missing", "reason": gaps.get(entry["task_id"], "no document")}
    return {**entry, "status": one.facts.get("status") or "completed"}


def _track(one: Contribution, *, expanded: bool) -> JsonObject:
    track: JsonObject = {"ref": one.ref.model_dump() if one.ref else None, "sha256": one.sha256}
    if expanded and one.rest:
        track["context"] = orjson.Fragment(one.rest)
    return track


def _shared_files(derived: Derived) -> Iterable[JsonObject]:
    for path, sources in zip(derived.lists["files_modified"], derived.provenance["files_modified"], strict=True):
        if len(sources) == 1:
            continue
        tracks = list(dict.fromkeys(source.partition("#")[0] for source in sources))
        if len(tracks) > 1:
            yield {
                "concern": f"{path} was changed by {', '.join(tracks)}",
                "kind": "same-file",
                "status": "open",
                "tracks": tracks,
                "files": [path],
            }


def _times(entry: JsonObject, one: Contribution) -> tuple[datetime, datetime] | None:
    start = one.facts.get("started_at") or entry.get("started_at")
    end = one.facts.get("completed_at") or one.facts.get("timestamp")
    try:
        return (parse_instant(start), parse_instant(end)) if start and end else None
    except (ValueError, TypeError):
        return None


def _summary(planned: Sequence[JsonObject], contributions: Contributions, order: Sequence[str]) -> JsonObject:
    by_task = {entry["task_id"]: entry for entry in planned}
    tasks: list[JsonObject] = []
    spans: list[tuple[datetime, datetime]] = []
    for task_id in _in_order(contributions, order):
        one = contributions[task_id]
        entry = by_task.get(task_id, {})
        task: JsonObject = {
            "task_id": task_id,
            "agent": one.facts.get("current_agent") or entry.get("agent"),
            "status": one.facts.get("status") or "completed",
            "files_count": len(one.lists.get("files_modified", ())),
        }
        span = _times(entry, one)
        if span:
            spans.append(span)
            task["duration_minutes"] = round((span[1] - span[0]).total_seconds() / 60, 4)
        coverage: Any = one.facts.get("test_coverage")
        if isinstance(coverage, dict):
            coverage = coverage.get("total")  # pyright: ignore[reportUnknownMemberType] JSON of unknown shape
        if coverage is not None:
            task["test_coverage"] = coverage
        tasks.append(task)
    summary: JsonObject = {"tasks": tasks}
    if spans:
        start, end = min(span[0] for span in spans), max(span[1] for span in spans)
        summary = {
            "started_at": start.isoformat().replace("+00:00", "Z"),
            "completed_at": end.isoformat().replace("+00:00", "Z"),
            "total_duration_minutes": round((end - start).total_seconds() / 60, 4),
            **summary,
        }
    return summary
