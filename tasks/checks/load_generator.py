"""Send a fixed load to a server on loopback and write down how long every answer took. A program of its own.

    python load.py JOB RESULT

It runs apart from plait, so that plait's threads are not in the figures, and apart from the server. The clock of a
request starts when a prepared request is handed to an open connection and stops when the last byte of the answer is
there; status codes are judged afterwards. What the generator itself adds is measured too, on a server that does
nothing (``floor_ms``), and reported beside the figures, not subtracted from them.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import urllib3

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext
    from multiprocessing.synchronize import Barrier

_FLOOR_REQUESTS = 200
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Request(TypedDict):
    """One request, and how often it is made; ``status`` are the codes that are no error."""

    id: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: list[int]
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
    if clients == 1:
        return client(job["port"], job["request_seconds"], request, request["warmup"], request["count"])
    # All clients begin together: one that starts early would measure an idle server.
    barrier = context.Barrier(clients)
    shares = [
        (len(range(at, request["warmup"], clients)), len(range(at, request["count"], clients))) for at in range(clients)
    ]
    pipes = [context.Pipe(duplex=False) for _ in shares]
    processes = [
        context.Process(
            target=_client_process, args=(pipe[1], job["port"], job["request_seconds"], request, *share, barrier)
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
    pipe: Connection, port: int, seconds: float, request: Request, warmup: int, count: int, barrier: Barrier
) -> None:
    pipe.send(client(port, seconds, request, warmup, count, barrier))
    pipe.close()


def client(
    port: int, seconds: float, request: Request, warmup: int, count: int, barrier: Barrier | None = None
) -> Load:
    """Send one client's share on one connection; see `measure`."""
    body = None if request["body"] is None else json.dumps(request["body"]).encode()
    headers = {"Accept": "*/*", "User-Agent": "plait-load", **request["headers"]}
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    method, path, expected = request["method"], request["path"], set(request["status"])
    took: list[float] = []
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
            if answer.status in expected:
                took.append(round(elapsed / 1e6, 4))
            else:
                errors.append(f"status {code}")
        total = time.perf_counter() - began
        gc.enable()
    return {"ms": took, "status": status, "errors": errors, "seconds": total}


def measure_floor(context: ForkContext) -> float:
    """Return the median time, in milliseconds, of a request to a server that does nothing: what the generator adds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = context.Process(target=_answer, args=(server,), daemon=True)
        process.start()
        nothing: Request = {
            "id": "nothing", "method": "GET", "path": "/", "headers": {}, "body": None, "status": [200],
            "warmup": 20, "count": _FLOOR_REQUESTS, "concurrency": 1,
        }  # fmt: skip
        took = sorted(client(port, 5.0, nothing, nothing["warmup"], nothing["count"])["ms"])
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
