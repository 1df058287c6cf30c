"""Performance: a fixed load on a real application, figures that can be computed again from what is kept."""

import json
import math
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3

from contexts.documents.base import JsonObject
from contexts.documents.figures import Performance
from tasks.checks import load_generator
from tasks.checks.results import CheckResult, CheckRun
from tests.tasks.checks.conftest import RunCheck, make_check, write

# Answers with what it counted; /slow waits, /one-in-ten fails, and all it saw goes to a file at its end.
APP = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
seen = {}
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        seen[self.path] = seen.get(self.path, 0) + 1
        if self.path == "/slow": time.sleep(0.03)
        bad = self.path == "/one-in-ten" and seen[self.path] % 10 == 0
        self.send_response(500 if bad else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = json.loads(body) == {"a": 1} and self.headers["X-Token"] == "let-me-in"
        self.send_response(201 if good else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
def end(*_):
    open("seen.json", "w").write(json.dumps(seen)); os._exit(0)
signal.signal(signal.SIGINT, end)
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.serve_forever()
"""
ARGV = ("{python}", "app.py", "{port}")


def load(run_check: RunCheck, tree: Path, *requests: JsonObject, app: str = APP, **fields: Any) -> CheckRun:
    write(tree, {"app.py": app})
    return run_check(kind="performance", argv=ARGV, requests=[dict(one) for one in requests], **fields)


def measured(judged: CheckResult) -> Performance:
    assert judged.result.performance is not None
    return judged.result.performance


def test_a_load_is_warmed_up_counted_and_kept_raw(run_check: RunCheck, tree: Path) -> None:
    request = {
        "id": "home",
        "path": "/home",
        "warmup": 7,
        "count": 40,
        "targets": {"p50_ms": 500, "p95_ms": 900, "p99_ms": 900},
    }
    ran = load(run_check, tree, request)
    assert ran.judged.status == "passed", ran.judged.reason
    figures = measured(ran.judged).requests["home"]
    raw, media = ran.judged.reports["load"]
    took = sorted(json.loads(raw)["requests"]["home"]["ms"])
    assert (len(took), figures.count, figures.errors, media) == (40, 40, 0, "application/json")
    assert json.loads((tree / "seen.json").read_text())["/home"] == 47, "warm-up and count, nothing else"
    for share in (50, 95, 99):
        assert figures.to_json()[f"p{share}_ms"] == round(took[math.ceil(share / 100 * 40) - 1], 3), "nearest rank"
    assert figures.max_ms == round(took[-1], 3)
    summary = measured(ran.judged)
    assert summary.percentile.startswith("nearest rank")
    assert 0 < summary.floor_ms < (figures.p50_ms or 0) + 1


def test_a_percentile_above_its_target_fails_and_says_by_how_much(run_check: RunCheck, tree: Path) -> None:
    slow = {"id": "slow", "path": "/slow", "warmup": 1, "count": 10, "targets": {"p50_ms": 25}}
    quick = {"id": "quick", "path": "/", "warmup": 1, "count": 10, "targets": {"p50_ms": 20_000}}
    judged = load(run_check, tree, slow, quick).judged
    requests = measured(judged).requests
    slowly = requests["slow"].p50_ms or 0
    assert judged.status == "failed"
    assert judged.reason == f"slow (GET /slow): p50_ms is {slowly:g}, at most 25 is wanted"
    assert slowly >= 30
    assert (requests["slow"].met, requests["quick"].met) == (False, True)


def test_errors_are_no_quick_answers(run_check: RunCheck, tree: Path) -> None:
    request = {"path": "/one-in-ten", "warmup": 0, "count": 50, "targets": {"p99_ms": 60_000}}
    judged = load(run_check, tree, request).judged
    figures = measured(judged).requests["request-1"]
    assert judged.status == "failed"
    assert "5 of 50 requests failed (status 500), at most 0 may" in judged.reason
    assert (figures.errors, figures.error_percent, figures.status) == (5, 10, {"200": 45, "500": 5})


def test_several_clients_share_the_count(run_check: RunCheck, tree: Path) -> None:
    request = {"id": "home", "path": "/home", "warmup": 4, "count": 30, "concurrency": 3}
    ran = load(run_check, tree, request)
    assert ran.judged.status == "passed", ran.judged.reason
    assert measured(ran.judged).requests["home"].count == 30
    assert json.loads((tree / "seen.json").read_text())["/home"] == 34


def test_a_request_may_have_a_body_and_a_token_from_the_environment(
    run_check: RunCheck, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {
        "method": "POST",
        "path": "/",
        "body": {"a": 1},
        "headers": {"X-Token": "env:LOAD_TOKEN"},
        "status": [201],
        "count": 5,
    }
    request["status"] = (201,)
    judged = load(run_check, tree, request).judged
    assert (judged.status, "LOAD_TOKEN, which is not set" in judged.reason) == ("unverified", True)
    monkeypatch.setenv("LOAD_TOKEN", "let-me-in")
    ran = load(run_check, tree, request)
    assert ran.judged.status == "passed", ran.judged.reason
    kept = b"".join(path.read_bytes() for path in tree.parent.rglob("*") if path.is_file() and path.name != "app.py")
    assert b"let-me-in" not in kept, "the token is in no file that is left"


def test_an_application_that_ends_early_is_unverified_with_its_last_words(run_check: RunCheck, tree: Path) -> None:
    judged = load(run_check, tree, {"path": "/"}, app="raise SystemExit('no configuration')").judged
    assert judged.status == "unverified"
    assert "ended before the check did" in judged.reason
    assert "no configuration" in judged.reason


def test_an_application_that_dies_under_the_load_is_unverified(run_check: RunCheck, tree: Path) -> None:
    dying = APP.replace(
        'if self.path == "/slow"', 'if seen[self.path] == 20: os._exit(3)\n        if self.path == "/slow"'
    )
    judged = load(run_check, tree, {"path": "/home", "count": 100}, app=dying).judged
    assert judged.status == "unverified"
    assert "status 3" in judged.reason


def test_an_application_that_never_answers_is_unverified(run_check: RunCheck, tree: Path) -> None:
    judged = load(run_check, tree, {"path": "/"}, app="import time; time.sleep(600)", ready_seconds=0.5).judged
    assert judged.status == "unverified"
    assert "did not answer at http://127.0.0.1:" in judged.reason


def test_a_load_that_does_not_end_is_cut_at_the_deadline_with_the_application(run_check: RunCheck, tree: Path) -> None:
    judged = load(run_check, tree, {"path": "/slow", "count": 100_000}, seconds=4).judged
    assert judged.status == "unverified"
    assert not [one for one in psutil.process_iter(["cmdline"]) if str(tree) in " ".join(one.info["cmdline"] or ())]


def test_a_port_somebody_else_took_is_unverified(run_check: RunCheck, tree: Path) -> None:
    """The application cannot listen, and says so; whoever listens instead is not measured."""
    app = "import socket, sys; taken = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n" + APP
    judged = load(run_check, tree, {"path": "/"}, app=app).judged
    assert judged.status == "unverified"
    assert "Address already in use" in judged.reason


def test_figures_an_application_writes_itself_are_not_taken(run_check: RunCheck, tree: Path) -> None:
    forged = json.dumps(
        {
            "ready_seconds": 0,
            "floor_ms": 0,
            "requests": {"slow": {"ms": [0.1] * 10, "errors": [], "status": {}, "seconds": 1}},
        }
    )
    planted = f"""
import glob
def end(*_):
    for folder in ("../load", *glob.glob("../load*")):
        os.makedirs(folder, exist_ok=True)
        open(folder + "/result.json", "w").write({forged!r})
    os._exit(0)
signal.signal(signal.SIGINT, end)
server ="""
    request = {"id": "slow", "path": "/slow", "warmup": 1, "count": 10, "targets": {"p50_ms": 25}}
    judged = load(run_check, tree, request, app=APP.replace("\nserver =", planted)).judged
    assert (judged.status, (measured(judged).requests["slow"].p50_ms or 0) >= 30) == ("failed", True)


def test_the_application_is_gone_afterwards(run_check: RunCheck, tree: Path) -> None:
    ran = load(run_check, tree, {"path": "/", "count": 3})
    port = int(ran.steps[0].argv[2]) if ran.steps[0].name == "application" else int(ran.steps[1].argv[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


# Answers as its table says: status, media type, body.
TOLD = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
told = json.load(open("told.json"))
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, media, bodies = told.get(self.path, (200, "text/plain", ["ready"]))
        body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body) + 10 * (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(body.encode())
        self.close_connection = self.path == "/cut"
    do_POST = do_GET
    def log_message(self, *_): pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
JSON = "application/json; charset=utf-8"
GRAPHQL = {"method": "POST", "body": {"query": "{ items }"}}
LIST = {"answers": {"type": "array", "items": {"required": ["id"]}}}
ERRORS = '{"errors": [{"message": "no"}], "data": null}'


@pytest.mark.parametrize(
    ("answer", "request_", "problem"),
    [
        pytest.param((200, JSON, '[{"id": 1}]'), LIST, "", id="as wanted"),
        pytest.param((200, "text/plain", '[{"id": 1}]'), LIST, "", id="as wanted, of any media type"),
        pytest.param((200, JSON, '{"error": "database is down"}'), LIST, "answer not as wanted: type at $", id="an error in its place"),
        pytest.param((200, JSON, '[{"id": 1}, {}]'), LIST, "required at $[1]", id="a member that is missing"),
        pytest.param((200, JSON, ""), LIST, "answer that is no JSON", id="no answer in its place"),
        pytest.param((200, JSON, '{"error": "is a word like others"}'), {}, "", id="words decide nothing"),
        pytest.param((200, "text/html", "<h1>Error</h1>"), {}, "", id="nor does a page"),
        pytest.param((200, JSON, ""), {}, "", id="no body says nothing"),
        pytest.param((200, JSON, "<h1>"), {}, "answer that says it is JSON and is not", id="no JSON"),
        pytest.param((200, JSON, '{"a": NaN}'), {}, "says it is JSON and is not", id="no number of JSON's"),
        pytest.param((200, JSON, "[" * 100_000), {}, "says it is JSON and is not", id="a body without end"),
        pytest.param((200, "application/problem+json", '{"title": "no"}'), {}, "status 200 with application/problem+json", id="problem details"),
        pytest.param((200, "application/problem+xml", "<problem/>"), {}, "status 200 with application/problem+xml", id="problem details in XML"),
        pytest.param((404, "application/problem+json", '{"title": "no"}'), {"status": (404,)}, "", id="problem details that are wanted"),
        pytest.param((200, JSON, ERRORS), GRAPHQL, "errors of GraphQL and no data", id="GraphQL"),
        pytest.param((200, "application/graphql-response+json", ERRORS), {}, "errors of GraphQL and no data", id="GraphQL's own media type"),
        pytest.param((200, JSON, '{"errors": [{"message": "no"}], "data": {"items": []}}'), GRAPHQL, "", id="a part of GraphQL's data"),
        pytest.param((200, JSON, ERRORS), {}, "", id="a list that is called like GraphQL's"),
        pytest.param((200, "application/vnd.api+json", '{"errors": [{"status": "500"}]}'), {}, "errors of JSON:API", id="JSON:API"),
        pytest.param((200, JSON, '[{"jsonrpc": "2.0", "id": 1, "error": {"code": -1}}]'), {}, "an error of JSON-RPC", id="JSON-RPC"),
    ],
)  # fmt: skip
def test_an_answer_with_the_right_status_that_is_none_counts_as_failed(
    run_check: RunCheck, tree: Path, answer: tuple[int, str, str], request_: dict[str, Any], problem: str
) -> None:
    write(tree, {"told.json": json.dumps({"/x": [*answer[:2], [answer[2]]]})})
    judged = load(run_check, tree, {"path": "/x", "warmup": 0, "count": 3, **request_}, app=TOLD).judged
    figures = measured(judged).requests["request-1"]
    assert (judged.status, figures.errors) == (("failed", 3) if problem else ("passed", 0)), judged.reason
    assert problem in judged.reason
    assert figures.status == {str(answer[0]): 3}


@pytest.mark.parametrize("clients", [1, 2])
def test_every_answer_is_judged_also_where_each_is_another(run_check: RunCheck, tree: Path, clients: int) -> None:
    bodies = [json.dumps([{"id": number}] if number % 5 else {"error": number}) for number in range(40)]
    write(tree, {"told.json": json.dumps({"/x": [200, JSON, bodies]})})
    request = {"path": "/x", "warmup": 0, "count": 40, "concurrency": clients, "targets": {"errors": 8}, **LIST}
    judged = load(run_check, tree, request, app=TOLD).judged
    assert (judged.status, measured(judged).errors) == ("passed", 8), judged.reason


def test_a_body_that_ends_early_counts_as_failed(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"told.json": json.dumps({"/cut": [200, JSON, ["{}"]]})})
    judged = load(run_check, tree, {"path": "/cut", "warmup": 0, "count": 2}, app=TOLD).judged
    assert (judged.status, measured(judged).errors) == ("failed", 2)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"type": "lists"}, "'lists' is not valid"),
        ({"$ref": "https://example.org/items.json"}, "is not in it"),
        ({"$ref": "#/$defs/Item"}, "is not in it"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_spec(answers: JsonObject, why: str) -> None:
    with pytest.raises(ValueError, match="answers is no JSON Schema that can be used") as caught:
        make_check(kind="performance", argv=("a",), requests=({"path": "/", "answers": answers},))
    assert why in str(caught.value)


def test_bodies_that_wait_to_be_judged_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_generator, "_HELD", 20)
    judge = load_generator.Judge(
        {"id": "a", "method": "GET", "path": "/", "headers": {}, "body": None, "status": [200], "answers": True,
         "warmup": 0, "count": 1, "concurrency": 1}
    )  # fmt: skip
    marks = [judge.take(urllib3.HTTPResponse(body, preload_content=True)) for body in (b"1" * 15, b"no" * 8, b"no" * 8)]
    assert judge.is_full
    judge.settle()
    assert not judge.is_full
    assert [judge.problem(mark) for mark in marks] == [None, "answer that is no JSON", "answer that is no JSON"]
