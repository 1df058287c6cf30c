"""The assignment: everything an agent is told about its track, as the JSON file ``PLAIT_ASSIGNMENT`` names."""

from __future__ import annotations

from typing import Any

from contexts.documents.base import Closed


class Assignment(Closed):
    """What one attempt of one track has to go by.

    Attributes:
        workflow_id: The workflow.
        task_id: The track.
        agent: The role it plays.
        attempt: Number of this attempt, from 1.
        scope: What is to be done, in words.
        feature: Name and description of the feature.
        requirements: The feature's requirements.
        constraints: What every track must keep to.
        integration_requirements: What must hold once all is merged.
        criteria: Success criteria of the areas that reach this track, by area.
        owns: Globs of the files this track may change.
        prerequisites: Context documents of the tracks this one needs, by task_id, transitively.
        contracts: The API contracts those documents state, by task_id.
        last_failure: Why the previous attempt failed, null for a first attempt.
        checkpoint: What an interrupted attempt left in ``PLAIT_CONTEXT``, null if nothing.
        ports: Free loopback ports for this track.
    """

    workflow_id: str
    task_id: str
    agent: str
    attempt: int
    scope: str
    feature: dict[str, Any]
    requirements: list[Any]
    constraints: list[Any]
    integration_requirements: list[Any]
    criteria: dict[str, list[Any]]
    owns: list[str]
    prerequisites: dict[str, dict[str, Any]]
    contracts: dict[str, Any]
    last_failure: str | None
    checkpoint: dict[str, Any] | None
    ports: list[int]
