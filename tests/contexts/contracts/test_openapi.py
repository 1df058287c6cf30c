"""OpenAPI 3.0 and 3.1, whole or in part, inside a context document or by itself, is a provider's or a consumer's word."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from contexts.contracts import Contract, compare, matrix, read_contracts, read_openapi
from contexts.contracts.compatibility import resolve_name


def operation(schema: Any, **extra: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}, **extra}


def whole(schema: Any, version: str = "3.1.0", **components: Any) -> dict[str, Any]:
    return {
        "openapi": version,
        "info": {"title": "Items", "version": "1"},
        "paths": {"/items/{id}": {"get": operation(schema, parameters=[
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}])}},
        "components": {"schemas": components},
    }  # fmt: skip


def answered(contract: Contract) -> Any:
    response = contract.endpoints[0].response
    assert response is not None
    return resolve_name(response.schema, contract.definitions)


@pytest.mark.parametrize(
    ("version", "schema"),
    [
        ("3.0.3", {"type": "string", "nullable": True}),
        ("3.1.0", {"type": ["string", "null"]}),
        ("3.1.0", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("3.1.0", {"oneOf": [{"type": "null"}, {"type": "string"}]}),
        ("3.0.3", {"allOf": [{"$ref": "#/components/schemas/Name"}], "nullable": True}),
    ],
)
def test_both_versions_ways_to_say_null_mean_the_same(version: str, schema: Any) -> None:
    read = answered(read_openapi(whole(schema, version, Name={"type": "string"}), "api.json", "provider"))
    assert (read.kind, read.nullable) == ("string", True)


@pytest.mark.parametrize(
    "place", [("openapi",), ("implementation_details", "openapi"), ("api_contract_assumptions", "spec")]
)
def test_a_whole_document_is_found_inside_a_context(place: tuple[str, ...]) -> None:
    data: Any = whole({"type": "object", "properties": {"id": {"type": "string"}}})
    for key in reversed(place):
        data = {key: data}
    (contract,) = read_contracts("x.json", data)
    assert contract.role == ("consumer" if place[0] == "api_contract_assumptions" else "provider")
    assert contract.endpoints[0].pointer.startswith("/" + "/".join(place))
    assert contract.endpoints[0].key == ("GET", "/items/{}")


def test_a_fragment_of_paths_alone_is_read() -> None:
    data = {"api_contract_assumptions": {"paths": {"/items/{id}": {"get": operation({"type": "integer"})}}}}
    (contract,) = read_contracts("x.json", data)
    assert contract.role == "consumer"
    assert answered(contract).kind == "integer"


def test_operations_under_endpoint_names_are_read() -> None:
    data = {"api_contract_assumptions": {"GET /items/{id}": operation({"type": "integer"})}}
    (contract,) = read_contracts("x.json", data)
    assert [code.status for code in contract.endpoints[0].codes or ()] == [200]


def test_a_recursive_schema_ends_and_agrees_with_itself() -> None:
    node = {"type": "object", "required": ["name", "children"], "properties": {
        "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}}  # fmt: skip
    document = whole({"$ref": "#/components/schemas/Node"}, Node=node)
    provider, asked = (read_openapi(document, name, role) for name, role in (("p", "provider"), ("c", "consumer")))  # pyright: ignore[reportArgumentType]
    assert compare(asked, provider) == ()
    renamed = {**node, "properties": {**node["properties"], "children": {"type": "array", "items": {"type": "string"}}}}  # pyright: ignore[reportGeneralTypeIssues]
    other = read_openapi(whole({"$ref": "#/components/schemas/Node"}, Node=renamed), "p", "provider")
    assert {found.kind for found in compare(asked, other)} == {"type"}


def test_a_reference_to_nothing_is_a_problem_at_its_place_and_never_aligned() -> None:
    data = {"implementation_details": {"openapi": whole({"$ref": "#/components/schemas/Gone"})}}
    (provider,) = read_contracts("api.json", data)
    problem = next(p for p in provider.problems if p.kind == "unresolved-reference")
    assert problem.pointer.startswith("/implementation_details/openapi/paths/~1items~1{id}/get/responses/200")
    (asked,) = read_contracts(
        "ui.json", {"api_contract_assumptions": {"GET /items/:id": {"response": "{ id: string }"}}}
    )
    assert [found.kind for found in compare(asked, provider)] == ["unknown"]
    assert matrix([asked, provider])["ui.json", "api.json"] == {"GET /items/:id": "unknown"}


@pytest.mark.usefixtures("outside")
def test_references_to_other_files_are_problems_and_nothing_is_fetched() -> None:
    for target in ("https://example.com/item.json", "other.yaml#/Item", "#/components/schemas/A/../B", ""):
        contract = read_openapi(whole({"$ref": target}), "api.json", "provider")
        assert any(problem.kind == "unresolved-reference" for problem in contract.problems), target


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"openapi": "3.1.0", "info": {"title": "x"}, "paths": {}}, "version"),
        ({"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {"/a": {"get": {}}}}, "responses"),
        ({"openapi": "2.0", "info": {"title": "x", "version": "1"}, "paths": {}}, "not 3.0 or 3.1"),
        ({"openapi": "3.1.0", "info": [], "paths": {}}, ""),
        ({"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {"/a": {"get": 7}}}, ""),
    ],
)
def test_a_document_that_does_not_validate_is_a_problem_with_the_reason(broken: Any, reason: str) -> None:
    problems = read_openapi(broken, "api.json", "provider").problems
    assert [p.kind for p in problems] == ["invalid-openapi"]
    assert reason in problems[0].message
    assert len(problems[0].message) > 10


def test_a_document_on_which_the_validator_stops_is_unknown_with_the_reason_and_not_invalid() -> None:
    endless = {"allOf": [{"$ref": "#/components/schemas/Node"}], "default": {}}
    problems = read_openapi(whole({"type": "object"}, Node=endless), "api.json", "provider").problems
    assert [p.kind for p in problems] == ["unreadable"]
    assert "unknown, because the validator stopped: RecursionError" in problems[0].message


def test_what_the_validator_found_before_it_stopped_is_invalid_all_the_same() -> None:
    document = whole({"type": "object"})
    document["paths"]["/items/{id}"]["get"]["parameters"] = 5
    problems = read_openapi(document, "api.json", "provider").problems
    assert [p.kind for p in problems] == ["invalid-openapi"]
    assert "5 is not of type" in problems[0].message


@pytest.mark.parametrize(
    ("paths", "place"),
    [
        ({"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/Nope"}], "responses": {}}}}, "/parameters/0"),
        ({"/a": {"$ref": "#/components/pathItems/Nope"}}, "/paths/~1a"),
        ({"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/Nope"}}}}}, "/responses/200"),
        ({"/a": {"get": {"responses": {"default": {"$ref": "#/components/responses/Nope"}}}}}, "/responses/default"),
    ],
)
def test_a_document_with_a_reference_that_leads_nowhere_is_invalid(paths: dict[str, Any], place: str) -> None:
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    invalid = [one for one in read_openapi(document, "api.json", "provider").problems if one.kind == "invalid-openapi"]
    assert [one.pointer.endswith(f"{place}/$ref") for one in invalid] == [True]
    assert "leads nowhere" in invalid[0].message


def test_a_reference_inside_an_example_is_somebody_s_data() -> None:
    schema = {
        "type": "object",
        "x-from": {"$ref": "#/nowhere"},
        "example": {"$ref": "#/nowhere"},
        "properties": {"default": {"type": "string"}},
    }
    assert read_openapi(whole({"$ref": "#/components/schemas/A"}, A=schema), "api.json", "provider").problems == ()


class Item(BaseModel):
    id: UUID
    name: Annotated[str, Field(min_length=1, max_length=80)]
    owner: Annotated[str, Field(json_schema_extra={"format": "email"})] | None = None
    kind: Literal["small", "large"]
    parts: list[Item] = []


class ItemIn(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    kind: Literal["small", "large"] = "small"


def application() -> FastAPI:
    app = FastAPI(title="Items", version="1")

    @app.get("/items/{item_id}", responses={404: {"description": "no such item"}})
    def read(item_id: UUID) -> Item:
        raise HTTPException(404, str(item_id))

    @app.post("/items", status_code=201)
    def create(item: ItemIn) -> Item:
        raise HTTPException(500, item.name)

    return app


def asked(**bodies: Any) -> Contract:
    (contract,) = read_contracts("ui.json", {"api_contract_assumptions": bodies})
    return contract


def test_a_fastapi_applications_own_openapi_is_the_providers_word() -> None:
    provider = read_openapi(application().openapi(), "app", "provider")
    assert provider.problems == ()
    fitting = asked(
        **{
            "GET /items/:id": {
                "response": "{ id: string, name: string, owner?: string | null, kind: 'small' | 'large' }",
                "error_codes": [404, 422],
            },
            "POST /items": {
                "request": "{ name: string, kind?: 'small' }",
                "response": "{ id: string }",
                "error_codes": [422],
            },
        }
    )
    assert [found for found in compare(fitting, provider) if found.certain] == []
    wrong = asked(
        **{
            "GET /items/:id": {"response": "{ id: number, title: string, kind: 'small' }", "error_codes": [404, 410]},
            "POST /items": {"request": "{ kind: 'huge' }"},
            "DELETE /items/:id": {"error_codes": [404]},
        }
    )
    kinds = sorted(found.kind for found in compare(wrong, provider) if found.certain)
    assert kinds == [
        "enum",
        "enum",
        "missing-endpoint",
        "missing-field",
        "missing-request-field",
        "type",
    ]
