"""Documents to measure with: of a given size, different from each other, and shaped like what agents write."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson

WORDS = (
    *("profile", "avatar", "upload", "validate", "endpoint", "schema", "migration", "token", "session", "component"),
    *("form", "query", "cache", "index", "retry", "layout", "route", "handler", "field", "limit", "test", "fixture"),
    *("deploy", "bucket", "header", "error", "message", "state", "render"),
)


def parent(tracks: int) -> dict[str, Any]:
    """Return the document of a workflow with that many tracks."""
    return {
        "version": "1.0",
        "workflow_id": "feature",
        "timestamp": "2026-01-15T09:00:00Z",
        "current_agent": "orchestrator",
        "next_agent": None,
        "phase": "parallel-execution",
        "feature_spec": {"name": "Feature", "requirements": ["Works"]},
        "parallel_tasks": [
            {"task_id": f"track-{number}", "agent": "developer", "started_at": "2026-01-15T09:05:00Z"}
            for number in range(tracks)
        ],
        "shared_constraints": ["Use the existing login"],
        "success_criteria": {"all": ["All tests pass"]},
    }


def track(number: int, size: int = 5000) -> dict[str, Any]:
    """Return a track's document of about ``size`` bytes of JSON."""
    chance = random.Random(number)

    def words(count: int) -> str:
        return " ".join(chance.choices(WORDS, k=count))

    document: dict[str, Any] = {
        "version": "1.0",
        "workflow_id": f"feature-track-{number}",
        "parent_workflow_id": "feature",
        "task_id": f"track-{number}",
        "timestamp": "2026-01-15T10:05:00Z",
        "current_agent": "developer",
        "next_agent": None,
        "phase": "complete",
        "files_modified": [f"src/part_{number}/{chance.choice(WORDS)}_{one}.py" for one in range(6)],
        "decisions": [f"{words(6)} ({number}.{one})" for one in range(5)],
        "pending_actions": ["Run the migration", *(f"{words(5)} ({number}.{one})" for one in range(3))],
        "context_summary": words(40),
        "implementation_details": {"endpoints": {}, "test_coverage": {"total": "94%", "tests": 28}},
        "security_measures": [words(6) for _ in range(5)],
    }
    endpoints = document["implementation_details"]["endpoints"]
    have = len(orjson.dumps(document))
    while have < size:
        key = f"GET /api/{chance.choice(WORDS)}/{len(endpoints)}"
        value = {
            "auth": "Required (JWT)",
            "cache": "60 seconds",
            "response_model": words(1).title(),
            "permissions": words(9),
            "milliseconds": [chance.randint(10, 90), round(chance.random() * 100, 2)],
            "public": False,
        }
        endpoints[key] = value
        have += len(orjson.dumps(value)) + len(key) + 4
    return document


def bodies(count: int, size: int = 5000, *, indent: bool = False) -> Iterator[tuple[str, bytes]]:
    """Yield names and JSON of that many track documents, made one at a time."""
    option = orjson.OPT_INDENT_2 if indent else 0
    for number in range(count):
        yield f"track-{number}.json", orjson.dumps(track(number, size), option=option)
