"""Small documents for the tests of the command line."""

from typing import Any


def head(workflow_id: str = "shop", **fields: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "workflow_id": workflow_id,
        "timestamp": "2026-03-01T10:00:00Z",
        "current_agent": "orchestrator",
        "phase": "parallel-execution",
        **fields,
    }


def parent(*task_ids: str, **fields: Any) -> dict[str, Any]:
    tasks = [
        {"task_id": task_id, "agent": "coder", "context_ref": f".claude/context/shop-{task_id.split('-')[0]}.json"}
        for task_id in task_ids
    ]
    return head(parallel_tasks=tasks, **fields)


def track(task_id: str, **fields: Any) -> dict[str, Any]:
    return {
        **head(f"shop-{task_id}"),
        "parent_workflow_id": "shop",
        "task_id": task_id,
        "files_modified": [f"src/{task_id}.py"],
        "decisions": [f"decide {task_id}"],
        **fields,
    }
