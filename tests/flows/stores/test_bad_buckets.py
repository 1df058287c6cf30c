"""Whatever is wrong with a bucket has a sentence of its own, the right exit code, and shows no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import contexts.store.s3.objects
from contexts.store.contexts import ContextStore
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings
from contexts.store.s3.retry import Patience
from flows.cli import main
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for, client_for, session_for
from tests.contexts.stores.faults import Asked, FaultProxy, Refusal

SECRET = "hush-hush-this-is-the-secret"
TOKEN = "hush-hush-this-is-the-token"
DOCUMENT = "documents/shop/context/000001.json"


@dataclass
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Shop:
    """A bucket with one workflow, and the command line on it."""

    server: servers.Server
    proxy: FaultProxy
    prefix: str
    capfd: pytest.CaptureFixture[str]

    @property
    def url(self) -> str:
        return f"s3://contexts/{self.prefix}?endpoint_url={self.proxy.endpoint}&region=us-east-1&addressing=path"

    def plait(self, *arguments: object, url: str | None = None) -> Ended:
        self.capfd.readouterr()
        code = main([*map(str, arguments), "--store", url or self.url])
        said = self.capfd.readouterr()
        ended = Ended(code, said.out, said.err)
        for secret in (SECRET, TOKEN):
            assert secret not in said.out + said.err
        return ended

    def put(self, body: bytes) -> None:
        """Put something in the place of the workflow's document, as somebody else would."""
        client = client_for(self.server)
        client.put_object(Bucket="contexts", Key=f"{self.prefix}/{DOCUMENT}", Body=body)

    def body(self) -> bytes:
        client = client_for(self.server)
        return client.get_object(Bucket="contexts", Key=f"{self.prefix}/{DOCUMENT}")["Body"].read()


@pytest.fixture
def shop(
    ministack: servers.Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Shop]:
    caplog.set_level(logging.CRITICAL, logger="stamina")
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "AWS_PROFILE", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setattr(
        contexts.store.s3.objects, "Patience", partial(Patience, seconds=0.5, first_wait=0.01, jitter=0.01)
    )
    prefix = tmp_path.name
    settings = S3Settings(endpoint_url=ministack.endpoint, region="us-east-1", addressing="path")
    objects = S3Objects(bucket_for(ministack), prefix, settings=settings, session=session_for(ministack))
    document = {
        "version": "1.0",
        "workflow_id": "shop",
        "timestamp": "2026-01-01T00:00:00Z",
        "current_agent": "plait",
        "phase": "initialize",
    }
    ContextStore(objects).save(document, workflow_id="shop", name="context", after=0)
    with FaultProxy(ministack.endpoint).running() as proxy:
        yield Shop(ministack, proxy, prefix, capfd)


def on(*operations: str, refusal: Refusal) -> Callable[[Asked], Refusal | None]:
    return lambda asked: refusal if asked.operation in operations else None


ALL = ("ListObjectsV2", "GetObject", "PutObject", "HeadObject", "DeleteObject")
DENIED = Refusal(403, "AccessDenied")


def date(**ahead: float) -> tuple[str, str]:
    return ("Date", format_datetime(datetime.now(UTC) + timedelta(**ahead), usegmt=True))


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
@pytest.mark.parametrize(
    ("operations", "refusal", "command", "words"),
    [
        (("ListObjectsV2",), DENIED, ("list",), ("no permission to list objects", "grant s3:ListBucket")),
        (("GetObject",), DENIED, ("show", "shop"), ("no permission to read objects", "grant s3:GetObject")),
        (
            ALL,
            Refusal(301, "PermanentRedirect", (("x-amz-bucket-region", "eu-west-1"),)),
            ("list",),
            ("is not in the configured region", "set region=eu-west-1"),
        ),
        (ALL, Refusal(400, "AuthorizationHeaderMalformed"), ("list",), ("is not in the configured region",)),
        (ALL, Refusal(400, "ExpiredToken"), ("list",), ("session token", "has expired", "log in again")),
        (ALL, Refusal(403, "InvalidAccessKeyId"), ("list",), ("does not know this access key",)),
        (ALL, Refusal(403, "SignatureDoesNotMatch"), ("list",), ("secret access key does not belong",)),
        (
            ALL,
            Refusal(403, "RequestTimeTooSkewed", (date(minutes=20),)),
            ("list",),
            ("refuses this machine's clock", "behind the service's", "set it right"),
        ),
        (ALL, Refusal(503, "SlowDown"), ("list",), ("again and again", "run again when the service is well")),
    ],
    ids=["list", "get", "region", "region-signed", "token", "key", "secret", "clock", "busy"],
)
def test_what_a_service_refuses_is_said_in_one_sentence_with_what_to_do(
    shop: Shop,
    operations: tuple[str, ...],
    refusal: Refusal,
    command: tuple[str, ...],
    words: tuple[str, ...],
    debug: tuple[str, ...],
) -> None:
    shop.proxy.refuse = on(*operations, refusal=refusal)
    ended = shop.plait(*command, *debug)
    assert ended.code == 6
    said = ended.err.strip().splitlines()[-1]
    for word in words:
        assert word in said
    assert ended.out == ""
    if not debug:
        assert len(ended.err.strip().splitlines()) == 1


def test_doctor_asks_a_bucket_every_question_and_says_which_answer_is_bad(shop: Shop) -> None:
    def asked() -> tuple[int, dict[str, Any]]:
        ended = shop.plait("doctor", "--json")
        return ended.code, {one["name"]: one for one in json.loads(ended.out)["answers"]}

    code, good = asked()
    assert code == 0
    questions = [name for name in good if name.startswith("store: ")]
    assert questions == [
        f"store: {name}" for name in ("reachable", "writable", "create-only", "if-match", "clock", "cleaned")
    ]
    assert {good[name]["status"] for name in questions} == {"ok"}
    for operation, name, permission in (
        ("ListObjectsV2", "reachable", "s3:ListBucket"),
        ("PutObject", "writable", "s3:PutObject"),
        ("GetObject", "writable", "s3:GetObject"),
        ("DeleteObject", "cleaned", "s3:DeleteObject"),
    ):
        shop.proxy.refuse = on(operation, refusal=DENIED)
        code, found = asked()
        assert code == 6
        assert found[f"store: {name}"]["status"] == "fail", operation
        assert permission in found[f"store: {name}"]["detail"]


def test_a_missing_bucket_is_said_and_nothing_is_made(shop: Shop) -> None:
    for command in (("list",), ("store", "check"), ("show", "shop")):
        ended = shop.plait(*command, url=shop.url.replace("//contexts/", "//no-such-bucket/"))
        assert ended.code == 6
        assert "bucket no-such-bucket at 127.0.0.1" in ended.err
        assert "does not exist: create the bucket, or correct its name" in ended.err
    assert "no-such-bucket" not in {one["Name"] for one in client_for(shop.server).list_buckets()["Buckets"]}


def test_an_endpoint_that_is_down_is_said(shop: Shop) -> None:
    url = f"s3://contexts/{shop.prefix}?endpoint_url=http://127.0.0.1:{servers.free_port()}&region=us-east-1"
    ended = shop.plait("list", url=url)
    assert ended.code == 6
    assert "does not answer (EndpointConnectionError): check the endpoint and the network, then run again" in ended.err


def foreign(body: bytes) -> bytes:
    del body
    return b"PK\x03\x04 somebody else's archive"


def edited(body: bytes) -> bytes:
    return body.replace(b'"initialize"', b'"verified!!"')


def cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


@pytest.mark.parametrize("change", [foreign, edited, cut])
def test_an_object_that_is_not_what_was_saved_is_refused_found_and_left_alone(
    shop: Shop, change: Callable[[bytes], bytes]
) -> None:
    changed = change(shop.body())
    shop.put(changed)
    shown = shop.plait("show", "shop")
    assert shown.code == 2
    assert "shop/context@1" in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    checked = shop.plait("store", "check")
    assert checked.code == 1
    assert "damaged-document" in checked.out
    assert "restore the object from a backup" in checked.out
    assert shop.body() == changed


def test_another_workflows_document_under_a_key_is_refused_and_found(shop: Shop) -> None:
    body = shop.body()
    shop.proxy.refuse = lambda _: None
    client = client_for(shop.server)
    client.put_object(Bucket="contexts", Key=f"{shop.prefix}/documents/other/context/000001.json", Body=body)
    shown = shop.plait("show", "other")
    assert shown.code == 2
    assert "holds a document of workflow 'shop'" in shown.err
    checked = shop.plait("store", "check", "--json")
    assert checked.code == 1
    (problem,) = json.loads(checked.out)["problems"]
    assert problem["problem"] == "misplaced-document"
    assert problem["advice"]


@pytest.mark.parametrize("name", ["../shop", "shop/../../x", "/etc/passwd", "shop%2f..", "SHOP", "a b", "x" * 65, "é"])
def test_a_hostile_id_is_refused_before_anything_is_asked(shop: Shop, name: str) -> None:
    for command in (("show", name), ("history", name), ("store", "check", name)):
        ended = shop.plait(*command)
        assert ended.code == 2
        assert len(ended.err.strip().splitlines()) == 1
    assert shop.proxy.asked == []


def test_a_bucket_full_of_other_peoples_keys_is_read_as_if_they_were_not_there(shop: Shop) -> None:
    client = client_for(shop.server)
    names = ["", "ä/ö ü.txt", "documents/", "documents/shop/", "documents/shop/context/000001.json.bak", "documents/x/y",
             "documents/shop/tracks/..%2f/000001.json", "leases/nothing", "documents/SHOP/context/000001.json",
             "documents/shop/context/1.json", "blobs/shop/not-a-digest", "documents/\u202eshop/context/000001.json"]  # fmt: skip
    for name in names:
        client.put_object(Bucket="contexts", Key=f"{shop.prefix}/{name}", Body=b"not ours")
    listed = shop.plait("list", "--json")
    assert listed.code == 0
    assert [one["workflow_id"] for one in json.loads(listed.out)["workflows"]] == ["shop"]
    assert shop.plait("show", "shop").code == 0
    checked = shop.plait("store", "check", "--json")
    assert {one["severity"] for one in json.loads(checked.out)["problems"]} == {"note"}
    assert checked.code == 0


def test_a_wrong_secret_is_said_where_signatures_are_checked(
    shop: Shop, r2: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", r2.access_key)
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    url = f"s3://contexts/secret?endpoint_url={r2.endpoint}&region=auto&addressing=path"
    for command in (("list",), ("doctor",), ("list", "--debug")):
        ended = shop.plait(*command, url=url)
        assert ended.code == 6
        assert "secret access key does not belong to the access key id" in ended.out + ended.err


def test_every_way_to_name_a_store_is_the_same_store(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    named = json.loads(shop.plait("list", "--json").out)
    monkeypatch.setenv("PLAIT_STORE", shop.url)
    shop.capfd.readouterr()
    assert main(["list", "--json"]) == 0
    assert json.loads(shop.capfd.readouterr().out) == named
    other = replace(shop, prefix=f"{shop.prefix}/").url
    assert json.loads(shop.plait("list", "--json", url=other).out) == named
