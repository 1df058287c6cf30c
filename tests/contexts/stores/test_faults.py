"""Nothing is lost and nothing happens twice, whatever the network does between the store and a real server."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contexts.errors import LoginExpired, NotFound, ObjectExists, StoreDenied, StoreUnreachable, VersionChanged
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings, connect
from contexts.store.s3.retry import Patience
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for, session_for
from tests.contexts.stores.faults import Fault, FaultProxy, Refusal
from tests.waiting import wait_until

QUICK = Patience(first_wait=0.01, longest_wait=0.1, jitter=0.02, seconds=120)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="stamina")


@pytest.fixture
def proxy(ministack: servers.Server) -> Iterator[FaultProxy]:
    with FaultProxy(ministack.endpoint, silence=0.8).running() as running:
        yield running


def through(proxy: FaultProxy, server: servers.Server, prefix: str, patience: Patience = QUICK) -> S3Objects:
    settings = S3Settings(endpoint_url=proxy.endpoint, region="us-east-1", addressing="path", read_timeout=0.4)
    client = connect(settings, session_for(server))
    bucket, prefix = bucket_for(server), f"faults/{prefix}"  # the bucket is the session's: other files use it too
    return S3Objects(bucket, prefix, settings=settings, client=client, patience=patience)


@pytest.mark.parametrize("fault", Fault)
def test_a_write_that_met_one_fault_is_stored_once(proxy: FaultProxy, ministack: servers.Server, fault: Fault) -> None:
    store = through(proxy, ministack, f"one/{fault.name.lower()}")
    store.probe()
    proxy.planned = [fault]
    store.create("documents/w/context/000001.json", b"body")
    proxy.planned = [fault]
    version = store.replace("leases/w.json", b"1", None)
    proxy.planned = [fault]
    store.replace("leases/w.json", b"2", version)
    assert store.read("documents/w/context/000001.json") == b"body"
    assert store.read("leases/w.json") == b"2"
    assert proxy.met[fault] == 3


@pytest.mark.parametrize("fault", Fault)
def test_a_read_that_met_one_fault_returns_the_whole_body(
    proxy: FaultProxy, ministack: servers.Server, fault: Fault
) -> None:
    store = through(proxy, ministack, f"read/{fault.name.lower()}")
    store.create("blobs/w/long", b"0123456789" * 5_000)
    proxy.planned = [fault]
    assert store.read("blobs/w/long") == b"0123456789" * 5_000
    proxy.planned = [fault]
    assert [entry.key for entry in store.list("blobs/")] == ["blobs/w/long"]
    with pytest.raises(NotFound):
        store.read("blobs/w/none")


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.SILENCE_AFTER, Fault.ERROR_AFTER])
def test_the_same_body_of_another_writer_is_not_taken_for_our_own(
    proxy: FaultProxy, ministack: servers.Server, fault: Fault
) -> None:
    store = through(proxy, ministack, f"other/{fault.name.lower()}")
    store.create("documents/w/context/000001.json", b"body")
    proxy.planned = [fault]
    with pytest.raises(ObjectExists):
        store.create("documents/w/context/000001.json", b"body")
    version = store.replace("leases/w.json", b"1", None)
    store.replace("leases/w.json", b"2", version)
    proxy.planned = [fault]
    with pytest.raises(VersionChanged):
        store.replace("leases/w.json", b"2", version)


def test_with_a_fifth_of_all_requests_broken_every_save_ends_stored_or_unreachable(
    proxy: FaultProxy, ministack: servers.Server
) -> None:
    store = through(proxy, ministack, "fifth")
    proxy.share = 0.2
    keys = [f"documents/w{n % 8}/context/{n:06d}.json" for n in range(80)]

    def save(key: str) -> bool:
        try:
            store.create(key, key.encode())
        except StoreUnreachable:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        returned = dict(zip(keys, pool.map(save, keys), strict=True))
    kept = [key for key, stored in returned.items() if stored]
    assert {key: store.read(key) for key in kept} == {key: key.encode() for key in kept}
    proxy.share = 0.0
    # A later run goes on: what was not confirmed is either there, whole, or can be saved now.
    for key in (key for key, stored in returned.items() if not stored):
        with contextlib.suppress(ObjectExists):
            store.create(key, key.encode())
        assert store.read(key) == key.encode()
    assert [entry.key for entry in store.list("documents/")] == sorted(keys)
    assert sum(proxy.met.values()) > 15, proxy.met
    assert sum(returned.values()) > 75, "retrying helps too little"


def test_of_two_writers_behind_a_broken_network_each_revision_has_one_author(
    proxy: FaultProxy, ministack: servers.Server
) -> None:
    proxy.share = 0.2

    def write(author: str) -> dict[int, bytes]:
        store = through(proxy, ministack, "authors")
        mine: dict[int, bytes] = {}
        for revision in range(1, 16):
            body = f"{revision} by {author}".encode()
            try:
                store.create(f"documents/w/context/{revision:06d}.json", body)
            except ObjectExists:
                continue
            mine[revision] = body
        return mine

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(write, ["one", "two"])
    assert not set(first) & set(second), "both believe to have saved one revision"
    store = s3_storage_at(ministack, "faults/authors")
    assert {n: store.read(f"documents/w/context/{n:06d}.json") for n in range(1, 16)} == first | second


def s3_storage_at(server: servers.Server, prefix: str) -> S3Objects:
    settings = S3Settings(endpoint_url=server.endpoint, region="us-east-1", addressing="path")
    return S3Objects(bucket_for(server), prefix, settings=settings, session=session_for(server))


@pytest.mark.parametrize("fault", [Fault.SLOW_DOWN, Fault.RESET_BEFORE, Fault.SILENCE_BEFORE])
def test_a_lasting_outage_ends_in_one_sentence_within_the_bounded_time(
    proxy: FaultProxy, ministack: servers.Server, fault: Fault
) -> None:
    store = through(
        proxy,
        ministack,
        f"outage/{fault.name.lower()}",
        Patience(first_wait=0.01, jitter=0.02, longest_wait=0.1, seconds=1.5),
    )
    proxy.share, proxy.kinds = 1.0, [fault]
    with pytest.raises(StoreUnreachable, match="run again") as caught:
        store.create("documents/w/context/000001.json", b"x")
    assert caught.value.exit_code == 6
    proxy.share = 0.0
    store.create("documents/w/context/000001.json", b"x")


_SAVE = """
import sys
from contexts.store.url import open_objects
objects = open_objects(sys.argv[1])
objects.probe()
print("ready", flush=True)
sys.stdin.readline()
objects.create("documents/w/context/000001.json", b"by the killed one")
"""


@pytest.mark.parametrize(("fault", "landed"), [(Fault.SILENCE_BEFORE, False), (Fault.SILENCE_AFTER, True)])
def test_a_save_whose_process_is_killed_has_landed_whole_or_not_at_all(
    proxy: FaultProxy, ministack: servers.Server, fault: Fault, landed: bool
) -> None:
    prefix = f"killed/{fault.name.lower()}"
    url = f"s3://{bucket_for(ministack)}/{prefix}?endpoint_url={proxy.endpoint}&region=us-east-1&addressing=path"
    keys = {"AWS_ACCESS_KEY_ID": ministack.access_key, "AWS_SECRET_ACCESS_KEY": ministack.secret_key}
    with subprocess.Popen(
        [sys.executable, "-c", _SAVE, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=servers.ROOT,
        env={**os.environ, **keys, "PYTHONPATH": str(servers.ROOT)},
    ) as run:
        assert run.stdout is not None
        assert run.stdin is not None
        assert run.stdout.readline() == "ready\n"
        store = s3_storage_at(ministack, prefix)
        proxy.planned = [fault]
        run.stdin.write("go\n")
        run.stdin.flush()
        wait_until("the save", lambda: proxy.met[fault] and (not landed or list(store.list("documents/"))), every=0.01)
        run.kill()
    if landed:
        with pytest.raises(ObjectExists):
            store.create("documents/w/context/000001.json", b"by the next one")
        assert store.read("documents/w/context/000001.json") == b"by the killed one"
    else:
        store.create("documents/w/context/000001.json", b"by the next one")
        assert store.read("documents/w/context/000001.json") == b"by the next one"


def test_a_missing_object_is_told_from_a_denied_one_where_the_service_says_denied_for_both(
    proxy: FaultProxy, ministack: servers.Server
) -> None:
    store = through(proxy, ministack, "hidden")
    store.create("documents/w/context/000001.json", b"x")
    proxy.hides_missing = True
    with pytest.raises(NotFound):
        store.read("documents/w/context/000002.json")
    assert store.read_versioned("leases/w.json") is None
    proxy.refuse = lambda asked: Refusal(403, "AccessDenied") if asked.operation == "GetObject" else None
    with pytest.raises(StoreDenied, match="s3:GetObject"):
        store.read("documents/w/context/000001.json")
    proxy.refuse = lambda asked: Refusal(403, "AccessDenied") if asked.operation == "ListObjectsV2" else None
    with pytest.raises(StoreDenied, match=r"without s3:ListBucket a missing object"):
        store.read("documents/w/context/000002.json")


def test_a_login_that_was_renewed_meanwhile_is_seen_by_a_store_whose_token_has_expired(
    proxy: FaultProxy, ministack: servers.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log_in(key_id: str) -> None:
        (tmp_path / "credentials").write_text(
            f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = s\naws_session_token = t\n"
        )

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    bucket = bucket_for(ministack)
    log_in("first")
    settings = S3Settings(endpoint_url=proxy.endpoint, region="us-east-1", addressing="path")
    store = S3Objects(bucket, "login", settings=settings, patience=QUICK)
    proxy.refuse = lambda asked: Refusal(400, "ExpiredToken") if asked.by == "first" else None
    with pytest.raises(LoginExpired, match="log in again"):
        store.create("documents/w/context/000001.json", b"x")
    log_in("second")
    store.create("documents/w/context/000001.json", b"x")
    assert store.read("documents/w/context/000001.json") == b"x"


def test_the_proxy_itself_passes_everything_on_when_it_has_no_fault(
    proxy: FaultProxy, ministack: servers.Server
) -> None:
    store = through(proxy, ministack, "plain")
    store.create("blobs/w/a", b"x" * 300_000)
    assert store.read("blobs/w/a") == b"x" * 300_000
    assert proxy.methods == {"PUT": 4, "GET": 1}
