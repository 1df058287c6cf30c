"""The contracts that docs/guides/agents.md shows are read as it says: they match, and one changed member is found."""

import json
from pathlib import Path
from typing import Any

import pytest

from contexts.audit import Finding, audit
from contexts.audit.read_files import read_documents
from contexts.audit.sample_documents import plan, track
from tests.docs.commands import fences
from tests.servers import ROOT


def shown() -> list[dict[str, Any]]:
    """Return the documents of the page: a provider, the same in OpenAPI, and a consumer."""
    documents = [
        json.loads(body)
        for _, language, _, body in fences(ROOT / "docs" / "guides" / "agents.md")
        if language == "json"
    ]
    assert [next(iter(one)) for one in documents] == [*["implementation_details"] * 2, "api_contract_assumptions"]
    return documents


def audited(folder: Path, provider: dict[str, Any], consumer: dict[str, Any]) -> tuple[Finding, ...]:
    whole = {"0-plan": plan("api", "page"), "1-api": track("api", **provider), "2-page": track("page", **consumer)}
    for name, document in whole.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    read = read_documents([folder])
    return audit(read.documents, read.findings).findings


def edited(document: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    body = json.dumps(document)
    assert before in body
    return json.loads(body.replace(before, after))


@pytest.mark.parametrize("notation", [0, 1], ids=["fields", "openapi"])
def test_the_contracts_shown_match(tmp_path: Path, notation: int) -> None:
    said = [f"{f.rule}: {f.message}" for f in audited(tmp_path, shown()[notation], shown()[2])]
    assert said == []


@pytest.mark.parametrize("notation", [0, 1], ids=["fields", "openapi"])
@pytest.mark.parametrize(
    ("before", "after", "rule", "pointer"),
    [
        ("id: string, title:", "id: string, name:", "contracts/field", "GET ~1items~1:id/response"),
        ("{ title: string, price", "{ name: string, price", "contracts/field", "POST ~1items/request"),
        ("id: string, title", "id: number, title", "contracts/type", "GET ~1items~1:id/response"),
        ("note: string | null", "note: string", "contracts/presence", "GET ~1items~1:id/response"),
        ("GET /items/:id", "GET /things/:id", "contracts/missing-endpoint", "GET ~1things~1:id"),
    ],
)
def test_one_changed_member_is_a_blocking_finding_at_its_place(
    tmp_path: Path, notation: int, before: str, after: str, rule: str, pointer: str
) -> None:
    found = [
        f for f in audited(tmp_path, shown()[notation], edited(shown()[2], before, after)) if f.severity == "blocking"
    ]
    assert {f.rule for f in found} == {rule}
    assert f"/api_contract_assumptions/{pointer}" in {source.pointer for f in found for source in f.sources}


@pytest.mark.parametrize(
    "written",
    [
        {"provides": {"greet": "string"}},
        {"expects": {"item": {"id": "string"}}},
        {"GET /items/:id": "{ id: string }"},
        {"endpoints": ["GET /items/:id"]},
        ["GET /items/:id answers an item"],
    ],
)
def test_what_cannot_be_read_as_an_endpoint_is_told(tmp_path: Path, written: Any) -> None:
    found = audited(tmp_path, shown()[0], {"api_contract_assumptions": written})
    assert [(f.rule, f.severity) for f in found if f.severity != "note"] == [("contracts/unread", "warning")]


@pytest.mark.parametrize("nothing", [None, {}, [], {"endpoints": []}, "none", {"note": "no API is called"}])
def test_no_assumptions_are_nothing_to_tell(tmp_path: Path, nothing: Any) -> None:
    found = audited(tmp_path, shown()[0], {"api_contract_assumptions": nothing})
    assert "contracts/unread" not in {f.rule for f in found}


def test_what_a_track_says_it_provides_is_the_providers_word_wherever_it_stands(tmp_path: Path) -> None:
    promised = {"api_contract_assumptions": {"provides": shown()[0]["implementation_details"]}}
    assert [f.message for f in audited(tmp_path, promised, shown()[2])] == []
    wrong = audited(tmp_path, promised, edited(shown()[2], "id: string, title:", "id: string, name:"))
    assert {f.rule for f in wrong} == {"contracts/field"}
