"""Contracts as agents hand them in: operations with JSON Schemas, compared by direction, whatever else is odd."""

import copy
from typing import Any

import pytest

from contexts.audit import SourceDocument, audit
from contexts.contracts import compare, read_contracts
from contexts.documents.findings import Finding
from tests.contexts.building import context

ITEM: Any = {
    "type": "object",
    "required": ["id", "title", "price"],
    "properties": {
        "id": {"type": "string", "format": "uuid"}, "title": {"type": "string"}, "price": {"type": "integer"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "state": {"enum": ["open", "sold"]},
        "owner": {"$ref": "#/schemas/Owner"}, "tags": {"type": "array", "items": {"type": "string"}},
    },
}  # fmt: skip
OWNER: Any = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
NEW: Any = {
    "type": "object", "required": ["title"], "additionalProperties": False,
    "properties": {"title": {"type": "string", "maxLength": 80}, "price": {"type": "integer"}, "state": {"enum": ["open", "sold"]}},
}  # fmt: skip
SHAPES: Any = {
    "oneOf": [
        {"type": "object", "required": ["kind", "r"], "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}},
        {"type": "object", "required": ["kind", "w"], "properties": {"kind": {"const": "box"}, "w": {"type": "number"}}},
    ]
}  # fmt: skip
PROVIDED: Any = {
    "operations": [
        {"operation": "GET /items/{id}", "auth": True, "responses": {"200": {"$ref": "#/schemas/Item"}, "404": None}},
        {"operation": "GET /items", "responses": {"200": {"type": "array", "items": {"$ref": "#/schemas/Item"}}},
         "parameters": {"type": "object", "required": ["shop"], "properties": {"shop": {"type": "string"}, "page": {"type": "integer"}}}},
        {"operation": "POST /items", "request": NEW, "responses": {"201": {"$ref": "#/schemas/Item"}}},
        {"operation": "DELETE /items/{id}", "responses": {"204": None}},
        {"operation": "GET /shapes", "responses": {"200": SHAPES}},
        {"operation": "item.sold", "message": {"$ref": "#/schemas/Item"}},
    ],
    "schemas": {"Item": ITEM, "Owner": OWNER},
}  # fmt: skip
ASSUMED: Any = {
    "operations": [
        {"operation": "GET /items/:itemId", "auth": True, "responses": {"200": {"$ref": "#/schemas/Thing"}, "404": None, "410": None}},
        {"operation": "GET /items", "responses": {"200": {"type": "array", "items": {"$ref": "#/schemas/Thing"}}},
         "parameters": {"type": "object", "required": ["shop"], "properties": {"shop": {"type": "string"}}}},
        {"operation": "POST /items", "request": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "maxLength": 40}}},
         "responses": {"201": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}}},
        {"operation": "DELETE /items/{id}", "responses": {"204": None}},
        {"operation": "GET /shapes", "responses": {"200": SHAPES}},
        {"operation": "item.sold", "message": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
    ],
    "schemas": {
        "Thing": {
            "type": "object", "required": ["id", "title"],
            "properties": {
                "id": {"type": "string"}, "title": {"type": "string"}, "note": {"type": ["string", "null"]},
                "state": {"enum": ["open", "sold", "lost"]}, "owner": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
        }
    },
}  # fmt: skip


def documents(provided: Any = PROVIDED, assumed: Any = ASSUMED) -> list[SourceDocument]:
    plan = context(parallel_tasks=[{"task_id": "api"}, {"task_id": "web"}])
    tracks = {"api": {"contracts": {"provides": provided}}, "web": {"contracts": {"assumes": assumed}}}
    made = [
        ("context", plan),
        *(
            (f"tracks/{name}", context(f"w-{name}", task_id=name, parent_workflow_id="w", **members))
            for name, members in tracks.items()
        ),
    ]
    return [SourceDocument(name, one.to_json()) for name, one in made]


def found(provided: Any = PROVIDED, assumed: Any = ASSUMED) -> list[Finding]:
    return list(audit(documents(provided, assumed)).findings)


def test_an_honest_pair_has_nothing_that_warns() -> None:
    assert [one for one in found() if one.severity != "note"] == []


def changed(side: Any, path: tuple[Any, ...], value: Any) -> Any:
    side = copy.deepcopy(side)
    inner = side
    for part in path[:-1]:
        inner = inner[part]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return side


ITEM_AT = ("schemas", "Item", "properties")
THING_AT = ("schemas", "Thing", "properties")
NEW_AT = ("operations", 2, "request")


@pytest.mark.parametrize(
    ("side", "path", "value", "rule", "words"),
    [
        ("provides", (*ITEM_AT, "title"), {"type": "integer"}, "contracts/type", "title"),
        ("provides", (*ITEM_AT, "title"), None, "contracts/field", "title"),
        ("provides", (*ITEM_AT, "id"), {"type": ["string", "null"]}, "contracts/presence", "id"),
        ("provides", ("schemas", "Item", "required"), ["id"], "contracts/presence", "title"),
        ("provides", (*ITEM_AT, "state"), {"enum": ["open", "gone"]}, "contracts/type", '"gone"'),
        ("provides", ("schemas", "Owner", "properties", "name"), {"type": "object"}, "contracts/type", "owner.name"),
        ("provides", ("operations", 0, "operation"), "GET /products/{id}", "contracts/missing-endpoint", "GET /items/:itemId"),
        ("provides", ("operations", 2, "operation"), "PUT /items", "contracts/missing-endpoint", "POST /items"),
        ("provides", ("operations", 2, "responses"), {"200": {"$ref": "#/schemas/Item"}}, "contracts/status-code", "201"),
        ("provides", ("operations", 3, "responses"), {"204": {"$ref": "#/schemas/Item"}}, "contracts/type", "the body"),
        ("provides", (*NEW_AT, "required"), ["title", "price"], "contracts/field", "price"),
        ("provides", (*NEW_AT, "properties", "title"), {"type": "integer"}, "contracts/type", "title"),
        ("provides", (*NEW_AT, "properties", "title"), {"type": "string", "maxLength": 20}, "contracts/limit", "20"),
        ("provides", ("operations", 1, "parameters", "required"), ["shop", "page"], "contracts/field", "page"),
        ("provides", ("operations", 1, "parameters", "properties", "shop"), {"type": "integer"}, "contracts/type", "shop"),
        ("provides", ("operations", 5, "operation"), "item.bought", "contracts/missing-endpoint", "item.sold"),
        ("provides", ("operations", 5, "message"), {"type": "object", "properties": {"key": {"type": "string"}}}, "contracts/field", "id"),
        ("provides", ("operations", 4, "responses", "200", "oneOf", 1, "properties", "w"), {"type": "string"}, "contracts/type", 'in the variant with kind "box"'),
        ("provides", ("operations", 4, "responses", "200", "oneOf", 1, "properties", "kind"), {"const": "line"}, "contracts/type", 'kind "line"'),
        ("assumes", ("operations", 0, "auth"), False, "contracts/auth", "without authentication"),
        ("assumes", (*THING_AT, "title"), {"type": "number"}, "contracts/type", "title"),
        ("assumes", ("schemas", "Thing", "required"), ["id", "title", "tags", "note"], "contracts/field", "tags"),
        ("assumes", (*THING_AT, "state"), {"enum": ["open"]}, "contracts/type", '"sold"'),
        ("assumes", ("operations", 2, "request", "properties", "colour"), {"type": "string"}, "contracts/field", "colour"),
        ("assumes", ("operations", 2, "request", "required"), [], "contracts/presence", "title"),
        ("assumes", ("operations", 1, "parameters", "properties", "colour"), {"type": "string"}, "contracts/field", "colour"),
    ],
)  # fmt: skip
def test_each_difference_is_found_with_both_sides(
    side: str, path: tuple[Any, ...], value: Any, rule: str, words: str
) -> None:
    provided = changed(PROVIDED, path, value) if side == "provides" else PROVIDED
    assumed = changed(ASSUMED, path, value) if side == "assumes" else ASSUMED
    if path == ("schemas", "Thing", "required"):
        assumed["schemas"]["Thing"]["properties"] |= {"tags": {"type": "integer"}}
        provided = changed(PROVIDED, (*ITEM_AT, "tags"), None)
    told = [one for one in found(provided, assumed) if one.severity != "note"]
    assert rule in {one.rule for one in told}, told
    mine = [one for one in told if one.rule == rule and words in one.message]
    assert mine, told
    if rule != "contracts/missing-endpoint" or "products" not in str(value):
        places = {one.document for one in mine[0].sources}
        assert "tracks/web" in places


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("operations", 0, "responses", "410"), None),
        (("operations", 0, "responses", "503"), True),
        ((*THING_AT, "note"), {"type": "string"}),
        ((*THING_AT, "price"), {"type": "number"}),
    ],
)
def test_what_clients_live_with_is_no_mismatch(path: tuple[Any, ...], value: Any) -> None:
    assert [one for one in found(PROVIDED, changed(ASSUMED, path, value)) if one.severity == "blocking"] == []


def test_null_and_absent_are_alike_where_both_sides_know_null() -> None:
    assumed = changed(ASSUMED, ("schemas", "Thing", "required"), ["id", "title", "note"])
    assert [one.rule for one in found(PROVIDED, assumed) if one.severity != "note"] == []


def test_what_is_of_another_form_is_said_with_its_place_and_hides_nothing() -> None:
    odd = copy.deepcopy(ASSUMED)
    odd["operations"] += [
        {"responses": {}},
        "GET /x",
        {"operation": "GET /y", "request": "a name", "responses": {"fine": {}}, "auth": "yes"},
    ]
    odd["files"] = {"path": "a"}
    assert "contracts/unread" in {one.rule for one in found(PROVIDED, {**ASSUMED, "schemas": "all of them"})}
    provided = changed(PROVIDED, (*ITEM_AT, "title"), {"type": "integer"})
    told = found(provided, odd)
    assert "contracts/type" in {one.rule for one in told}
    places = {source.pointer for one in told if one.rule == "contracts/unread" for source in one.sources}
    assert places >= {
        f"/contracts/assumes/operations/{place}" for place in ("6", "7", "8/request", "8/responses/fine", "8/auth")
    } | {"/contracts/assumes/files"}
    assert all(one.severity == "warning" for one in told if one.rule == "contracts/unread")


@pytest.mark.parametrize(
    "odd", [None, 1, "all", [], {"provides": "all"}, {"provides": {"operations": 3}}, {"more": {"GET /x": 1}}]
)
def test_any_value_is_read(odd: Any) -> None:
    read_contracts("a", {"contracts": odd})


@pytest.mark.parametrize(
    "odd", ["GET /x", ["a"], {"provides": []}, {"provides": {"ops": []}}, {"offers": {"operations": []}}]
)
def test_contracts_of_another_form_are_warned_of(odd: Any) -> None:
    document = context("w-api", task_id="api", contracts=odd)
    told = [(one.rule, one.severity) for one in audit([SourceDocument("tracks/api", document.to_json())]).findings]
    assert told == [("contracts/unread", "warning")]


def answers(provided: Any, assumed: Any) -> list[str]:
    operation = {"operation": "PUT /a"}
    sides = (
        {"operations": [{**operation, "responses": provided}]},
        {"operations": [{**operation, "responses": assumed}]},
    )
    return sorted(one.rule for one in found(*sides) if one.severity != "note")


NAMED: Any = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
OTHER: Any = {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}


@pytest.mark.parametrize(
    ("provided", "assumed", "rules"),
    [
        ({"200": NAMED, "202": None}, {"202": None}, []),
        ({"200": OTHER, "201": NAMED}, {"201": NAMED}, []),
        ({"200": OTHER, "201": NAMED}, {"200": NAMED}, ["contracts/field"]),
        ({"204": None}, {"200": NAMED}, ["contracts/status-code"]),
        ({"2XX": NAMED}, {"201": NAMED}, []),
        ({"204": None, "200": NAMED}, {"2XX": NAMED}, []),
        ({"201": NAMED, "default": OTHER}, {"200": NAMED}, ["contracts/status-code"]),
        ({"201": NAMED, "2XX": NAMED}, {"200": NAMED}, []),
        ({"201": NAMED, "default": OTHER}, {"201": NAMED, "418": None}, []),
        ({"2XX": OTHER}, {"201": NAMED}, ["contracts/field"]),
    ],
)
def test_answers_are_compared_by_their_code(provided: Any, assumed: Any, rules: list[str]) -> None:
    assert answers(provided, assumed) == rules


def test_a_member_with_a_default_is_always_there() -> None:
    shown = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "default": []}}}
    assert answers({"200": shown}, {"200": {**shown, "required": ["tags"]}}) == []


def test_a_default_is_not_sent() -> None:
    taken = {"operations": [{"operation": "POST /a", "request": NAMED}]}
    sent = {"type": "object", "properties": {"name": {"type": "string", "default": "x"}}}
    told = found(taken, {"operations": [{"operation": "POST /a", "request": sent}]})
    assert [one.rule for one in told if one.severity != "note"] == ["contracts/presence"]


def test_an_answer_without_content_has_no_body() -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "a", "version": "1"},
        "paths": {"/a": {"delete": {"responses": {"204": {"description": "gone"}}}}},
    }
    provided = {"files": [{"path": "api.json", "read": {"openapi": document}}]}
    assert found(provided, {"operations": [{"operation": "DELETE /a", "responses": {"204": None}}]}) == []
    told = found(provided, {"operations": [{"operation": "DELETE /a", "responses": {"204": NAMED}}]})
    assert [one.severity for one in told] == ["blocking"]


def test_schemas_that_refer_to_what_is_inside_them_are_read() -> None:
    inside = {"$defs": {"A": NAMED}, "type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/$defs/A"}}}
    wrong = {**inside, "$defs": {"A": OTHER}}
    assert answers({"200": inside}, {"200": inside}) == []
    assert answers({"200": wrong}, {"200": inside}) == ["contracts/field"]


def test_parts_that_are_closed_close_the_whole() -> None:
    closed = {
        "allOf": [
            {**NAMED, "additionalProperties": False},
            {"type": "object", "properties": {"name": {"minLength": 1, "type": "string"}}},
        ]
    }
    sent = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "minLength": 1}, "more": {"type": "string"}},
    }
    side = (
        {"operations": [{"operation": "POST /a", "request": closed}]},
        {"operations": [{"operation": "POST /a", "request": sent}]},
    )
    assert [one.rule for one in found(*side) if one.severity != "note"] == ["contracts/field"]


def test_what_was_read_of_files_is_compared_and_named() -> None:
    provided = {"files": [{"path": "api.yaml", "read": {"openapi": {
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "servers": [{"url": "https://{host}/v1", "variables": {"host": {"default": "example.org"}}}],
        "paths": {"/items": {
            "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
            "get": {"responses": {"200": {"description": "all", "content": {"application/json": {"schema": {"type": "array", "items": ITEM | {"properties": {"id": {"type": "integer"}}}}}}}}}}},
    }}}]}  # fmt: skip
    for path in ("/items", "/v1/items"):
        assumed = {"files": [{"path": "types.ts", "read": {
            "operations": [{"operation": f"GET {path}", "responses": {"2XX": {"type": "array", "items": {"$ref": "#/schemas/Item"}}}, "parameters": {"type": "object", "properties": {"colour": {"type": "string"}}}}],
            "schemas": {"Item": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
        }}, {"path": "gone.ts", "read": {"unread": "no such file"}}]}  # fmt: skip
        told = [one for one in found(provided, assumed) if one.severity != "note"]
        assert {one.rule for one in told} == {"contracts/type", "contracts/field"}, told
        assert all(f"GET {path} (types.ts)" in one.message for one in told)


def test_an_operation_of_the_product_as_it_was_is_doubted_only() -> None:
    assumed = {"operations": [{"operation": "GET /users/me", "responses": {"200": True}}]}
    (told,) = [one for one in found(PROVIDED, assumed) if one.severity != "note"]
    assert (told.rule, told.severity) == ("contracts/missing-endpoint", "warning")
    assert "the product as it was must have it" in told.message


def test_several_contracts_of_one_document_are_all_in_the_matrix() -> None:
    contracts = [one for document in documents() for one in document.contracts]
    assert [one.role for one in contracts] == ["provider", "consumer"]
    assert [one for one in compare(contracts[1], contracts[0]) if one.certain] == []
