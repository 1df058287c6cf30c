"""The S3 servers of the session, for every folder whose tests run on them: a conftest imports those it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contexts.stores import servers


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
