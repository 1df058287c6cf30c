"""A small HTTP proxy that breaks a share of the requests on their way to a real S3 server, in every way a network does."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Fault(StrEnum):
    """What may happen to a request."""

    INTERNAL_ERROR = "answered 500"
    SLOW_DOWN = "answered 503 SlowDown"
    RESET_BEFORE = "connection reset before it reached the server"
    RESET_AFTER = "connection reset after the server did it"
    SILENCE_BEFORE = "no answer, and never reached the server"
    SILENCE_AFTER = "no answer, though the server did it"
    CUT = "the answer's body cut off"
    CUT_ASKED = "the request's body cut off"
    ERROR_AFTER = "answered 500 though the server did it"


_ERROR = '<?xml version="1.0"?><Error><Code>{0}</Code><Message>by the proxy</Message></Error>'


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as S3 bills and permits it.

    Attributes:
        operation: Such as ``PutObject``.
        bucket: Where.
        key: The object; of a listing the prefix asked for.
        size: Bytes of the request's body.
        only_new: Whether an object that is there already makes it fail.
        by: The access key id it was signed with.
    """

    operation: str
    bucket: str
    key: str
    size: int = 0
    only_new: bool = False
    by: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request is answered with in the server's place."""

    status: int
    code: str
    headers: tuple[tuple[str, str], ...] = ()


_ANSWERS = {Fault.INTERNAL_ERROR: Refusal(500, "InternalError"), Fault.SLOW_DOWN: Refusal(503, "SlowDown")}
_OPERATIONS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}


def asked_by(method: str, path: str, size: int, *, only_new: bool) -> Asked:
    """Return what a path-style request asks for."""
    parts = urlsplit(path)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    if method == "GET" and not key:
        return Asked("ListObjectsV2", bucket, parse_qs(parts.query).get("prefix", [""])[0])
    return Asked(_OPERATIONS.get(method, method), bucket, key, size, only_new)


class FaultProxy:
    """The proxy.

    Args:
        upstream: The real server's URL.
        silence: Seconds a silent fault lasts; longer than the client's time-out.

    Attributes:
        share: Part of the requests that meet a fault, drawn by chance.
        planned: Faults for the next requests, first to come first, whatever the share; None lets one through.
        kinds: Which faults are drawn.
        met: How often each fault happened.
        methods: What was asked, by method.
        asked: Every request, in the order it came.
        refuse: Says which requests are answered in the server's place, before any fault; None lets one through.
        hides_missing: Whether a missing object is answered with 403, as S3 does to who may not list it.
    """

    def __init__(self, upstream: str, *, silence: float = 1.5, seed: int = 1) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._path = parts.path
        self._silence = silence
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.share = 0.0
        self.planned: list[Fault | None] = []
        self.kinds = list(Fault)
        self.met: Counter[Fault] = Counter()
        self.methods: Counter[str] = Counter()
        self.asked: list[Asked] = []
        self.refuse: Callable[[Asked], Refusal | None] = lambda _asked: None
        self.hides_missing = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"

    @contextlib.contextmanager
    def running(self) -> Iterator[FaultProxy]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)

    def _draw(self, method: str, asked: Asked) -> Fault | None:
        with self._lock:
            self.methods[method] += 1
            self.asked.append(asked)
            if self.planned:
                fault = self.planned.pop(0)
            else:
                fault = self._random.choice(self.kinds) if self._random.random() < self.share else None
            if fault:
                self.met[fault] += 1
            return fault


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = asked_by(
            self.command,
            self.path.removeprefix(self.proxy._path),
            len(body),
            only_new=self.headers.get("If-None-Match") == "*",
        )
        signed = self.headers.get("Authorization", "").partition("Credential=")[2]
        asked = replace(asked, by=signed.partition("/")[0])
        fault = self.proxy._draw(self.command, asked)
        refusal = self.proxy.refuse(asked)
        if refusal:
            self._refuse(refusal)
        elif fault in _ANSWERS:
            self._refuse(_ANSWERS[fault])
        elif fault is Fault.CUT_ASKED:
            self._cut_asked(body)
            self._reset()
        elif fault is Fault.RESET_BEFORE:
            self._reset()
        elif fault is Fault.SILENCE_BEFORE:
            self._silence()
        else:
            self._pass_on(body, fault)

    def _pass_on(self, body: bytes, fault: Fault | None) -> None:
        connection = http.client.HTTPConnection(*self.proxy._upstream, timeout=30)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if self.proxy.hides_missing and answer.status == 404 and self.command in {"GET", "HEAD"}:
            self._refuse(Refusal(403, "AccessDenied"))
        elif fault is Fault.RESET_AFTER:
            self._reset()
        elif fault is Fault.SILENCE_AFTER:
            self._silence()
        elif fault is Fault.ERROR_AFTER:
            self._refuse(_ANSWERS[Fault.INTERNAL_ERROR])
        else:
            self._answer(answer, content, fault)

    def _answer(self, answer: http.client.HTTPResponse, content: bytes, fault: Fault | None) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        if fault is Fault.CUT:
            self.send_header("Content-Length", str(len(content) + 1 if len(content) < 2 else len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _cut_asked(self, body: bytes) -> None:
        """Promise the server the whole body, give it half, and go."""
        with socket.create_connection(self.proxy._upstream, 30) as connection:
            head = [f"{self.command} {self.path} HTTP/1.1", *(f"{n}: {v}" for n, v in self.headers.items())]
            connection.sendall("\r\n".join([*head, "", ""]).encode() + body[: len(body) // 2])

    def _refuse(self, refusal: Refusal) -> None:
        content = b"" if self.command == "HEAD" else _ERROR.format(refusal.code).encode()
        self.send_response_only(refusal.status)
        for name, value in refusal.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _silence(self) -> None:
        time.sleep(self.proxy._silence)
        self.close_connection = True

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the connection this proxy itself has just cut
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve  # noqa: N815 - http.server's names
