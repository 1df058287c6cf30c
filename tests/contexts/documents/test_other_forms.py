"""What stands in a record in another form than plait writes is kept as it is, and plait decides nothing by it."""

import json
from typing import Any

import pytest

from contexts.documents.codec import dump, validate
from contexts.documents.context import Context
from contexts.documents.verification import Evidence
from contexts.errors import DocumentError
from contexts.verification.rulings import settle, waive
from tests.contexts.building import HEAD, context

WHO = {"by": "Ann", "why": "known", "at": "2026-03-01T12:00:00Z"}
PROVEN = {"check": "unit", "kind": "tests", "status": "passed", "argv": ["x"], "seconds": 1}
FINDING = {"rule": "mine/x", "severity": "warning", "message": "m"}
FORMS: list[dict[str, Any]] = [
    {"deployment_readiness": {"staging": {"status": "deployed", "evidence": {"log": "ok"}}}},
    {"deployment_readiness": {"production": {"status": "ready", "approval": "Ann", "evidence": {"by": "hand"}}}},
    {"deployment_readiness": {"production": {"prerequisites": ["tested", {"id": "a", "text": "b", "status": "met",
                                                                        "evidence": {"seconds": "two"}}]}}},
    {"integration_concerns": [{"concern": "c", "sources": [{"document": 7}], "settlement": "later"}]},
    {"integration_concerns": [{"concern": "c", "settled_before": {"by": 1}}]},
    {"reverification": "tomorrow"},
    {"evidence": [{**PROVEN, "result": {"tests": {"total": 12, "passed": 12}}}]},
    {"evidence": [{**PROVEN, "result": {"coverage": 91, "performance": {"p95_ms": 12}, "migrations": "ok"}}]},
    {"findings": [{**FINDING, "sources": None}]},
    {"findings": [{**FINDING, "sources": [{"document": None, "line": 3}], "waived": {"by": "me"}}]},
    {"run": {"status": "done", "phases": 3, "recordings": [1], "left_out": "none", "max_parallel": "all"}},
    {"track_contexts": {"api": {"sha256": 5, "context": {"a": 1}}}},
]  # fmt: skip


@pytest.mark.parametrize("members", FORMS, ids=lambda members: json.dumps(members)[:60])
def test_a_record_of_another_form_is_read_and_kept_value_for_value(members: dict[str, Any]) -> None:
    document = {**HEAD, "workflow_id": "w", **members}
    found = validate(document)
    assert found.to_json() == document
    assert validate(found.changed(status="looked-at").to_json()).without("status").to_json() == document


def test_figures_of_another_form_are_no_figures() -> None:
    (one,) = validate({**HEAD, "workflow_id": "w", **FORMS[6]}).evidence or ()
    assert (one.figures.tests, one.figures.number("tests.passed")) == (None, 12)


def test_what_must_be_there_is_no_matter_of_form() -> None:
    with pytest.raises(ValueError, match="severity"):
        Context.model_validate_json(dump({**HEAD, "workflow_id": "w", "findings": [{**FINDING, "severity": "loud"}]}))


NAMES = [
    "production", "run_record", "json", "copy", "dict", "schema", "validate", "construct", "changed", "without",
    "compact", "to_json", "checksum", "model_config", "model_fields_set", "model_extra", "model_fields", "__class__",
    "__dict__", "__doc__", "__init__", "cls", "self", "update", "figures", "family", "blocks", "place", "known",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [{"k": 1}, "own", None])
def test_a_member_called_like_something_of_the_models_is_only_a_member(name: str, value: Any) -> None:
    concern = {"concern": "c", name: value}
    document = {**HEAD, "workflow_id": "w", name: value, "findings": [{**FINDING, name: value}],
                "integration_concerns": [concern]}  # fmt: skip
    edited = settle(waive(context(**document), "mine/x", **WHO), "1", choice="this", **WHO).to_json()
    assert edited[name] == value
    assert edited["findings"] == [{**FINDING, name: value}]
    assert edited["integration_concerns"] == [concern]
    assert "_checksum" not in edited


def test_only_what_is_a_field_and_empty_goes_when_a_record_is_made_compact() -> None:
    one = Evidence.model_validate_json(dump({**PROVEN, "reason": None, "nul": None, "log": None}))
    assert one.compact().to_json() == {**PROVEN, "nul": None}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_that_utc_cannot_tell_is_none(moment: str) -> None:
    with pytest.raises(DocumentError, match="beyond the years"):
        validate({**HEAD, "timestamp": moment, "workflow_id": "w"})
