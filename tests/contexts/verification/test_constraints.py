"""A typed decision against a constraint of the spec is a warning; topics and choices are compared as wholes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from contexts.documents.context import Context
from contexts.spec.constraints import Audit, Constraint
from contexts.verification.constraints import against_constraints

ALLOW = Constraint(topic="database", allow=("postgres", "SQLite"))
FORBID = Constraint(topic="auth", forbid=("basic",))


@pytest.mark.parametrize(
    ("decision", "refused"),
    [
        ({"topic": "database", "choice": "sqlite "}, False),
        ({"topic": " Database", "choice": "MySQL"}, True),
        ({"topic": "database of the tests", "choice": "MySQL"}, False),
        ({"topic": "auth", "choice": "Basic"}, True),
        ({"topic": "auth", "choice": "basic over TLS"}, False),
        ("We use MySQL as the database", False),
    ],
)
def test_a_decision_is_held_against_the_constraints_of_its_topic(decision: Any, refused: bool) -> None:
    head = {"version": "1.0", "workflow_id": "w-api", "timestamp": "2025-03-01T10:00:00Z", "current_agent": "a", "phase": "p"}  # fmt: skip
    document = Context.model_validate({**head, "task_id": "api", "decisions": ["Use REST", decision]})
    found = against_constraints({"api": document}, (ALLOW, FORBID))
    expected = [("decisions/constraint", "warning", ("tracks/api", "/decisions/1/choice"))] if refused else []
    assert [(one.rule, one.severity, one.sources[0].place) for one in found] == expected


@pytest.mark.parametrize("given", [{}, {"allow": ["a"], "forbid": ["b"]}, {"allow": []}])
def test_a_constraint_says_one_thing(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Constraint.model_validate({"topic": "database", **given})


def test_a_bare_off_in_yaml_is_the_word() -> None:
    assert Audit.model_validate({"prose": False}).prose == "off"
