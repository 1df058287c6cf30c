"""Send a fixed load to a server on loopback and write down how long every answer took. A program of its own.

    python load.py JOB RESULT

It runs apart from plait, so that plait's threads are not in the figures, and apart from the server. The clock of a
request starts when a prepared request is handed to an open connection and stops when the last byte of the answer is
there; status codes and bodies are judged afterwards, each body once. What the generator itself adds is measured too, on
a server that does nothing (``floor_ms``), and reported beside the figures, not subtracted from them.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import socket
import sys
import time
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

import urllib3

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext
    from multiprocessing.synchronize import Barrier

    from jsonschema import Draft202012Validator

_FLOOR_REQUESTS = 200
_HELD = 32_000_000
"""Bytes of bodies that wait to be judged; then the load pauses, and the pause is not counted."""
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Request(TypedDict):
    """One request, and how often it is made.

    ``status`` are the codes that are no error, ``answers`` is the JSON Schema of bodies that are none, if any.
    """

    id: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: list[int]
    answers: dict[str, Any] | bool | None
    warmup: int
    count: int
    concurrency: int


class Job(TypedDict):
    """What is to be measured, and where."""

    port: int
    ready_path: str
    ready_seconds: float
    request_seconds: float
    requests: list[Request]


class Load(TypedDict):
    """What came of one request's load: times in milliseconds, answers by status, what went wrong, and all it took."""

    ms: list[float]
    status: dict[str, int]
    errors: list[str]
    seconds: float


class Judge:
    """Tells answers that are none though their status is right; bodies that are alike are judged once.

    Without a schema only a standard's own form counts, never a word: problem details (RFC 9457), what GraphQL, JSON:API
    and JSON-RPC answer in place of data, and a body that says it is JSON and is not. Where the spec asks for a status
    of 400 or above, an error is what it wants.
    """

    def __init__(self, request: Request) -> None:
        self._validator = None if request["answers"] is None else _validator(request["answers"])
        body = request["body"]
        self._asks_graphql = isinstance(body, dict) and isinstance(body.get("query"), str)  # pyright: ignore[reportUnknownMemberType] JSON
        self._has_body = request["method"] != "HEAD"
        self._held: dict[bytes, tuple[int, str, bytes]] = {}
        self._found: dict[bytes, str | None] = {}
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether `settle` is to be called before more is taken."""
        return self._bytes > _HELD

    def take(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        """Keep an answer and return by what `problem` knows it; empty where nothing is to be judged."""
        media = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        plain = not (media == "application/json" or media.endswith("+json") or media == "application/problem+xml")
        body = answer.data
        if not self._has_body or (self._validator is None and (plain or not body)):
            return b""
        mark = blake2b(body, digest_size=16, key=f"{answer.status} {media}".encode()[:64]).digest()
        if mark not in self._found and mark not in self._held:
            self._held[mark] = (answer.status, media, body)
            self._bytes += len(body)
        return mark

    def settle(self) -> None:
        """Judge what was taken."""
        for mark, (status, media, body) in self._held.items():
            self._found[mark] = self._judge(status, media, body)
        self._held.clear()
        self._bytes = 0

    def problem(self, mark: bytes) -> str | None:
        """Return what is wrong with an answer that was settled."""
        return self._found.get(mark)

    def _judge(self, status: int, media: str, body: bytes) -> str | None:
        if self._validator is None and status < 400 and media.startswith("application/problem+"):
            return f"status {status} with {media}"
        if self._validator is None and media == "application/problem+xml":
            return None
        try:
            value = json.loads(body, parse_constant=_refuse)
            if self._validator is not None:
                error = next(self._validator.iter_errors(value), None)  # pyright: ignore[reportUnknownMemberType] its default
                return f"answer not as wanted: {error.validator} at {error.json_path}"[:200] if error else None
        except (ValueError, RecursionError):
            return "answer that says it is JSON and is not" if self._validator is None else "answer that is no JSON"
        return self._standard_error(media, value) if status < 400 else None

    def _standard_error(self, media: str, value: Any) -> str | None:
        graphql = self._asks_graphql or media == "application/graphql-response+json"
        several: Any = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType] JSON
        for one in several:
            if not isinstance(one, dict):
                continue
            if one.get("jsonrpc") == "2.0" and isinstance(one.get("error"), dict):  # pyright: ignore[reportUnknownMemberType] JSON
                return "answer with an error of JSON-RPC"
            errors: Any = one.get("errors")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] JSON
            failed = isinstance(errors, list) and errors != []
            if failed and graphql and one.get("data") is None:  # pyright: ignore[reportUnknownMemberType] JSON
                return "answer with errors of GraphQL and no data"
            if failed and media == "application/vnd.api+json":
                return "answer with errors of JSON:API"
        return None


def _validator(schema: dict[str, Any] | bool) -> Draft202012Validator:
    # Only where a spec gives a schema. The registry is empty: nothing is fetched.
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415

    return Draft202012Validator(schema, registry=Registry[Any]())


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


class Result(TypedDict):
    """What is written in the end; without times where the server never answered."""

    ready_seconds: float | None
    floor_ms: float | None
    requests: dict[str, Load]


def main() -> None:
    """Read the job, wait for the server, run every request's load in turn, write the result."""
    job: Job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    result: Result = {"ready_seconds": None, "floor_ms": None, "requests": {}}
    # Forked before there is any thread, and before anything is measured.
    context = multiprocessing.get_context("fork")
    ready = wait_until_ready(job)
    if ready is not None:
        result["ready_seconds"] = ready
        result["floor_ms"] = measure_floor(context)
        for request in job["requests"]:
            sys.stdout.write(f"{request['id']}: {request['method']} {request['path']}, {request['count']} times\n")
            result["requests"][request["id"]] = measure(context, job, request)
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


def wait_until_ready(job: Job) -> float | None:
    """Return after how many seconds the server answered below 500, None where it did not in time."""
    started = time.monotonic()
    with pool_for(job["port"], 2.0) as pool:
        while time.monotonic() - started < job["ready_seconds"]:
            try:
                if pool.urlopen("GET", job["ready_path"], retries=False, redirect=False).status < 500:
                    return time.monotonic() - started
            except urllib3.exceptions.HTTPError:
                pass  # nobody listens yet
            time.sleep(0.02)
    return None


def pool_for(port: int, seconds: float) -> urllib3.HTTPConnectionPool:
    """Return a pool of one connection that is kept open."""
    return urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1, timeout=seconds)


def measure(context: ForkContext, job: Job, request: Request) -> Load:
    """Return times in milliseconds, status codes and errors of one request's load.

    With several clients each is a process with its share, so that none waits for another's interpreter.
    """
    clients = min(request["concurrency"], request["count"])
    judge = Judge(request)
    if clients == 1:
        return client(job["port"], job["request_seconds"], request, judge, request["warmup"], request["count"])
    # All clients begin together: one that starts early would measure an idle server.
    barrier = context.Barrier(clients)
    shares = [
        (len(range(at, request["warmup"], clients)), len(range(at, request["count"], clients))) for at in range(clients)
    ]
    pipes = [context.Pipe(duplex=False) for _ in shares]
    processes = [
        context.Process(
            target=_client_process, args=(pipe[1], job["port"], job["request_seconds"], request, judge, *share, barrier)
        )
        for pipe, share in zip(pipes, shares, strict=True)
    ]
    for process, pipe in zip(processes, pipes, strict=True):
        process.start()
        pipe[1].close()
    parts: list[Load] = [pipe[0].recv() for pipe in pipes]
    for process in processes:
        process.join()
    return {
        "ms": [one for part in parts for one in part["ms"]],
        "status": {
            code: sum(part["status"].get(code, 0) for part in parts)
            for code in sorted({code for part in parts for code in part["status"]})
        },
        "errors": [error for part in parts for error in part["errors"]],
        "seconds": max(part["seconds"] for part in parts),
    }


def _client_process(
    pipe: Connection,
    port: int,
    seconds: float,
    request: Request,
    judge: Judge,
    warmup: int,
    count: int,
    barrier: Barrier,
) -> None:
    pipe.send(client(port, seconds, request, judge, warmup, count, barrier))
    pipe.close()


def client(
    port: int, seconds: float, request: Request, judge: Judge, warmup: int, count: int, barrier: Barrier | None = None
) -> Load:
    """Send one client's share on one connection; see `measure`."""
    body = None if request["body"] is None else json.dumps(request["body"]).encode()
    headers = {"Accept": "*/*", "User-Agent": "plait-load", **request["headers"]}
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    method, path, expected = request["method"], request["path"], set(request["status"])
    answered: list[tuple[float, bytes]] = []
    errors: list[str] = []
    status: dict[str, int] = {}
    with pool_for(port, seconds) as pool:
        for _ in range(warmup):
            try:
                pool.urlopen(method, path, body=body, headers=headers, retries=False, redirect=False)
            except urllib3.exceptions.HTTPError:
                continue  # it will show when it is measured
        if barrier is not None:
            barrier.wait(timeout=300)
        gc.collect()
        gc.disable()
        paused = 0.0
        began = time.perf_counter()
        for _ in range(count):
            start = time.perf_counter_ns()
            try:
                answer = pool.urlopen(method, path, body=body, headers=headers, retries=False, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                errors.append(type(error).__name__)
                continue
            elapsed = time.perf_counter_ns() - start
            code = str(answer.status)
            status[code] = status.get(code, 0) + 1
            if answer.status not in expected:
                errors.append(f"status {code}")
                continue
            answered.append((round(elapsed / 1e6, 4), judge.take(answer)))
            if judge.is_full:
                pause = time.perf_counter()
                judge.settle()
                paused += time.perf_counter() - pause
        total = time.perf_counter() - began - paused
        gc.enable()
    judge.settle()
    took = [ms for ms, mark in answered if judge.problem(mark) is None]
    errors += [problem for _, mark in answered if (problem := judge.problem(mark)) is not None]
    return {"ms": took, "status": status, "errors": errors, "seconds": total}


def measure_floor(context: ForkContext) -> float:
    """Return the median time, in milliseconds, of a request to a server that does nothing: what the generator adds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = context.Process(target=_answer, args=(server,), daemon=True)
        process.start()
        nothing: Request = {
            "id": "nothing", "method": "GET", "path": "/", "headers": {}, "body": None, "status": [200],
            "answers": None, "warmup": 20, "count": _FLOOR_REQUESTS, "concurrency": 1,
        }  # fmt: skip
        took = sorted(client(port, 5.0, nothing, Judge(nothing), nothing["warmup"], nothing["count"])["ms"])
        process.join(timeout=5)
    return took[(len(took) - 1) // 2] if took else 0.0


def _answer(server: socket.socket) -> None:
    """Answer every request on one connection, until it closes."""
    connection, _ = server.accept()
    with connection:
        while connection.recv(65_536):
            connection.sendall(_ANSWER)


if __name__ == "__main__":
    main()
