"""What a run's artifacts are called: Prefect takes only lower-case letters, digits and dashes."""

from __future__ import annotations


def artifact_key(workflow_id: str, name: str) -> str:
    """Return the key of one of a workflow's artifacts; every run adds a version under it."""
    return f"plait-{workflow_id.replace('.', '-').replace('_', '-')}-{name}"
