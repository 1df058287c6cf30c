"""The blocks build the same stores as URLs do, keep secrets to themselves, and serve as Prefect's result storage."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from prefect import flow, task
from prefect_aws import AwsCredentials, MinIOCredentials
from pydantic import SecretStr

from contexts.documents.refs import ContextRef
from contexts.errors import BadIdentifier, InputError
from contexts.store.blocks import LocalContexts, S3Contexts
from contexts.store.s3 import S3Objects
from contexts.store.url import open_objects
from tasks.run.ref_serializer import RefSerializer
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for
from tests.servers import Server

REF = ContextRef(workflow_id="w", document="context", revision=3, sha256="0" * 64, size=10)


def s3_block(server: servers.Server, **fields: Any) -> S3Contexts:
    credentials = AwsCredentials(
        aws_access_key_id=server.access_key, aws_secret_access_key=SecretStr("hush-hush"), region_name="us-east-1"
    )
    return S3Contexts(
        **{
            "bucket": bucket_for(server),
            "prefix": "block",
            "endpoint_url": server.endpoint,
            "addressing": "path",
            "credentials": credentials,
            **fields,
        }
    )


@pytest.mark.usefixtures("prefect_api")
def test_a_saved_block_opens_the_same_store_as_its_url(ministack: servers.Server) -> None:
    s3_block(ministack).save("team", overwrite=True)
    objects = open_objects("block:s3-contexts/team")
    assert objects.identity == open_objects(f"s3://contexts/block?endpoint_url={ministack.endpoint}").identity
    objects.create("documents/w/context/000001.json", b"x")
    assert s3_block(ministack).open().read("documents/w/context/000001.json") == b"x"


@pytest.mark.usefixtures("prefect_api")
def test_a_saved_folder_block_opens_the_same_store_as_the_folder(tmp_path: Path) -> None:
    LocalContexts(path=str(tmp_path)).save("here", overwrite=True)
    assert open_objects("block:local-contexts/here").identity == open_objects(tmp_path).identity


@pytest.mark.usefixtures("prefect_api")
async def test_a_block_can_be_opened_from_async_code_too(tmp_path: Path) -> None:
    await LocalContexts(path=str(tmp_path)).save("async", overwrite=True)
    assert open_objects("block:local-contexts/async").identity == tmp_path.as_uri()


@pytest.mark.usefixtures("prefect_api")
def test_a_block_that_is_not_there_is_bad_input() -> None:
    with pytest.raises(InputError, match="there is no block s3-contexts/none"):
        open_objects("block:s3-contexts/none")


@pytest.mark.parametrize(
    "credentials",
    [
        AwsCredentials(
            aws_access_key_id="id", aws_secret_access_key=SecretStr("hush-hush"), aws_session_token="hush-hush"
        ),
        pytest.param(
            MinIOCredentials(minio_root_user="root", minio_root_password=SecretStr("hush-hush")),
            marks=pytest.mark.stores,
        ),
    ],
)
@pytest.mark.usefixtures("prefect_api")
def test_credentials_come_back_from_the_server_whole_and_are_never_shown(
    credentials: AwsCredentials | MinIOCredentials,
) -> None:
    block = S3Contexts(bucket="b", endpoint_url="http://127.0.0.1:9", credentials=credentials)
    name = type(credentials).__name__.lower()
    block.save(name, overwrite=True)
    loaded = S3Contexts.load(name)
    assert type(loaded.credentials) is type(credentials)
    objects = loaded.open()
    assert isinstance(objects, S3Objects)
    assert objects.client.meta.endpoint_url == "http://127.0.0.1:9"
    session = loaded.credentials.get_boto3_session()
    found = session.get_credentials()
    assert found is not None
    assert found.secret_key == "hush-hush"
    for shown in (repr(loaded), str(loaded), objects.identity, repr(objects)):
        assert "hush-hush" not in shown


def test_endpoint_region_and_encryption_come_from_the_block_first_and_from_its_credentials_next() -> None:
    credentials = AwsCredentials(
        region_name="eu-west-1",
        aws_client_parameters={"endpoint_url": "https://0123.r2.cloudflarestorage.com"},
    )
    assert S3Contexts(bucket="b", credentials=credentials).open().identity.endswith("0123.r2.cloudflarestorage.com")
    objects = S3Contexts(bucket="b", region="eu-central-1", credentials=credentials).open()
    assert isinstance(objects, S3Objects)
    assert objects.client.meta.region_name == "eu-central-1"


@pytest.mark.parametrize("block", [LocalContexts, S3Contexts])
def test_every_field_of_the_form_has_a_title_and_a_description(block: type[LocalContexts | S3Contexts]) -> None:
    for name, field in block.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name


def test_a_block_that_does_not_say_how_its_store_is_made_is_no_block() -> None:
    (base,) = LocalContexts.__bases__
    with pytest.raises(TypeError, match="abstract method"):
        base()


@pytest.mark.stores
def test_both_blocks_are_registered_by_one_command(prefect_api: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "block", "register", "-m", "contexts.store.blocks"],
        env={**os.environ, "PREFECT_API_URL": prefect_api.url, "COLUMNS": "200"},
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Local Contexts" in done.stdout
    assert "S3 Contexts" in done.stdout


@pytest.mark.parametrize("kind", ["local", pytest.param("ministack", marks=pytest.mark.stores)])
@pytest.mark.usefixtures("prefect_api")
def test_a_cached_result_is_kept_as_json_below_results_and_hit_by_the_next_run(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    if kind == "local":
        block: LocalContexts | S3Contexts = LocalContexts(path=str(tmp_path))
    else:
        block = s3_block(request.getfixturevalue("ministack"), prefix="results-test")
    block.save(f"results-{kind}", overwrite=True)
    ran: list[str] = []

    @task(
        persist_result=True,
        cache_key_fn=lambda *_: f"merge-{kind}",
        result_storage=block,
        result_serializer=RefSerializer(),
    )
    def merge() -> list[ContextRef]:
        ran.append("merge")
        return [REF, REF]

    @flow
    def run() -> list[ContextRef]:
        return merge()

    assert run() == [REF, REF]
    assert run() == [REF, REF]
    assert ran == ["merge"]
    stored = [entry.key for entry in block.open().list("")]
    assert [key for key in stored if not key.startswith("probes/")] == [f"results/merge-{kind}"]
    record = orjson.loads(block.open().read(f"results/merge-{kind}"))
    assert record["metadata"]["serializer"]["type"] == "plait-refs"


def test_only_results_can_be_overwritten(tmp_path: Path) -> None:
    block = LocalContexts(path=str(tmp_path))
    block.write_path("a", b"1")
    block.write_path("a", b"2")
    assert block.read_path("a") == b"2"
    assert [entry.key for entry in block.open().list("")] == ["results/a"]
    with pytest.raises(BadIdentifier):
        block.write_path("../documents/w/context/000001.json", b"x")
    with pytest.raises(ValueError, match="no result"):
        block.read_path("none")


@pytest.mark.parametrize("value", [REF, [REF, None, "a", 1, 1.5, True, [REF]], None, "text", []])
def test_a_reference_or_plain_value_survives_the_serializer(value: object) -> None:
    serializer = RefSerializer()
    assert serializer.loads(serializer.dumps(value)) == value


@pytest.mark.parametrize("value", [{"a": 1}, object(), b"bytes", {REF.size}, Path("/"), [{}]])
def test_anything_else_is_not_a_result(value: object) -> None:
    with pytest.raises(TypeError, match="not"):
        RefSerializer().dumps(value)


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a stored result ran code",))


@pytest.mark.parametrize(
    "stored", [pickle.dumps(_Trap()), b'{"a": 1}', b'{"$ref": {"a": 1}}', b'[{"$ref": 1, "b": 2}]', b""]
)
def test_anything_else_in_the_bucket_is_refused_on_reading(stored: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - orjson's, pydantic's and our own are all ValueErrors
        RefSerializer().loads(stored)
