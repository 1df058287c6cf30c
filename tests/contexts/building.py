"""Small contexts for tests, typed: a head that is valid, and whatever a test is about."""

from typing import Any

from contexts.documents.codec import dump
from contexts.documents.context import Context

HEAD = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p"}


def context(workflow_id: str = "w", **members: Any) -> Context:
    """Return a context of these members, plain or typed; those of the head may be left out."""
    plain = {name: value.to_json() if hasattr(value, "to_json") else value for name, value in members.items()}
    return Context.model_validate_json(dump({**HEAD, "workflow_id": workflow_id, **plain}))
