"""How many tracks may run at a time over all deployed workflows of a server, by the backend that does them."""

from __future__ import annotations

from collections.abc import Mapping

from flows.deployments.deployment_of import deployment_id

BACKENDS: Mapping[str, int] = {"command": 16, "replay": 64}
"""The limits `flows.deployments.deploy_all` makes; a person may set others on the server."""


def backend_tag(backend: str) -> str:
    """Return the tag of the tasks that use a backend; Prefect's concurrency limit hangs on it."""
    return f"plait-backend-{backend}"


def backend_tags(backend: str) -> set[str]:
    """Return the tags that put a task under its backend's limit.

    Only deployed runs carry them: asking the server for a slot costs two requests per track, and a run of one's own is
    held by its spec's ``max_parallel`` already.
    """
    return {backend_tag(backend)} if deployment_id() else set()
