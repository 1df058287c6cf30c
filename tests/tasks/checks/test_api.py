"""The running server: honest ones of several kinds give nothing, drift that no document shows is found."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.checks.conftest import RunCheck, write

FASTAPI = """
import sys
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel

class Item(BaseModel):
    id: int
    name: str
    note: str | None = None

class New(BaseModel):
    name: str

app = FastAPI()
items = {1: "pen"}

@app.get("/items/{item_id}")
def one(item_id: int) -> Item:
    if item_id not in items:
        raise HTTPException(404)
    return Item(id=item_id, name=items[item_id])

@app.get("/items")
def every(page: int = 1) -> list[Item]:
    return [Item(id=key, name=name) for key, name in items.items()]

@app.post("/items", status_code=201)
def add(new: New) -> Item:
    if len(new.name) > 40:
        raise HTTPException(409)
    items[max(items) + 1] = new.name
    return Item(id=max(items), name=new.name)

@app.delete("/items/{item_id}", status_code=204)
def remove(item_id: int, authorization: str = Header("")) -> Response:
    if authorization != "Bearer right":
        raise HTTPException(401)
    return Response(status_code=204)

@app.get("/old", response_class=RedirectResponse, status_code=307)
def old():
    return "/items"

{more}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""
DRIFT = {
    "another type": '@app.get("/d", response_model=Item)\ndef d(q: int = 0): return JSONResponse({"id": "x", "name": "y"})',
    "a member missing": '@app.get("/d", response_model=Item)\ndef d(q: int = 0): return JSONResponse({"id": 1})',
    "an undocumented success": '@app.get("/d", response_model=Item)\ndef d(q: int = 0): return JSONResponse({"id": 1, "name": "y"}, status_code=202)',
    "a server error": '@app.get("/d", response_model=Item)\ndef d(q: int = 0): raise ValueError(q)',
}
NODE = """
const http = require('http');
http.createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  const id = /^\\/v1\\/items\\/(\\d+)$/.exec(url.pathname);
  const answer = (status, body) => { response.writeHead(status, {'content-type': 'application/json'}); response.end(JSON.stringify(body)); };
  if (id && request.method === 'GET') return id[1] === '1' ? answer(200, {id: 1, name: %s}) : answer(404, {error: 'none'});
  answer(404, {error: 'no such path'});
}).listen(process.argv[2], '127.0.0.1');
"""
HTTP_SERVER = """
import http.server
import sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/drop"):
            raise RuntimeError("nobody catches this")
        self.send_response(200)
        self.end_headers()

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
DOCUMENT = {
    "openapi": "3.0.3", "info": {"title": "Items", "version": "1"}, "servers": [{"url": "https://example.org/v1"}],
    "paths": {"/items/{id}": {"get": {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 3}}],
        "responses": {"200": {"description": "one", "content": {"application/json": {"schema": {
            "type": "object", "required": ["id", "name"], "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}}}}},
    }}},
}  # fmt: skip
SERVED: dict[str, Any] = {"kind": "api", "argv": ["{python}", "app.py", "{port}"], "openapi": "/openapi.json"}


def rules(ran: Any) -> list[str]:
    return [one.rule for one in ran.judged.findings]


@pytest.mark.parametrize("seed", [1, 2])
def test_an_honest_server_gives_nothing(run_check: RunCheck, tree: Path, seed: int) -> None:
    write(tree, {"app.py": FASTAPI.replace("{more}", "")})
    ran = run_check(**SERVED, seed=seed, max_examples=15)
    assert (ran.judged.status, ran.judged.reason) == ("passed", "")
    figures = ran.judged.result.api
    assert figures is not None
    assert (figures.operations, figures.failures, figures.replayed) == (5, 0, 0)


@pytest.mark.parametrize("drift", list(DRIFT))
def test_what_documents_cannot_show_is_found(run_check: RunCheck, tree: Path, drift: str) -> None:
    write(tree, {"app.py": FASTAPI.replace("{more}", DRIFT[drift])})
    ran = run_check(**SERVED, max_examples=5)
    assert ran.judged.status == "failed", ran.judged.reason
    assert set(rules(ran)) == {"contracts/live"}
    assert all(one.message.startswith("GET /d: ") for one in ran.judged.findings), ran.judged.findings
    assert ran.judged.findings[0].sources[1].quote.startswith("GET http://127.0.0.1:")


def examples(**members: Any) -> dict[str, Any]:
    operation = {"operation": "POST /items", "responses": {"201": {"$ref": "#/schemas/Item"}}, "examples": [members]}
    shape = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    return {"web": {"contracts": {"assumes": {"operations": [operation], "schemas": {"Item": shape}}}}}


@pytest.mark.parametrize(
    ("example", "wrong"),
    [
        ({"body": {"name": "ink"}}, ""),
        ({"body": {"name": "ink"}, "status": 201, "response": {"name": "ink"}}, ""),
        ({"body": {"title": "ink"}}, "it was answered with 422, which is not among what is expected (201)"),
        ({"body": {"title": "ink"}, "status": 422}, ""),
        ({"body": {"name": "long" * 20}}, "it was answered with 409, which is not among what is expected (201)"),
        ({"body": {"name": "ink"}, "status": 200}, "it was answered with 201, and 200 is expected"),
        ({"body": {"name": "ink"}, "response": {"name": "pen"}}, '$.name of its answer is "ink", and "pen" is expected'),
    ],
)  # fmt: skip
def test_consumers_examples_are_replayed(run_check: RunCheck, tree: Path, example: dict[str, Any], wrong: str) -> None:
    write(tree, {"app.py": FASTAPI.replace("{more}", "")})
    ran = run_check(**SERVED, max_examples=1, consumers=examples(**example))
    assert ran.judged.result.api is not None
    assert ran.judged.result.api.replayed == 1
    assert ran.judged.status == ("failed" if wrong else "passed"), ran.judged.reason
    if wrong:
        (found,) = ran.judged.findings
        assert found.message.endswith(wrong)
        assert found.sources[0].place == ("tracks/web", "/contracts/assumes/operations/0/examples/0")


@pytest.mark.parametrize(
    ("schema", "status", "reason"),
    [
        ({"type": "object", "properties": {"note": {"type": "string", "nullable": True}}}, "passed", ""),
        ({"type": "object", "properties": {"note": {"type": "string"}}}, "failed", "$.note of its answer"),
        ({"$ref": "#/schemas/Gone"}, "unverified", "its schema cannot be used"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "unverified", "its schema cannot be used"),
        ({"type": "object", "properties": {"name": {"pattern": "(["}}}, "unverified", "its schema cannot be used"),
    ],
)
def test_an_example_with_any_schema_is_judged_or_said_not_to_be(
    run_check: RunCheck, tree: Path, schema: Any, status: str, reason: str
) -> None:
    write(tree, {"app.py": FASTAPI.replace("{more}", "")})
    operation = {"operation": "GET /items/1", "responses": {"200": schema, "404": None}, "examples": [{}]}
    missing = {"operation": "GET /items/9", "responses": {"200": True, "404": {}}, "examples": [{}]}
    consumers = {"web": {"contracts": {"assumes": {"operations": [operation, missing]}}}}
    ran = run_check(**SERVED, max_examples=1, consumers=consumers)
    assert ran.judged.status == status, ran.judged.reason
    assert reason in ran.judged.reason


def test_no_answer_is_found_and_an_operation_that_cannot_be_tried_is_said(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"app.py": HTTP_SERVER})
    ok: dict[str, Any] = {"get": {"responses": {"200": {"description": "fine"}}}}
    document: dict[str, Any] = {"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {"/ok": ok}}
    given: dict[str, Any] = {
        "kind": "api",
        "argv": ["{python}", "app.py", "{port}"],
        "openapi": "openapi.json",
        "max_examples": 3,
    }
    for paths, status, reason in (
        ({}, "passed", ""),
        ({"/drop": ok}, "failed", "GET /drop: No answer"),
        ({"/of/{nobody}": ok}, "unverified", "1 operation was not tried: GET /of/{nobody}"),
    ):
        write(tree, {"openapi.json": json.dumps({**document, "paths": {**document["paths"], **paths}})})
        ran = run_check(**given)
        assert (ran.judged.status, reason in ran.judged.reason) == (status, True), ran.judged.reason


def test_a_server_that_always_asks_who_it_is_gets_the_header(
    run_check: RunCheck, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = HTTP_SERVER.replace(
        "self.send_response(200)", "self.send_response(200 if self.headers['x-key'] == 'a \"key\"' else 500)"
    )
    path: dict[str, Any] = {"get": {"responses": {"200": {"description": "fine"}}}}
    document = {"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {"/ok": path}}
    write(tree, {"app.py": asks, "openapi.json": json.dumps(document)})
    monkeypatch.setenv("THE_KEY", 'a "key"')
    given: dict[str, Any] = {"kind": "api", "argv": ["{python}", "app.py", "{port}"], "openapi": "openapi.json"}
    ran = run_check(**given, headers={"x-key": "env:THE_KEY"})
    assert ran.judged.status == "passed", ran.judged.reason
    assert not any("key" in word for step in ran.steps for word in step.argv)


@pytest.mark.skipif(shutil.which("node") is None, reason="not run: there is no node")
@pytest.mark.parametrize(("name", "status"), [("'pen'", "passed"), ("7", "failed")])
def test_a_server_of_another_language_below_its_base_path(
    run_check: RunCheck, tree: Path, name: str, status: str
) -> None:
    write(tree, {"server.js": NODE % name, "openapi.json": json.dumps(DOCUMENT)})
    ran = run_check(kind="api", argv=["node", "server.js", "{port}"], openapi="openapi.json", max_examples=10)
    assert ran.judged.status == status, ran.judged.reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"openapi": "gone.json"}, "the integrated tree has no such file"),
        ({"openapi": "/nowhere"}, "/nowhere was answered with 404"),
        ({"tool": ["{python}", "-S", "-m", "schemathesis.cli"]}, "schemathesis is not there"),
        ({"argv": ["{python}", "-c", "import sys; sys.exit('cannot start')", "{port}"]}, "cannot start"),
        ({"headers": {"authorization": "env:NOBODY_SETS_THIS"}}, "takes its value from env:NOBODY_SETS_THIS"),
        ({"openapi": "app.py"}, "app.py"),
    ],
)
def test_what_cannot_be_tried_is_unverified(
    run_check: RunCheck, tree: Path, fields: dict[str, Any], reason: str
) -> None:
    write(tree, {"app.py": FASTAPI.replace("{more}", "")})
    ran = run_check(**{**SERVED, **fields})
    assert ran.judged.status == "unverified"
    assert reason in ran.judged.reason
