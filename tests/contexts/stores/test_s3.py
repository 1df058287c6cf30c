"""What the S3 store holds beyond the common laws: requests counted, errors told apart, unfit services refused."""

from __future__ import annotations

import contextlib
import gzip
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from contexts.errors import ChecksumMismatch, InputError, StoreDenied, StoreUnreachable, StoreUnsuitable
from contexts.store.probe import diagnose
from contexts.store.s3 import GZIP_ABOVE, S3Objects
from contexts.store.s3.client import S3Settings, connect
from contexts.store.s3.retry import Patience
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for, client_for, s3_storage, session_for

NOT_LONG = Patience(first_wait=0.01, longest_wait=0.02, jitter=0.01, seconds=2)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="stamina")


class Requests:
    """Counts what a client sends."""

    def __init__(self, objects: S3Objects) -> None:
        self.sent: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        objects.client.meta.events.register("before-send.s3", self._note)

    def _note(self, request: Any, **_: object) -> None:
        self.sent[request.method] += 1
        self.headers.append({name.lower(): _text(value) for name, value in request.headers.items()})


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def opened(server: servers.Server, prefix: str, **settings: Any) -> S3Objects:
    chosen = S3Settings(endpoint_url=server.endpoint, region="us-east-1", **{"addressing": "path", **settings})
    return S3Objects(bucket_for(server), prefix, settings=chosen, session=session_for(server), patience=NOT_LONG)


def test_a_saved_object_costs_one_request_after_the_probe(ministack: servers.Server) -> None:
    objects = opened(ministack, "count")
    requests = Requests(objects)
    objects.create("documents/w/context/000001.json", b"x")
    assert requests.sent == {"PUT": 4}, "two for create-only, one for If-Match, and the save"
    for number in range(2, 12):
        objects.create(f"documents/w/context/{number:06d}.json", b"x")
    assert requests.sent == {"PUT": 14}
    again = opened(ministack, "count")
    requests = Requests(again)
    again.create("documents/w/context/000099.json", b"x")
    assert requests.sent == {"PUT": 3}, "a prefix that was probed before needs one request less"


def test_a_whole_workflow_is_looked_at_with_one_listing_and_one_get_per_track(ministack: servers.Server) -> None:
    objects = opened(ministack, "reuse")
    keys = [f"documents/w/tracks/t{number}/000001.json" for number in range(40)]
    for key in keys:
        objects.create(key, key.encode())
    reader = opened(ministack, "reuse")
    requests = Requests(reader)
    listed = [entry.key for entry in reader.list("documents/w/")]
    assert {key: reader.read(key) for key in listed} == {key: key.encode() for key in keys}
    assert requests.sent == {"GET": 41}


def test_reading_needs_no_permission_to_write(ministack: servers.Server) -> None:
    writer = opened(ministack, "read-only")
    writer.create("blobs/w/a", b"x")
    reader = opened(ministack, "read-only")
    requests = Requests(reader)
    reader.read("blobs/w/a")
    list(reader.list(""))
    assert set(requests.sent) == {"GET"}


@pytest.mark.stores
def test_a_long_listing_is_read_page_by_page(ministack: servers.Server) -> None:
    objects = opened(ministack, "pages")
    keys = [f"blobs/w/{number:04d}" for number in range(1005)]
    client = client_for(ministack)
    for key in keys:
        client.put_object(Bucket="contexts", Key=f"pages/{key}", Body=b"")
    requests = Requests(objects)
    assert [entry.key for entry in objects.list("blobs/")] == keys
    assert requests.sent == {"GET": 2}


@pytest.mark.parametrize("kind", ["ministack", pytest.param("r2", marks=pytest.mark.stores)])
def test_a_body_above_100_kilobytes_is_stored_compressed_and_read_whole(
    request: pytest.FixtureRequest, kind: str
) -> None:
    server: servers.Server = request.getfixturevalue(kind)
    objects = opened(server, "gzip")
    body = b'{"decisions": "the same again and again"}' * 4000
    assert len(body) > GZIP_ABOVE
    objects.create("documents/w/context/000001.json", body)
    objects.create("documents/w/context/000002.json", body[:GZIP_ABOVE])
    sizes = [entry.size for entry in objects.list("")]
    assert sizes[0] < len(body) / 20
    assert sizes[1] == GZIP_ABOVE
    assert objects.read("documents/w/context/000001.json") == body
    stored = (
        client_for(server)
        .get_object(Bucket=bucket_for(server), Key="gzip/documents/w/context/000001.json")["Body"]
        .read()
    )
    assert stored == gzip.compress(body, 3, mtime=0), "the same document always gives the same bytes"


def test_a_compressed_object_that_was_cut_or_edited_is_refused(ministack: servers.Server) -> None:
    objects = opened(ministack, "cut")
    objects.create("blobs/w/a", b"0123456789" * 20_000)
    client = client_for(ministack)
    found = client.get_object(Bucket="contexts", Key="cut/blobs/w/a")
    packed, metadata = found["Body"].read(), found["Metadata"]
    for bad in (packed[:-1], packed[:100], b"", b"junk" + packed, gzip.compress(b"another body")):
        client.put_object(Bucket="contexts", Key="cut/blobs/w/a", Body=bad, Metadata=metadata)
        with pytest.raises(ChecksumMismatch, match="cut off or was altered"):
            objects.read("blobs/w/a")


def test_a_body_a_proxy_has_unpacked_on_the_way_is_taken_as_it_is(ministack: servers.Server) -> None:
    objects = opened(ministack, "unpacked")
    body = b"0123456789" * 20_000
    objects.create("blobs/w/a", body)
    client = client_for(ministack)
    metadata = client.head_object(Bucket="contexts", Key="unpacked/blobs/w/a")["Metadata"]
    client.put_object(Bucket="contexts", Key="unpacked/blobs/w/a", Body=body, Metadata=metadata)
    assert objects.read("blobs/w/a") == body


def test_objects_of_others_below_the_prefix_are_not_listed(ministack: servers.Server) -> None:
    objects = opened(ministack, "others")
    objects.create("blobs/w/a", b"x")
    client = client_for(ministack)
    for key in ("others/", "others/blobs/", "others/blobs/w/ä b.txt", "others/blobs/w/.hidden"):
        client.put_object(Bucket="contexts", Key=key, Body=b"")
    assert [entry.key for entry in objects.list("")] == ["blobs/w/a"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"sse": "AES256"}, {"x-amz-server-side-encryption": "AES256"}),
        (
            {"sse": "aws:kms", "kms_key_id": "alias/plait"},
            {
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": "alias/plait",
            },
        ),
    ],
)
def test_the_chosen_encryption_is_asked_for_with_every_put(
    ministack: servers.Server, settings: dict[str, str], expected: dict[str, str]
) -> None:
    objects = opened(ministack, "sse", **settings)
    requests = Requests(objects)
    objects.overwrite("results/a", b"x")
    assert requests.headers[0].items() >= expected.items()


def test_the_identity_opens_the_same_storage_and_holds_no_secret(ministack: servers.Server) -> None:
    objects = opened(ministack, "named")
    assert objects.identity == f"s3://contexts/named?endpoint_url={ministack.endpoint}"
    assert S3Objects("bucket", session=boto3.Session(region_name="eu-west-1")).identity == "s3://bucket"


@pytest.mark.parametrize(
    ("endpoint", "addressing", "url"),
    [
        ("", "auto", "https://bucket.s3.amazonaws.com/p/blobs/w/a"),
        ("", "path", "https://s3.amazonaws.com/bucket/p/blobs/w/a"),
        ("https://0123.r2.cloudflarestorage.com", "auto", "https://0123.r2.cloudflarestorage.com/bucket/p/blobs/w/a"),
        ("https://s3.example.com", "virtual", "https://bucket.s3.example.com/p/blobs/w/a"),
    ],
)
def test_the_bucket_goes_where_the_addressing_says(
    endpoint: str, addressing: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    client = connect(S3Settings(endpoint_url=endpoint, addressing=addressing), session)
    asked: list[Any] = []
    client.meta.events.register("before-send.s3", lambda request, **_: asked.append(request) or _Refusal())
    objects = S3Objects("bucket", "p", client=client)
    with pytest.raises(StoreDenied):
        objects.read("blobs/w/a")
    assert asked[0].url == url
    region = "auto" if "r2" in endpoint else "us-east-1"
    assert f"/{region}/s3/aws4_request" in _text(asked[0].headers["Authorization"])


class _Refusal:
    """An answer as botocore's transport gives it."""

    status_code = 403
    headers: dict[str, str] = {}
    content = b""
    raw = None


class _Service(ThreadingHTTPServer):
    """A small S3 service that keeps objects, and a precondition only if told so."""

    daemon_threads = True

    def __init__(self, honours: set[str]) -> None:
        self.kept: dict[str, bytes] = {}
        self.honours = honours
        self.cuts_listings = False
        super().__init__(("127.0.0.1", 0), _ServiceHandler)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _ServiceHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Service

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        honoured = {name for name in self.server.honours if self.headers[name]}
        met = True
        if "If-None-Match" in honoured:
            met = self.path not in self.server.kept
        if "If-Match" in honoured:
            met = self.headers["If-Match"] == f'"{hash(self.server.kept.get(self.path))}"'
        if met:
            self.server.kept[self.path] = body
        self.send_response_only(200 if met else 412)
        self.send_header("ETag", f'"{hash(body)}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        cut = b"true" if self.server.cuts_listings else b"false"
        content = b"<ListBucketResult><IsTruncated>%s</IsTruncated></ListBucketResult>" % cut
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def service(honours: set[str]) -> Iterator[_Service]:
    with _Service(honours) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join(10)


@pytest.mark.parametrize(
    ("honours", "ignored"),
    [(set[str](), "If-None-Match"), ({"If-None-Match"}, "If-Match"), ({"If-Match"}, "If-None-Match")],
)
def test_a_service_that_ignores_a_precondition_is_refused_before_anything_is_saved(
    honours: set[str], ignored: str
) -> None:
    with service(honours) as running:
        server = servers.Server("small", running.endpoint, buckets=("contexts",))
        objects = opened(server, "p")
        for write in (
            lambda: objects.create("documents/w/context/000001.json", b"x"),
            lambda: objects.replace("leases/w.json", b"x", None),
        ):
            with pytest.raises(StoreUnsuitable, match=f"ignores {ignored}"):
                write()
        assert list(running.kept) == ["/contexts/p/probes/preconditions"]
        objects.client.close()


@pytest.mark.parametrize(("honours", "name"), [(set[str](), "create-only"), ({"If-None-Match"}, "if-match")])
def test_a_service_that_ignores_a_precondition_is_diagnosed_by_its_name(honours: set[str], name: str) -> None:
    with service(honours) as running:
        objects = opened(servers.Server("small", running.endpoint, buckets=("contexts",)), "p")
        assert [(answer.name, answer.ok) for answer in diagnose(objects)] == [("reachable", True), (name, False)]
        objects.client.close()


def test_a_service_that_cuts_a_listing_off_without_saying_where_it_goes_on_is_refused() -> None:
    with service({"If-None-Match", "If-Match"}) as running:
        running.cuts_listings = True
        objects = opened(servers.Server("small", running.endpoint, buckets=("contexts",)), "p")
        with pytest.raises(StoreUnsuitable, match="cuts a listing off"):
            list(objects.list(""))
        objects.client.close()


def test_a_service_that_honours_both_preconditions_is_taken() -> None:
    with service({"If-None-Match", "If-Match"}) as running:
        objects = opened(servers.Server("small", running.endpoint, buckets=("contexts",)), "p")
        objects.create("documents/w/context/000001.json", b"x")
        assert "/contexts/p/documents/w/context/000001.json" in running.kept
        objects.client.close()


def test_the_probe_is_made_once_however_many_threads_begin(ministack: servers.Server) -> None:
    objects = opened(ministack, "threads")
    requests = Requests(objects)
    threads = [threading.Thread(target=objects.create, args=(f"blobs/w/{n}", b"x")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert requests.sent == {"PUT": 3 + 8}


@pytest.mark.parametrize("kind", ["ministack", pytest.param("moto", marks=pytest.mark.stores)])
def test_a_missing_bucket_is_said_by_every_request(request: pytest.FixtureRequest, kind: str) -> None:
    server: servers.Server = request.getfixturevalue(kind)
    settings = S3Settings(endpoint_url=server.endpoint, addressing="path")
    objects = S3Objects("no-such-bucket", settings=settings, session=session_for(server), patience=NOT_LONG)
    for act in (
        lambda: objects.create("blobs/w/a", b"x"),
        lambda: objects.read("blobs/w/a"),
        lambda: list(objects.list("")),
    ):
        with pytest.raises(StoreUnsuitable, match=r"bucket no-such-bucket at .* does not exist"):
            act()
    assert [(answer.name, answer.ok) for answer in diagnose(objects)] == [("reachable", False)]


@pytest.mark.stores
def test_a_wrong_secret_is_said_by_the_r2_simulator_which_checks_signatures(r2: servers.Server) -> None:
    settings = S3Settings(endpoint_url=r2.endpoint, region="auto", addressing="path")
    wrong = S3Objects("contexts", settings=settings, session=session_for(r2, "wrong-secret"), patience=NOT_LONG)
    for act in (lambda: wrong.create("blobs/w/a", b"x"), lambda: list(wrong.list(""))):
        with pytest.raises(StoreDenied, match="secret access key does not belong") as caught:
            act()
        assert "wrong-secret" not in str(caught.value)
    unknown = boto3.Session(aws_access_key_id="unknown", aws_secret_access_key="x", region_name="auto")
    with pytest.raises(StoreDenied):
        S3Objects("contexts", settings=settings, session=unknown, patience=NOT_LONG).create("blobs/w/a", b"x")


def test_an_endpoint_that_is_down_is_unreachable_with_exit_code_6() -> None:
    server = servers.Server("down", f"http://127.0.0.1:{servers.free_port()}", buckets=("contexts",))
    with pytest.raises(StoreUnreachable, match="check the endpoint and the network") as caught:
        opened(server, "p").read("blobs/w/a")
    assert caught.value.exit_code == 6


def test_without_credentials_it_is_said_how_to_give_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreDenied, match="AWS_ACCESS_KEY_ID"):
        S3Objects("bucket", settings=S3Settings(region="us-east-1")).read("blobs/w/a")
    with pytest.raises(StoreDenied, match="no-such-profile"):
        S3Objects("bucket", settings=S3Settings(profile="no-such-profile"))


@pytest.mark.parametrize(
    "endpoint", ["not a url", "http://", "localhost:9000", "https://user:hush-hush@h", "https://h/?secret=hush-hush"]
)
def test_an_endpoint_that_cannot_be_one_is_bad_input_and_its_secrets_are_not_repeated(endpoint: str) -> None:
    with pytest.raises(InputError) as caught:
        S3Objects("bucket", settings=S3Settings(endpoint_url=endpoint))
    assert "hush-hush" not in str(caught.value)


def test_a_bucket_name_that_cannot_be_one_is_bad_input(ministack: servers.Server) -> None:
    settings = S3Settings(endpoint_url=ministack.endpoint)
    with pytest.raises(InputError):
        S3Objects("Not A Bucket", settings=settings, session=session_for(ministack)).read("blobs/w/a")


def test_every_question_about_a_good_store_is_answered_well_and_leaves_nothing(ministack: servers.Server) -> None:
    objects = s3_storage(ministack)()
    answers = diagnose(objects)
    assert [answer.name for answer in answers] == [
        "reachable",
        "writable",
        "create-only",
        "if-match",
        "clock",
        "cleaned",
    ]
    assert all(answer.ok for answer in answers), answers
    assert list(objects.list("")) == []
