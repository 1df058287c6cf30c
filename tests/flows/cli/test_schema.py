"""`plait schema handin`: a JSON Schema for prompts and tools, that takes what a hand-in may be."""

import json

import jsonschema
import pytest

from flows.cli import main


def test_the_schema_of_a_hand_in_says_what_every_field_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "handin"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == {"summary", "decisions", "pending_actions", "contracts", "claims", "notes"}
    models = {"HandIn": schema, **schema["$defs"]}
    silent = [
        f"{name}.{field}"
        for name, one in models.items()
        for field, value in one.get("properties", {}).items()
        if not value.get("description")
    ]
    assert silent == []
    judge = jsonschema.Draft202012Validator(schema)
    good = {
        "summary": "Built it.",
        "contracts": {"provides": {"operations": [{"operation": "GET /items"}]}},
        "claims": [{"check": "unit", "tests": 3}],
        "more": 1,
    }
    assert judge.is_valid(good)
    assert not judge.is_valid({"summary": 1})
    assert not judge.is_valid({"contracts": {"provides": {"operations": [{"request": {}}]}}})
