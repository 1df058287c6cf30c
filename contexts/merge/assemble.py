"""The merged document: the parent's words, the tracks' lists, and where everything came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from contexts.documents.base import JsonObject, format_instant, parse_instant
from contexts.documents.codec import canonical
from contexts.documents.merged import SHOWN_ALONE, Concern, Omission
from contexts.documents.version import SUMMARY_LIMIT
from contexts.json.pointer import pointer
from contexts.json.values import entries, section
from contexts.merge.contribution import Contribution, Contributions
from contexts.merge.derive import Derived, derive
from contexts.text.plural import counted

_OWN_HEAD = {
    "_checksum", "version", "workflow_id", "timestamp", "current_agent", "next_agent", "phase", "parallel_tasks",
    "kind", "run", "status",
}  # fmt: skip
"""Head fields that say of the parent itself what the merged document says of itself."""

_DERIVED = {"parallel_execution_summary", "track_contexts", "provenance", "omissions", "left_out"}
"""What only a merge writes: in a parent that was itself a merge it is derived again."""

_OWN_KINDS = {
    "missing-track", "unfinished-track", "same-file", *SHOWN_ALONE,
    "contradicting-decisions", "conflicting-statuses",  # of documents of earlier versions
}  # fmt: skip

_UNFINISHED = {"pending", "in_progress", "running", "failed", "blocked", "cancelled", "out-of-budget"}


def assemble(
    parent: Mapping[str, object],
    contributions: Contributions,
    *,
    timestamp: str,
    gaps: Mapping[str, str] | None = None,
    extra_concerns: Iterable[Concern] = (),
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
        expanded: Carry each track's remaining document inline instead of by reference; this and the provenance are then
            `orjson.Fragment`, to be written once and not kept as trees.
    """
    planned = entries(parent, "parallel_tasks")
    order = [str(entry["task_id"]) for entry in planned]
    present = _in_order(contributions, order)
    derived = derive(contributions, order)
    why = gaps or {}
    missing = [task_id for task_id in order if task_id not in contributions]
    for task_id in missing:
        reason = why.get(task_id, "no document")
        derived.omissions.append(Omission(what="track", why=reason, task_id=task_id))
        derived.concerns.append(_gap(task_id, "missing-track", f"Track {task_id} is missing from the merge: {reason}"))
    unfinished = [task_id for task_id in present if is_unfinished(contributions[task_id])]
    for task_id in unfinished:
        said = f"Track {task_id} was merged, but its document says {contributions[task_id].facts['status']}"
        derived.concerns.append(_gap(task_id, "unfinished-track", said))
    if not files_settled:
        derived.concerns.extend(_shared_files(derived))
    derived.concerns.extend(extra_concerns)
    derived.omissions.extend(_left_behind(parent, derived))
    carried = _OWN_HEAD | _DERIVED | derived.lists.keys() | {"context_summary", "integration_concerns", "metrics"}
    return {
        **asdict(_head(parent, derived, timestamp, [*missing, *unfinished], len(contributions) - len(unfinished))),
        **{key: value for key, value in parent.items() if key not in carried},
        "parallel_tasks": [_closed_entry(entry, contributions, why) for entry in planned],
        "parallel_execution_summary": _summary(planned, contributions, present),
        **derived.lists,
        "integration_concerns": _concerns(parent, derived),
        "metrics": {**section(parent, "metrics"), "total_files_modified": len(derived.lists["files_modified"])},
        "track_contexts": {task_id: _track(contributions[task_id], expanded=expanded) for task_id in present},
        "provenance": derived.take_provenance_json() if expanded else derived.provenance,
        "omissions": [one.to_json() for one in derived.omissions],
    }


def is_unfinished(one: Contribution) -> bool:
    """Say whether a track's own document says that the track is not done."""
    return one.facts.get("status") in _UNFINISHED


def _gap(task_id: str, kind: str, concern: str) -> Concern:
    return Concern(concern=concern, kind=kind, status="open", tracks=[task_id])


def _left_behind(parent: Mapping[str, object], derived: Derived) -> Iterable[Omission]:
    """Name what the parent says where the merged document speaks for itself: its summary, and items of merged lists."""
    if parent.get("context_summary") and "track_contexts" not in parent:
        yield Omission(
            what="context_summary",
            why="the merged document has its own",
            pointer="/context_summary",
            value=parent["context_summary"],
        )
    for name, items in derived.lists.items():
        own = entries(parent, name)
        merged = {canonical(item) for item in items} if own else set[bytes]()
        for index, item in enumerate(own):
            if canonical(item) not in merged:
                yield Omission(
                    what=name,
                    why="merged lists hold what tracks say, and this is in the workflow's own document",
                    pointer=pointer(name, index),
                    value=item,
                )


def _concerns(parent: Mapping[str, object], derived: Derived) -> list[Any]:
    found = [one.to_json() for one in derived.concerns]
    earlier = entries(parent, "integration_concerns")
    if "track_contexts" in parent:
        earlier = [one for one in earlier if one.get("kind") not in _OWN_KINDS]
    return [*(one for one in earlier if one not in found), *found]


@dataclass(frozen=True, slots=True)
class _Head:
    """What the merged document says of itself; version and id are the workflow's, whatever they are."""

    version: object
    workflow_id: object
    timestamp: str
    current_agent: str
    next_agent: str
    phase: str
    status: str
    context_summary: str


def _head(parent: Mapping[str, object], derived: Derived, timestamp: str, missing: Sequence[str], done: int) -> _Head:
    phase = "parallel-partial-merge" if missing else "parallel-complete-merge"
    gap = f" Missing: {', '.join(missing)}." if missing else ""
    summary = (
        f"Merged {done} of {counted(done + len(missing), 'track')}: "
        f"{counted(len(derived.lists['files_modified']), 'file')}, "
        f"{counted(len(derived.lists['decisions']), 'decision')}, "
        f"{counted(len(derived.lists['pending_actions']), 'pending action')}, "
        f"{counted(sum(one.asks for one in derived.concerns), 'concern')}.{gap}"
    )
    return _Head(
        version=parent.get("version", "1.0"),
        workflow_id=parent.get("workflow_id"),
        timestamp=timestamp,
        current_agent="orchestrator",
        next_agent="integration-verifier",
        phase=phase,
        status="partial" if missing else "complete",
        context_summary=summary if len(summary) <= SUMMARY_LIMIT else summary[: SUMMARY_LIMIT - 3] + "...",
    )


def _in_order(contributions: Contributions, order: Sequence[str]) -> list[str]:
    known = set(order)
    return [task for task in order if task in contributions] + sorted(
        task for task in contributions if task not in known
    )


def _closed_entry(
    entry: Mapping[str, object], contributions: Contributions, gaps: Mapping[str, str]
) -> Mapping[str, object]:
    task_id = str(entry["task_id"])
    one = contributions.get(task_id)
    if one is None:
        return {**entry, "status": "missing", "reason": gaps.get(task_id, "no document")}
    return {**entry, "status": one.facts.get("status") or "completed"}


def _track(one: Contribution, *, expanded: bool) -> Mapping[str, object]:
    track: dict[str, object] = {"ref": one.ref.model_dump() if one.ref else None}
    if one.stated:
        track["sha256"] = one.stated
    if expanded and one.rest:
        track["context"] = orjson.Fragment(one.rest)
    elif one.ref is None:
        # Nothing else holds it, so it stays in the document itself.
        track["context"] = orjson.loads(one.rest)
    return track


def _shared_files(derived: Derived) -> Iterable[Concern]:
    for path, sources in zip(derived.lists["files_modified"], derived.sources["files_modified"], strict=True):
        if isinstance(sources, str):
            continue
        tracks = list(dict.fromkeys(source.partition("#")[0] for source in sources))
        if len(tracks) > 1:
            yield Concern(
                concern=f"{path} was changed by {', '.join(tracks)}",
                kind="same-file",
                status="open",
                tracks=tracks,
                files=[path],
            )


def _times(entry: Mapping[str, object], one: Contribution) -> tuple[datetime, datetime] | None:
    start = one.facts.get("started_at") or entry.get("started_at")
    end = one.facts.get("completed_at") or one.facts.get("timestamp")
    if not isinstance(start, str) or not isinstance(end, str):
        return None
    try:
        span = parse_instant(start), parse_instant(end)
    except ValueError:
        return None
    return span if span[0] <= span[1] else None


def _summary(
    planned: Sequence[Mapping[str, object]], contributions: Contributions, present: Sequence[str]
) -> Mapping[str, object]:
    by_task = {entry["task_id"]: entry for entry in planned}
    tasks: list[Mapping[str, object]] = []
    spans: list[tuple[datetime, datetime]] = []
    for task_id in present:
        one = contributions[task_id]
        entry = by_task.get(task_id, {})
        task: dict[str, object] = {
            "task_id": task_id,
            "agent": one.facts.get("current_agent") or entry.get("agent"),
            "status": one.facts.get("status") or "completed",
            "files_count": len(one.lists.get("files_modified", ())),
        }
        span = _times(entry, one)
        if span:
            spans.append(span)
            task["duration_minutes"] = round((span[1] - span[0]).total_seconds() / 60, 4)
        coverage = one.facts.get("test_coverage")
        if coverage is not None:
            task["test_coverage"] = coverage
        tasks.append(task)
    if not spans:
        return {"tasks": tasks}
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    return {
        "started_at": format_instant(start),
        "completed_at": format_instant(end),
        "total_duration_minutes": round((end - start).total_seconds() / 60, 4),
        "tasks": tasks,
    }
