"""A small HTTP proxy before a Prefect server that answers some requests as a server in trouble does."""

import contextlib
import http.client
import select
import socket
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Trouble = Literal["locked", "unavailable", "hangs", "cut", "unheard"]
"""500 as SQLite's, 503, no answer ever, a closed connection; or done as asked, and the answer is lost (503)."""


@dataclass
class Proxy:
    """What the proxy was asked, and what it is to do about it.

    Attributes:
        url: Address of the API behind it.
        trouble: Says of a request's method and path what is to go wrong; None: nothing.
        asked: Every request, as ``METHOD PATH``, in order.
        troubled: Those of them that were not passed on, or whose answer was not.
    """

    url: str = ""
    trouble: Callable[[str, str], Trouble | None] = lambda _method, _path: None
    asked: list[str] = field(default_factory=list[str])
    troubled: list[str] = field(default_factory=list[str])
    over: threading.Event = field(default_factory=threading.Event)

    def count(self, part: str) -> int:
        """Return how often a request with this in it came."""
        return sum(part in one for one in self.asked)


@contextlib.contextmanager
def proxied(api_url: str) -> Generator[Proxy]:
    """Stand before the API at an address."""
    proxy = Proxy()
    upstream = urlsplit(api_url)
    host, port = str(upstream.hostname), int(upstream.port or 80)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            words = f"{self.command} {self.path}"
            proxy.asked.append(words)
            wrong = proxy.trouble(self.command, self.path)
            if wrong:
                proxy.troubled.append(words)
            if wrong == "hangs":
                proxy.over.wait()
            if wrong in {"hangs", "cut"}:
                self.close_connection = True
                return
            if wrong == "locked":
                self._answer(500, b'{"exception_message": "(sqlite3.OperationalError) database is locked"}')
                return
            if wrong == "unavailable":
                self._answer(503, b'{"exception_message": "Service Unavailable"}')
                return
            if self.headers.get("Upgrade"):
                self._tunnel()
                return
            kept = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            with contextlib.closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
                connection.request(self.command, self.path, body, kept)
                answer = connection.getresponse()
                said = answer.read()
            if wrong == "unheard":
                self._answer(503, b'{"exception_message": "Service Unavailable"}')
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass  # noqa: N815 the names are the library's

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 503:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def _tunnel(self) -> None:
            self.close_connection = True
            head = f"{self.requestline}\r\n{self.headers}".replace("\n", "\r\n").replace("\r\r\n", "\r\n")
            with socket.create_connection((host, port)) as there:
                there.sendall(head.encode())
                ends = {self.connection: there, there: self.connection}
                while not proxy.over.is_set():
                    for one in select.select(list(ends), [], [], 0.2)[0]:
                        data = one.recv(65536)
                        if not data:
                            return
                        ends[one].sendall(data)

        def log_message(self, *given: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError, BrokenPipeError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}{upstream.path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
