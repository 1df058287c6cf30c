"""Contract: what a real application declares of itself, against what every track expects of it."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.tasks.checks.conftest import RunCheck, write

APP = """
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
class Note(BaseModel):
    id: int
    text: str
    tag: str | None
class NewNote(BaseModel):
    text: str = Field(max_length=40)
app = FastAPI()
@app.get("/api/notes/{note_id}", responses={404: {"description": "none"}})
def show(note_id: int) -> Note: ...
@app.post("/api/notes", status_code=201)
def add(note: NewNote) -> Note: ...
if __name__ == "__main__":
    import json
    print(json.dumps(app.openapi()))
"""
PRINTS = ("{python}", "app.py")


def reads(response: str, codes: list[int] | None = None, endpoint: str = "GET /api/notes/:noteId") -> dict[str, Any]:
    return {"api_contract_assumptions": {endpoint: {"response": response, "error_codes": codes or [404]}}}


RIGHT = reads("{ id: number, text: string, tag: string | null }")


def test_expectations_that_hold_are_aligned_for_every_track(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"app.py": APP})
    ran = run_check(
        kind="contract", argv=PRINTS, consumers={"page": RIGHT, "cli": reads("{ text: string }"), "docs": {}}
    )
    assert ran.judged.status == "passed", ran.judged.reason
    found = ran.judged.result.contract
    assert found is not None
    assert (found.mismatches, found.aligned, found.unknown) == (0, 2, 0)
    assert found.consumers["page"] == {"GET /api/notes/:noteId": "aligned"}
    assert orjson.loads(ran.judged.reports["openapi"][0])["openapi"].startswith("3.")


@pytest.mark.parametrize(
    ("context", "rule"),
    [
        (reads("{ id: number, body: string }"), "contracts/field"),
        (reads("{ id: string, text: string }"), "contracts/type"),
        (reads("{ tag: string }"), "contracts/presence"),
        (reads("{ id: number }", endpoint="DELETE /api/notes/:noteId"), "contracts/missing-endpoint"),
    ],
)
def test_each_kind_of_mismatch_fails_with_both_sides_quoted(
    run_check: RunCheck, tree: Path, context: dict[str, Any], rule: str
) -> None:
    write(tree, {"app.py": APP})
    ran = run_check(kind="contract", argv=PRINTS, consumers={"good": RIGHT, "page": context})
    assert ran.judged.status == "failed"
    found = [one for one in ran.judged.findings if one.severity == "blocking"]
    assert [one.rule for one in found] == [rule]
    assert found[0].sources[0].document == "tracks/page"
    assert found[0].sources[0].pointer.startswith("/api_contract_assumptions/")
    if rule != "contracts/missing-endpoint":
        assert found[0].sources[1].document == "openapi.json"
        assert found[0].sources[1].quote


def test_what_cannot_be_read_is_unknown_and_never_aligned(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"app.py": APP})
    judged = run_check(kind="contract", argv=PRINTS, consumers={"page": reads("whatever it says, see the wiki")}).judged
    assert judged.status == "unverified"
    assert "not comparable" in judged.reason


def test_a_document_on_which_the_validator_stops_is_unverified_with_the_reason(run_check: RunCheck, tree: Path) -> None:
    endless = "{'allOf': [{'$ref': '#/components/schemas/Node'}], 'default': {}}"
    told = f"told = app.openapi()\n    told['components']['schemas']['Node'] = {endless}\n    print(json.dumps(told))"
    write(tree, {"app.py": APP.replace("print(json.dumps(app.openapi()))", told)})
    judged = run_check(kind="contract", argv=PRINTS, consumers={"page": RIGHT}).judged
    assert judged.status == "unverified"
    assert "valid is unknown, because the validator stopped: RecursionError" in judged.reason
    assert [one.severity for one in judged.findings if one.rule == "contracts/unknown"] == ["note"]


def test_nobody_who_expects_anything_is_no_alignment(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"app.py": APP})
    judged = run_check(kind="contract", argv=PRINTS, consumers={"docs": {"decisions": ["x"]}}).judged
    assert (judged.status, "nothing was compared" in judged.reason) == ("unverified", True)


@pytest.mark.parametrize(
    ("printed", "status", "reason"),
    [
        ("not json", "unverified", "is not JSON"),
        ("[1]", "unverified", "is no OpenAPI 3 document"),
        ('{"swagger": "2.0"}', "unverified", "is no OpenAPI 3 document"),
        ('{"openapi": "3.1.0", "info": {}, "paths": {"/x": 3}}', "failed", "is not valid"),
        ("", "unverified", "is not JSON"),
    ],
)
def test_a_provider_that_cannot_be_read_is_said_with_its_reason(
    run_check: RunCheck, tree: Path, printed: str, status: str, reason: str
) -> None:
    write(tree, {"openapi.json": printed})
    judged = run_check(kind="contract", path="openapi.json", consumers={"page": RIGHT}).judged
    assert judged.status == status
    assert reason in judged.reason


def test_a_provider_that_fails_or_floods_is_unverified(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"bad.py": "raise RuntimeError('no database')", "much.py": "print('x' * 60_000_000)"})
    judged = run_check(kind="contract", argv=("{python}", "bad.py"), consumers={"page": RIGHT}).judged
    assert (judged.status, "no database" in judged.reason) == ("unverified", True)
    assert (
        run_check(kind="contract", argv=("{python}", "much.py"), consumers={"page": RIGHT}).judged.status
        == "unverified"
    )


def test_a_path_that_leads_nowhere_is_unverified(run_check: RunCheck) -> None:
    judged = run_check(kind="contract", path="openapi.json", consumers={"page": RIGHT}).judged
    assert (judged.status, judged.reason) == ("unverified", "the integrated tree has no plain file openapi.json")
