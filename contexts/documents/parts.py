"""The parts of a context document that every author writes, in the order a reader meets them."""

from __future__ import annotations

from typing import Any, Literal

from contexts.documents.base import Identifier, Instant, Number, Open
from contexts.json.values import items

TrackStatus = Literal["pending", "running", "completed", "failed", "blocked", "cancelled", "out-of-budget"]
"""What plait itself writes of a track; documents from elsewhere may say anything."""


class FeatureSpec(Open):
    """What is to be built; other fields are kept.

    Attributes:
        name: Its name.
        description: What it is, in a sentence.
        requirements: What it must do; given to every agent.
        status: Where it stands.
    """

    name: str | None = None
    description: str | None = None
    requirements: list[Any] | None = None
    status: str | None = None


class TrackEntry(Open):
    """One parallel task as the workflow's document lists it."""

    task_id: Identifier
    agent: str | None = None
    scope: str | None = None
    context_ref: str | None = None
    status: str | None = None
    started_at: Instant | None = None
    completed_at: Instant | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The tracks it waits for, where it lists them as a spec does."""
        return tuple(str(one) for one in items((self.model_extra or {}).get("needs")))


class DecisionRecord(Open):
    """A decision with its reason; the same topic with another choice differs from it, and both are shown.

    Attributes:
        topic: What was decided about; tracks that mean the same call it the same.
        choice: What was decided.
        rationale: Why.
    """

    topic: str
    choice: str
    rationale: str | None = None


Decision = str | DecisionRecord


class ActionRecord(Open):
    """Something still to be done, by verb and subject.

    Attributes:
        action: What is to be done.
        subject: What it is to be done to.
        status: How far it is.
    """

    action: str
    subject: str | None = None
    status: str | None = None


PendingAction = str | ActionRecord


class ErrorEntry(Open):
    """One error an agent met."""

    timestamp: Instant | None = None
    agent: str | None = None
    error: str
    resolved: bool | None = None


class Checkpoint(Open):
    """A point an agent can go on from."""

    id: str | Number
    timestamp: Instant | None = None
    phase: str | None = None


class Metadata(Open):
    """Labels people give a workflow or track; other fields are kept.

    Attributes:
        priority: How urgent it is.
        owner: Who answers for it.
        tags: Words to find it by.
    """

    priority: str | None = None
    owner: str | None = None
    tags: list[str] | None = None


class Usage(Open):
    """What the agent's model cost: tokens, and US dollars."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Number | None = None
