"""A Prefect server and S3 servers for whole runs on buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contexts.stores import servers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a Prefect server and an S3 server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stores)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def ministack() -> Iterator[servers.Server]:
    with servers.ministack() as server:
        yield server


@pytest.fixture(scope="session")
def r2() -> Iterator[servers.Server]:
    try:
        servers.install("r2")
    except servers.Unavailable as error:
        pytest.skip(f"no R2 simulator: {error}")
    with servers.r2() as server:
        yield server
