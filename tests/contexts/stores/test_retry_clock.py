"""A request is tried again by the clock, whatever it is and however quickly each try fails; what stays is said at once."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import tenacity
import tenacity.nap
from botocore.exceptions import SSLError
from urllib3.exceptions import SSLError as TlsError

import contexts.store.s3.retry
from contexts.errors import StoreError, StoreUnreachable
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings, connect
from contexts.store.s3.retry import Patience, persist
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for, session_for
from tests.contexts.stores.faults import Fault, FaultProxy, Refusal

PROMISED = 50.0
"""Seconds that docs/guides/stores.md promises."""


class Clock:
    """Time that passes only while somebody sleeps; stands in for the module `time` where requests are tried again."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.began = self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __getattr__(self, name: str) -> object:
        return getattr(real_time, name)

    @property
    def passed(self) -> float:
        return self.now - self.began


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Clock:
    caplog.set_level(logging.CRITICAL, logger="stamina")
    made = Clock()
    for module in (tenacity, tenacity.nap, contexts.store.s3.retry):
        monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def proxy(ministack: servers.Server) -> Iterator[FaultProxy]:
    with FaultProxy(ministack.endpoint, silence=0.3).running() as running:
        yield running


def at(endpoint: str, server: servers.Server, prefix: str) -> S3Objects:
    settings = S3Settings(
        endpoint_url=endpoint, region="us-east-1", addressing="path", read_timeout=0.2, connect_timeout=0.5
    )
    bucket, prefix = bucket_for(server), f"retry-clock/{prefix}"  # the bucket is the session's: other files use it too
    made = S3Objects(bucket, prefix, settings=settings, client=connect(settings, session_for(server)))
    made._probed = True  # pyright: ignore[reportPrivateUsage] the request itself is what is to fail
    return made


ASKED: dict[str, Callable[[S3Objects], object]] = {
    "create": lambda store: store.create("documents/w/context/000009.json", b"x"),
    "replace": lambda store: store.replace("leases/w.json", b"x", None),
    "overwrite": lambda store: store.overwrite("results/x", b"x"),
    "read": lambda store: store.read("blobs/w/a"),
    "read_versioned": lambda store: store.read_versioned("leases/other.json"),
    "list": lambda store: list(store.list("documents/")),
    "delete": lambda store: store.delete("blobs/w/none"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_every_kind_of_request_goes_on_for_50_seconds_before_it_is_given_up(
    proxy: FaultProxy, ministack: servers.Server, clock: Clock, asked: str
) -> None:
    store = at(proxy.endpoint, ministack, f"clock/{asked}")
    proxy.share, proxy.kinds = 1.0, [Fault.SLOW_DOWN]
    with pytest.raises(StoreUnreachable):
        ASKED[asked](store)
    assert clock.passed >= PROMISED
    assert len(proxy.asked) > 8, "by the clock, not by a number of tries"


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.CUT])
def test_every_kind_of_failure_is_tried_again_for_50_seconds(
    proxy: FaultProxy, ministack: servers.Server, clock: Clock, fault: Fault
) -> None:
    store = at(proxy.endpoint, ministack, f"kind/{fault.name.lower()}")
    proxy.share, proxy.kinds = 1.0, [fault]
    with pytest.raises(StoreUnreachable):
        store.create("documents/w/context/000001.json", b"x")
    assert clock.passed >= PROMISED


def test_a_body_that_is_cut_off_each_time_is_tried_again_for_50_seconds(
    proxy: FaultProxy, ministack: servers.Server, clock: Clock
) -> None:
    store = at(proxy.endpoint, ministack, "cut")
    store.create("blobs/w/a", b"0123456789")
    proxy.share, proxy.kinds = 1.0, [Fault.CUT]
    with pytest.raises(StoreUnreachable):
        store.read("blobs/w/a")
    assert clock.passed >= PROMISED


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "InternalError"), (502, "BadGateway"), (503, "ServiceUnavailable"), (504, "GatewayTimeout"),
        (509, "BandwidthLimitExceeded"), (520, "Unknown"), (429, "TooManyRequests"), (400, "RequestTimeout"),
        (408, "RequestTimeout"), (400, "ThrottledException"), (409, "OperationAborted"),
    ],
)  # fmt: skip
def test_every_answer_that_may_pass_is_tried_again_for_50_seconds(
    proxy: FaultProxy, ministack: servers.Server, clock: Clock, status: int, code: str
) -> None:
    store = at(proxy.endpoint, ministack, f"answer/{status}")
    proxy.refuse = lambda _: Refusal(status, code)
    with pytest.raises(StoreUnreachable):
        store.create("documents/w/context/000001.json", b"x")
    assert clock.passed >= PROMISED


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidRequest"), (403, "AccessDenied"), (404, "NoSuchBucket"), (501, "NotImplemented"),
        (507, "XMinioStorageFull"), (400, "ExpiredToken"),
    ],
)  # fmt: skip
def test_an_answer_that_stays_is_said_at_once(
    proxy: FaultProxy, ministack: servers.Server, clock: Clock, status: int, code: str
) -> None:
    store = at(proxy.endpoint, ministack, f"stays/{code}")
    proxy.refuse = lambda _: Refusal(status, code)
    with pytest.raises(StoreError):
        store.create("documents/w/context/000001.json", b"x")
    assert clock.passed == 0
    assert len(proxy.asked) == 1


def free_port() -> int:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("where", ["nobody listens", "no such name", "TLS breaks off"])
def test_a_service_that_cannot_be_connected_to_is_tried_again_for_50_seconds(
    ministack: servers.Server, clock: Clock, where: str
) -> None:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=hang_up, args=(listening,), daemon=True)
        thread.start()
        endpoint = {
            "nobody listens": f"http://127.0.0.1:{free_port()}",
            "no such name": "http://bucket.invalid",
            "TLS breaks off": f"https://127.0.0.1:{listening.getsockname()[1]}",
        }[where]
        with pytest.raises(StoreUnreachable):
            at(endpoint, ministack, "nowhere").create("documents/w/context/000001.json", b"x")
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(20)
    assert clock.passed >= PROMISED


def hang_up(listening: socket.socket) -> None:
    """Close every connection as soon as the other side has spoken."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with closing(connection):
            connection.settimeout(5)
            try:
                connection.recv(1)
            except OSError:
                continue


def test_a_certificate_that_is_not_trusted_is_said_at_once(clock: Clock) -> None:
    def request() -> None:
        raise SSLError(
            endpoint_url="https://h", error=TlsError(ssl.SSLCertVerificationError(1, "certificate verify failed"))
        )

    with pytest.raises(StoreError, match="certificate verify failed"):
        persist(request, Patience(), "PutObject", "bucket b", "k")
    assert clock.passed == 0
