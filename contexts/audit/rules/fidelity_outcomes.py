"""Fidelity of outcomes: statuses, errors, figures and contracts of tracks as later documents repeat them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.registry import claim_rule, doubt, found, rule
from contexts.audit.sample_documents import merged, parent, track
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt, Finding, Source
from contexts.json.values import Path, at, mapping, number, sequence, text
from contexts.text.plural import counted
from contexts.text.quantities import read
from contexts.text.subjects import plain

_BAD = re.compile(
    r"fail|error|blocked|cancel|incomplete|in[-_ ]?progress|partial|aborted|pending|running|out-of-budget",
    re.IGNORECASE,
)
_GOOD = re.compile(r"complete|success|passed|done|finished", re.IGNORECASE)


def _tasks(document: SourceDocument) -> Iterator[tuple[Path, Mapping[str, object]]]:
    """Yield what a workflow's document says of each task."""
    for keys in (("parallel_execution_summary", "tasks"), ("parallel_tasks",), ("tracks",), ("tasks",)):
        raw = at(document.data, *keys)
        for index, task in enumerate(sequence(raw)):
            if text(mapping(task).get("task_id")):
                yield (*keys, index), mapping(task)
        for name, task in mapping(raw).items():
            if isinstance(task, dict):
                yield (*keys, name), {"task_id": name, **mapping(task)}


def _outcome(document: SourceDocument) -> tuple[str, str]:
    status = text(document.data.get("status"))
    return ("status", status) if status else ("phase", document.phase)


@rule(
    "fidelity/status-contradicts",
    "blocking",
    "A merged document gives a track another outcome than the track itself.",
    example=(
        track("api", phase="api-failed"),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "completed"}]}),
    ),
    clean=(
        track("api", phase="api-failed"),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "failed"}]}),
    ),
)
def status_contradicts(documents: DocumentSet) -> Iterator[Finding]:
    """Compare each task's status with its track's own status or phase."""
    for document in (*documents.at_stage("merged"), *documents.at_stage("verified")):
        for path, task in _tasks(document):
            own = documents.track.get(text(task.get("task_id")))
            said = text(task.get("status"))
            if own is None or not said:
                continue
            key, outcome = _outcome(own)
            good, bad = bool(_GOOD.search(said)) and not _BAD.search(said), bool(_BAD.search(said))
            own_bad = bool(_BAD.search(outcome))
            own_good = bool(_GOOD.search(outcome)) and not own_bad
            if (good and own_bad) or (
                bad and own_good and re.search("fail|error|cancel|abort|partial|incomplete", said, re.IGNORECASE)
            ):
                yield found(
                    "fidelity/status-contradicts",
                    f"{task.get('task_id')} is {said!r} here, and {outcome!r} in its own document",
                    (document.source((*path, "status")), own.source((key,))),
                )


@rule(
    "fidelity/track-missing",
    "blocking",
    "A planned track is not in the merge, and nothing says why.",
    example=(
        parent(parallel_tasks=[{"task_id": "api"}, {"task_id": "ui"}]),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "completed"}]}),
    ),
    clean=(
        parent(parallel_tasks=[{"task_id": "api"}, {"task_id": "ui"}]),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "completed"}], "missing": ["ui"]}),
    ),
)
def track_missing(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every planned task in the merge's summary, or anywhere else in its words."""
    plan = documents.plan
    for document in documents.at_stage("merged"):
        listed_tasks = {
            text(mapping(t).get("task_id")) for t in sequence(at(document.data, "parallel_execution_summary", "tasks"))
        }
        if plan is None or not listed_tasks or plan is document:
            continue
        for index, raw in enumerate(sequence(plan.data.get("parallel_tasks"))):
            task_id = text(mapping(raw).get("task_id"))
            if task_id and task_id not in listed_tasks and not any(task_id in value for _, value in document.texts):
                yield found(
                    "fidelity/track-missing",
                    f"the planned track {task_id!r} is not in the merge",
                    (
                        plan.source(("parallel_tasks", index, "task_id")),
                        document.source(("parallel_execution_summary", "tasks")),
                    ),
                )


@claim_rule(
    "fidelity/value-changed",
    "warning",
    "A merged document repeats a track's figure or agent differently.",
    example=(
        track("api", implementation_details={"test_coverage": {"total": "84%"}}),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "test_coverage": "94%"}]}),
    ),
    clean=(
        track("api", implementation_details={"test_coverage": {"total": "84%"}}),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "test_coverage": 84.0}]}),
    ),
)
def value_changed(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare each task's coverage and agent with its track's own."""
    for document in (*documents.at_stage("merged"), *documents.at_stage("verified")):
        for path, here, own in _coverage_by_track(documents, document):
            there = _coverage(own)
            if there is not None and abs(there[1] - here) > 0.5:
                yield doubt(
                    "fidelity/value-changed",
                    f"the coverage of {own.task_id} is {here:g}% here, and {there[1]:g}% in its own document",
                    (document.source(path), own.source(there[0])),
                )
        for path, task in _tasks(document):
            own = documents.track.get(text(task.get("task_id")))
            if own is None:
                continue
            there = _coverage(own)
            here = _percent(task.get("test_coverage", task.get("coverage")))
            key = "test_coverage" if "test_coverage" in task else "coverage"
            if there is not None and here is not None and abs(there[1] - here) > 0.5:
                yield doubt(
                    "fidelity/value-changed",
                    f"the coverage of {task.get('task_id')} is {here:g}% here, and {there[1]:g}% in its own document",
                    (document.source((*path, key)), own.source(there[0])),
                )
            agent, own_agent = text(task.get("agent")), text(own.data.get("current_agent"))
            if agent and own_agent and plain(agent) != plain(own_agent) and path[0] == "parallel_execution_summary":
                yield doubt(
                    "fidelity/value-changed",
                    f"the agent of {task.get('task_id')} is {agent!r} here, and {own_agent!r} in its own document",
                    (document.source((*path, "agent")), own.source(("current_agent",))),
                )


def _coverage_by_track(
    documents: DocumentSet, document: SourceDocument
) -> Iterator[tuple[Path, float, SourceDocument]]:
    """Yield the coverages that a document lists by track, such as ``{"coverage": {"api": "84%"}}``."""
    for path, members in document.objects:
        if path and any("coverage" in str(part).lower() for part in path):
            for name, value in members.items():
                here, own = _percent(value), documents.track.get(name)
                if here is not None and own is not None:
                    yield (*path, name), here, own


def _percent(value: Any) -> float | None:
    plain_number = number(value)
    if plain_number is not None:
        return plain_number * 100 if 0 < plain_number <= 1 and isinstance(value, float) else plain_number
    found_values = [m.quantity for m in read(text(value)).measured if m.quantity.dimension == "percent"]
    return found_values[0].base if found_values else None


def _coverage(document: SourceDocument) -> tuple[Path, float] | None:
    for keys in (
        ("implementation_details", "test_coverage", "total"),
        ("implementation_details", "test_coverage", "overall"),
        ("implementation_details", "test_coverage"),
        ("implementation_details", "coverage", "total"),
        ("implementation_details", "coverage"),
        ("test_results", "coverage"),
        ("test_coverage", "total"),
        ("test_coverage",),
    ):
        value = _percent(at(document.data, *keys))
        if value is not None:
            return keys, value
    return None


@rule(
    "fidelity/error-lost",
    "blocking",
    "An error of a track's log is not in the merged log, or is resolved only there.",
    example=(
        track(
            "api",
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": True}
            ],
        ),
        merged(error_log=[]),
    ),
    clean=(
        track(
            "api",
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": True}
            ],
        ),
        merged(
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": True}
            ]
        ),
    ),
)
def error_lost(documents: DocumentSet) -> Iterator[Finding]:
    """Compare the merged error log with the tracks' entries, by their text."""
    merge = documents.merge
    if merge is None:
        return
    log = sequence(merge.data.get("error_log"))
    kept: dict[str, int] = {}
    for index, entry in enumerate(log):  # tracks may meet one error in the same words; it is open while any entry is
        same = plain(text(mapping(entry).get("error")))
        if same not in kept or mapping(entry).get("resolved") is False:
            kept[same] = index
    lost = list[Source]()
    for document in documents.merged_tracks:
        for index, raw in enumerate(sequence(document.data.get("error_log"))):
            entry = mapping(raw)
            said = plain(text(entry.get("error")))
            if said and said not in kept:
                lost.append(document.source(("error_log", index)))
            elif said and entry.get("resolved") is False and mapping(log[kept[said]]).get("resolved") is True:
                yield found(
                    "fidelity/error-lost",
                    f"the error {text(entry.get('error'))!r} is unresolved in {document.name}, resolved in the merge",
                    (
                        merge.source(("error_log", kept[said], "resolved")),
                        document.source(("error_log", index, "resolved")),
                    ),
                )
    if lost:
        place = merge.source(("error_log" if "error_log" in merge.data else "workflow_id",))
        yield found(
            "fidelity/error-lost", f"{counted(len(lost), 'error')} of the tracks not in the merged log", (*lost, place)
        )
