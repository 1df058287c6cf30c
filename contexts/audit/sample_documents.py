"""Small documents for the rules' examples: each is a whole, clean context until an example adds a defect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORKFLOW = "orders"


def parent(**members: Any) -> Mapping[str, object]:
    """Return a workflow's first document."""
    return _context("orchestrator", "parallel-execution", "2025-03-01T09:00:00Z", members)


def plan(*task_ids: str, **members: Any) -> Mapping[str, object]:
    """Return a workflow's first document that plans tracks."""
    return parent(parallel_tasks=[{"task_id": task_id} for task_id in task_ids], **members)


def track(task_id: str, **members: Any) -> Mapping[str, object]:
    """Return a track's document."""
    own = {"task_id": task_id, "parent_workflow_id": WORKFLOW, "workflow_id": f"{WORKFLOW}-{task_id}"}
    return _context(f"{task_id}-agent", f"{task_id}-complete", "2025-03-01T10:00:00Z", {**own, **members})


def merged(**members: Any) -> Mapping[str, object]:
    """Return a workflow's merged document."""
    return _context("orchestrator", "parallel-complete-merge", "2025-03-01T11:00:00Z", members)


def verified(**members: Any) -> Mapping[str, object]:
    """Return a workflow's verified document."""
    return _context("integration-verifier", "integration-verified", "2025-03-01T12:00:00Z", members)


def _context(agent: str, phase: str, timestamp: str, members: Mapping[str, object]) -> Mapping[str, object]:
    head = {"version": "1.0", "workflow_id": WORKFLOW, "timestamp": timestamp, "current_agent": agent, "phase": phase}
    return {**head, **members}


def file_name(index: int, document: Mapping[str, object]) -> str:
    """Return the file name an example's document goes by."""
    return f"{index + 1}-{document.get('task_id') or str(document.get('phase')).rsplit('-', 1)[-1]}.json"


def plain_members(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return the members that an example added or changed; of a whole default document its identity."""
    task_id = document.get("task_id")
    usual = track(str(task_id)) if task_id else _context("", "", "", {})
    stages = (parent(), merged(), verified())
    defaults = [usual] if task_id else [one for one in stages if one["phase"] == document.get("phase")] or [usual]
    kept = {key: value for key, value in document.items() if defaults[0].get(key) != value}
    return {**({"task_id": task_id} if task_id else {}), **kept} or {"phase": document.get("phase")}
