"""Small contexts for tests, typed: a head that is valid, and whatever a test is about."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from contexts.documents.base import Open
from contexts.documents.codec import dump
from contexts.documents.context import Context
from contexts.documents.handin import (
    Claim,
    ContractFile,
    Contracts,
    ContractSide,
    Example,
    FileOperation,
    Operation,
    Port,
    Variable,
)
from contexts.documents.parts import (
    ActionRecord,
    Checkpoint,
    DecisionRecord,
    ErrorEntry,
    FeatureSpec,
    Metadata,
    TrackEntry,
    Usage,
)

OF_AGENTS_AND_USERS: tuple[type[Open], ...] = (
    ActionRecord, Checkpoint, DecisionRecord, ErrorEntry, FeatureSpec, Metadata, TrackEntry, Usage,
    Claim, ContractFile, Contracts, ContractSide, Example, FileOperation, Operation, Port, Variable,
)  # fmt: skip
"""What agents write in their documents and users in their specs: plait carries it on."""

HEAD = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p"}


def context(workflow_id: str = "w", **members: Any) -> Context:
    """Return a context of these members, plain or typed; those of the head may be left out."""
    plain = {name: value.to_json() if hasattr(value, "to_json") else value for name, value in members.items()}
    return Context.model_validate_json(dump({**HEAD, "workflow_id": workflow_id, **plain}))


def unknown_members(value: object, path: str = "") -> list[str]:
    """Return the pointers of members that are in no model, but for those of what agents and users write."""
    if isinstance(value, BaseModel):
        extra = [] if isinstance(value, OF_AGENTS_AND_USERS) else list(value.model_extra or {})
        inner = {name: getattr(value, name) for name in type(value).model_fields}
        return [f"{path}/{name}" for name in extra] + _inside(inner, path)
    if isinstance(value, dict | list | tuple):
        return _inside(value if isinstance(value, dict) else dict(enumerate(value)), path)
    return []


def _inside(members: Mapping[Any, object], path: str) -> list[str]:
    return [each for name, one in members.items() for each in unknown_members(one, f"{path}/{name}")]
