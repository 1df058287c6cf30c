"""Contracts are read from three notations into one model; what cannot be read is unknown, and says why."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.contracts import Contract, Endpoint, Schema, parse_fields, parse_typescript, read_contracts, template
from contexts.contracts.compatibility import resolve_name
from contexts.contracts.paths import endpoint_name, mentions


def member(schema: Schema, name: str) -> Any:
    return next(entry for entry in schema.fields if entry.name == name)


def consumer(**endpoints: Any) -> Contract:
    data = {"api_contract_assumptions": {name.replace("_", " ", 1): body for name, body in endpoints.items()}}
    (contract,) = read_contracts("ui.json", data)
    return contract


def provided(endpoint: dict[str, Any], schemas: dict[str, Any] | None = None, name: str = "POST /items") -> Endpoint:
    data = {"implementation_details": {"endpoints": {name: endpoint}, "schemas": schemas or {}}}
    (contract,) = read_contracts("api.json", data)
    return contract.endpoints[0]


# The consumer's notation


def test_typescript_members_have_names_types_optionality_and_null() -> None:
    schema = parse_typescript("{ id: string, count?: number, tags: string[], note: string | null }")
    assert [entry.name for entry in schema.fields] == ["id", "count", "tags", "note"]
    assert member(schema, "id").required
    assert not member(schema, "count").required
    assert member(schema, "tags").schema.items == Schema("string")
    assert member(schema, "note").schema.nullable


@pytest.mark.parametrize(
    ("notation", "kind"),
    [
        ("string", "string"),
        ("Array<number>", "array"),
        ("{ a: { b: { c: boolean } } }", "object"),
        ("'a' | 'b'", "string"),
        ("Record<string, number>", "object"),
        ("{ [key: string]: number }", "object"),
        ("({ a: string } | { b: number })[]", "array"),
        ("{ readonly a: string; b?: (string | null)[] }", "object"),
        ("Date", "string"),
        ("null", "null"),
    ],
)
def test_typescript_reads_the_usual_forms(notation: str, kind: str) -> None:
    assert parse_typescript(notation).kind == kind


def test_literals_of_one_kind_are_an_enum_in_any_order() -> None:
    assert parse_typescript("'b' | 'a' | null").enum == ('"b"', '"a"')
    assert parse_typescript("'b' | 'a' | null").nullable


@pytest.mark.parametrize(
    "notation",
    [
        "{ id: string",
        "{ ...Base, id: string }",
        "Promise",
        "<T>(x: T) => T",
        "{ id string }",
        "",
        "keyof Item",
        "{ a: }",
    ],
)
def test_typescript_that_cannot_be_read_is_unknown_or_a_name_never_a_shape(notation: str) -> None:
    schema = parse_typescript(notation)
    assert schema.kind in {"unknown", "reference"}
    assert schema.kind == "reference" or schema.why


# The provider's notation


def test_python_fields_have_constraints_in_words() -> None:
    schema = parse_fields("name: str (min 1, max 100), age: int (ge=0, le=150), bio: Optional[str] (max 500)")
    assert (member(schema, "name").schema.low, member(schema, "name").schema.high) == (1, 100)
    assert (member(schema, "age").schema.low, member(schema, "age").schema.high) == (0, 150)
    bio = member(schema, "bio")
    assert bio.schema.nullable
    assert bio.schema.high == 500
    assert not bio.required
    assert bio.always


@pytest.mark.parametrize(
    ("notation", "kind", "form"),
    [
        ("UUID", "string", "uuid"),
        ("EmailStr", "string", "email"),
        ("datetime", "string", "date-time"),
        ("date", "string", "date"),
        ("HttpUrl", "string", "uri"),
        ("int", "integer", None),
        ("float", "number", None),
        ("bool", "boolean", None),
        ("list[int]", "array", None),
        ("List[Item]", "array", None),
        ("dict[str, int]", "object", None),
        ("Literal['a', 'b']", "string", None),
        ("str | None", "string", None),
        ("Union[str, None]", "string", None),
        ("constr(min_length=1)", "string", None),
        ("Annotated[str, Field(max_length=9)]", "string", None),
        ("UploadFile", "file", None),
        ("Any", "any", None),
    ],
)
def test_python_types_are_what_they_are_on_the_wire(notation: str, kind: str, form: str | None) -> None:
    schema = member(parse_fields(f"x: {notation}"), "x").schema
    assert (schema.kind, schema.format) == (kind, form)


@pytest.mark.parametrize(
    "fields",
    [
        "id: UUID, name: str (max 80)",
        {"id": "UUID", "name": "str (max 80)"},
        ["id: UUID", "name: str (max 80)"],
        "id: UUID\n, name: str (max 80)",
        "{ id: UUID, name: str (max 80) }",
    ],
)
def test_fields_may_be_a_text_an_object_or_a_list(fields: Any) -> None:
    schema = parse_fields(fields)
    assert [entry.name for entry in schema.fields] == ["id", "name"]
    assert member(schema, "name").schema.high == 80


@pytest.mark.parametrize(
    "fields", ["see the wiki", "id: UUID, and the usual", "id = UUID", 7, None, [7], "id: str -> int"]
)
def test_fields_that_cannot_be_read_are_unknown_with_the_reason(fields: Any) -> None:
    schema = parse_fields(fields)
    assert schema.kind == "unknown"
    assert schema.why


def test_one_unreadable_field_leaves_the_others_readable() -> None:
    schema = parse_fields({"id": "UUID", "odd": "Callable[[int], str]", "name": "str"})
    assert member(schema, "odd").schema.kind == "unknown"
    assert member(schema, "name").schema.kind == "string"


# Endpoints


@pytest.mark.parametrize("path", ["/items/:id", "/items/{id}", "/items/<id>", "/items/<int:id>", "/items/{item_id}/",
                                  "/items/[id]", "/items/${id}", "https://api.example.com/items/:id?full=1"])  # fmt: skip
def test_every_notation_of_a_path_parameter_is_the_same_endpoint(path: str) -> None:
    assert template(path) == "/items/{}"
    assert endpoint_name(f"get {path}") == ("GET", "/items/{}")


def test_prose_mentions_endpoints() -> None:
    said = "GET /items/:id, PUT/PATCH /items/{id} and (POST /items)."
    assert list(mentions(said)) == [
        ("GET", "/items/{}"), ("PUT", "/items/{}"), ("PATCH", "/items/{}"), ("POST", "/items"),
    ]  # fmt: skip


def test_the_references_two_notations_give_a_consumer_and_a_provider() -> None:
    asked = consumer(**{"PUT /items/:id": {
        "request": "{ name: string }", "response": "{ id: string }", "error_codes": [400, "404"]}})  # fmt: skip
    assert asked.role == "consumer"
    assert [code.status for code in asked.endpoints[0].codes or ()] == [400, 404]
    given = provided(
        {
            "auth": "Required (JWT)",
            "permissions": "User can only edit own items",
            "request_model": "ItemIn",
            "response_model": "ItemOut",
            "validation": "Name uniqueness, max 5MB, jpg/png only",
        },
        {"ItemIn": {"fields": "name: str"}, "ItemOut": {"fields": "id: UUID"}},
    )
    assert given.auth is True
    assert given.request is not None
    assert given.request.max_bytes == 5 * 1024**2
    assert given.request.file_types == {"jpg", "png"}
    assert {401, 403, 409, 413, 415} <= {code.status for code in given.implied}


@pytest.mark.parametrize(("spelt", "auth"), [("Required (JWT)", True), ("none", False), (True, True), (False, False), (None, None),
                                             ("Bearer token", True), ("public", False)])  # fmt: skip
def test_authentication_is_read_from_words(spelt: Any, auth: bool | None) -> None:
    assert provided({"auth": spelt, "response": "str"}).auth is auth


def test_an_endpoint_may_be_an_element_of_a_list() -> None:
    data = {
        "implementation_details": {"endpoints": [{"method": "GET", "path": "/items/{id}", "response_model": "str"}]}
    }
    (contract,) = read_contracts("api.json", data)
    assert contract.endpoints[0].key == ("GET", "/items/{}")
    assert contract.endpoints[0].pointer == "/implementation_details/endpoints/0"


@pytest.mark.parametrize(
    "body",
    ["type Query { item(id: ID!): Item }", "message Item { string id = 1; }", "an item, as discussed", "Item!", "[Item!]!",
     "application/x-protobuf", "the item or nothing"],
)  # fmt: skip
def test_a_body_in_another_language_is_unknown_never_a_shape(body: str) -> None:
    response = consumer(**{"POST /graphql": {"response": body}}).endpoints[0].response
    assert response is not None
    schema = resolve_name(response.schema, {})
    assert schema.kind == "unknown"
    assert schema.why


def test_a_model_that_no_schema_describes_is_a_problem_with_its_place() -> None:
    data = {
        "implementation_details": {
            "endpoints": {"GET /a": {"response_model": "Itme"}},
            "schemas": {"Item": {"fields": "id: str"}},
        }
    }
    (contract,) = read_contracts("api.json", data)
    (problem,) = contract.problems
    assert problem.kind == "unresolved-reference"
    assert problem.pointer == "/implementation_details/endpoints/GET ~1a/response_model"
