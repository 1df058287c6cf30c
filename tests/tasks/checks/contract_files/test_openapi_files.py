"""OpenAPI, Swagger 2 and JSON Schema: read in this process, with the files of the tree they refer to."""

from pathlib import Path
from typing import Any

import pytest

from contexts.contracts import read_openapi
from tests.tasks.checks.contract_files.conftest import Read, only, said

OPENAPI = """
openapi: 3.1.0
info: {title: Items, version: "1"}
paths:
  /items/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        200:
          description: one
          content: {application/json: {schema: {$ref: "schemas/item.yaml#/Item"}}}
        default: {$ref: "schemas/item.yaml#/Problem"}
"""
ITEM = "Item: {type: object, required: [id], properties: {id: {type: string}, next: {$ref: '#/Item'}}}\nProblem: {description: no}\n"
SWAGGER: Any = """
swagger: "2.0"
info: {title: Items, version: "1"}
basePath: /v1
parameters:
  Body: {name: item, in: body, required: true, schema: {$ref: "#/definitions/Item"}}
paths:
  /items:
    post:
      parameters: [{$ref: "#/parameters/Body"}, {name: dry, in: query, type: boolean}]
      responses: {201: {description: made, schema: {$ref: "#/definitions/Item"}}}
definitions:
  Item: {type: object, required: [id], properties: {id: {type: string}}}
"""


def provides(path: str, **more: Any) -> Any:
    return {"api": {"provides": [{"path": path, **more}]}}


def test_a_document_of_several_files_is_one_that_stands_alone(read: Read) -> None:
    told = read({"api/openapi.yaml": OPENAPI, "api/schemas/item.yaml": ITEM}, provides("api/openapi.yaml"))
    assert said(told) == []
    document = only(told)["openapi"]
    contract = read_openapi(document, "api", "provider")
    assert [one.message for one in contract.problems] == []
    assert [[code.status for code in one.codes or ()] for one in contract.endpoints] == [[200]]
    (name,) = contract.definitions
    assert [one.name for one in contract.definitions[name].fields] == ["id", "next"]


def test_swagger_2_is_the_openapi_3_that_says_the_same(read: Read) -> None:
    told = read({"swagger.yaml": SWAGGER}, provides("swagger.yaml"))
    assert said(told) == []
    contract = read_openapi(only(told)["openapi"], "api", "provider")
    assert [one.message for one in contract.problems] == []
    (endpoint,) = contract.endpoints
    assert endpoint.request is not None
    assert endpoint.response is not None
    assert {one.schema.reference for one in (endpoint.request, endpoint.response)} == {"#/components/schemas/Item"}
    assert only(told)["openapi"]["paths"]["/items"]["post"]["parameters"][0]["name"] == "dry"


def test_a_json_schema_gives_types_for_the_operations_of_its_entry(read: Read) -> None:
    schema = (
        '{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Order", "type": "object",'
        ' "properties": {"item": {"$ref": "#/$defs/Item"}, "again": {"$ref": "#"}}, "$defs": {"Item": {"type": "string"}}}'
    )
    operations = {"order.created": {"message": "Order"}, "GET /items": {"response": "Item[]"}, "x": {"message": "Gone"}}
    told = read({"order.json": schema}, provides("order.json", operations=operations))
    got = only(told)
    assert got["schemas"]["Order"]["properties"] == {
        "item": {"$ref": "#/schemas/Item"}, "again": {"$ref": "#/schemas/Order"},
    }  # fmt: skip
    assert got["operations"][:2] == [
        {"operation": "order.created", "message": {"$ref": "#/schemas/Order"}},
        {"operation": "GET /items", "responses": {"2XX": {"type": "array", "items": {"$ref": "#/schemas/Item"}}}},
    ]
    assert said(told) == [
        ("contracts/unread", "order.json of track api was not read: not all of it, but for it has no type 'Gone'")
    ]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{chr(ord(name) - 1)}'] * 9)}]\n" for name in "bcdefghi"
)


@pytest.mark.parametrize(
    ("files", "path", "why"),
    [
        pytest.param({}, "gone.yaml", "the integrated tree has no such file", id="gone"),
        pytest.param({"a.yaml": BOMB}, "a.yaml", "aliases expand to more than 10,000 nodes", id="aliases"),
        pytest.param({"a.json": '{"openapi":' * 5000}, "a.json", "a.json", id="depth of JSON"),
        pytest.param({"a.yaml": "[" * 5000}, "a.yaml", "is nested deeper than 100 levels", id="depth of YAML"),
        pytest.param({"a.yaml": "a: !!python/object/apply:os.system [id]"}, "a.yaml", "the tag", id="a tag"),
        pytest.param({"a.yaml": "x" * 5_000_001}, "a.yaml", "it is larger than 5 MB", id="size"),
        pytest.param({"a.yaml": "b: 1"}, "a.yaml", "add format beside its path", id="no format"),
        pytest.param({"folder/a.yaml": ""}, "folder", "it is no regular file", id="a folder"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_reason(read: Read, files: Any, path: str, why: str) -> None:
    told = read(files, provides(path))
    assert why in only(told)["unread"]
    ((rule, message),) = said(told)
    assert rule == "contracts/unread"
    assert message.startswith(f"{path} of track api was not read: ")
    assert (told.unread, [one.severity for one in told.findings]) == (1, ["warning"])


def test_no_link_and_no_reference_leads_out_of_the_tree(read: Read, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("openapi: 3.1.0\nhidden: true\n")
    (tree / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (tree / "inside.yaml").symlink_to("real.yaml")
    entries = [{"path": "link.yaml"}, {"path": "inside.yaml"}, {"path": "../secret.yaml"}, "no entry"]
    out = "openapi: 3.0.0\npaths: {}\ncomponents: {schemas: {A: {$ref: '../../secret.yaml'}, B: {$ref: 'link.yaml'}, C: {$ref: 'http://127.0.0.1:1/c.json'}}}\n"
    told = read({"real.yaml": out}, {"api": {"provides": entries}})
    reads = [one.read for one in told.report.files]
    assert reads[0] == {"unread": "it leads out of the tree"}
    assert "is not of the form" in reads[2]["unread"]
    assert "is not of the form" in reads[3]["unread"]
    assert "hidden" not in str(reads)
    assert all("x-unread" in one for one in reads[1]["openapi"]["components"]["schemas"].values())
    message = next(text for _, text in said(told) if text.startswith("inside.yaml"))
    assert all(
        part in message for part in ("'../../secret.yaml': it leads out", "'link.yaml': it leads out", "127.0.0.1:1")
    )
