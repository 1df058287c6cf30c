"""A Prefect server and S3 servers for whole runs on buckets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contexts.stores.fixtures import ministack, r2

__all__ = ["ministack", "r2"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a Prefect server and an S3 server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stores)
