"""Storages to run the laws on: a folder, and S3 servers started once per session."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from contexts.store.local import LocalObjects
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings, connect
from tests.contexts.conformance import Open
from tests.contexts.stores import servers
from tests.contexts.stores.fixtures import ministack, r2
from tests.contexts.stores.mortal import Mortals

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["ministack", "r2"]

_numbers = itertools.count()


@pytest.fixture(scope="session")
def mortals() -> Iterator[Mortals]:
    with Mortals() as running:
        yield running


@pytest.fixture(scope="session")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server


@cache
def session_for(server: servers.Server, secret_key: str | None = None) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=server.access_key,
        aws_secret_access_key=secret_key or server.secret_key,
        region_name="us-east-1",
    )


def bucket_for(server: servers.Server) -> str:
    """Return a bucket that is there; servers that make none by request have their own."""
    if server.buckets:
        return server.buckets[0]
    client_for(server).create_bucket(Bucket="contexts")
    return "contexts"


def s3_storage(server: servers.Server) -> Open:
    """Return a way to open one fresh prefix, each time with a client of its own."""
    bucket = bucket_for(server)
    prefix = f"run-{next(_numbers)}"
    settings = S3Settings(endpoint_url=server.endpoint, region="us-east-1", addressing="path", read_timeout=30)
    client = client_for(server)
    return lambda: S3Objects(bucket, prefix, settings=settings, client=client)


@cache
def client_for(server: servers.Server) -> S3Client:
    """Return one client for all handles of a server: making one takes longer than most tests."""
    return connect(
        S3Settings(endpoint_url=server.endpoint, region="us-east-1", addressing="path", read_timeout=30),
        session_for(server),
    )


Storage = Callable[[], Open]


@pytest.fixture(
    params=[
        "local",
        "ministack",
        pytest.param("moto", marks=pytest.mark.stores),
        pytest.param("r2", marks=pytest.mark.stores),
    ]
)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Return a maker of fresh, empty storages of each kind."""
    if request.param == "local":
        return lambda: _local_storage(tmp_path / f"store-{next(_numbers)}")
    server: servers.Server = request.getfixturevalue(request.param)
    return lambda: s3_storage(server)


def _local_storage(root: Path) -> Open:
    return lambda: LocalObjects(root)


@pytest.fixture
def rounds() -> int:
    """Return how many rounds to race: `make soak` asks for many."""
    return int(os.environ.get("PLAIT_TEST_ROUNDS", "10"))
