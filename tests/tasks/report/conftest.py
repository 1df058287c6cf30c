"""A store, and in it a run that was deployed, for whoever looks at its report; a module may have its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contexts.store.contexts import ContextStore
from tasks.report import build_report
from tests.tasks.report.page import Page
from tests.tasks.report.stored import new_store, put_deployed_run


@pytest.fixture
def store(tmp_path: Path) -> ContextStore:
    return new_store(tmp_path)


@pytest.fixture
def usual(store: ContextStore) -> dict[str, Any]:
    """The deployed run's document, of another workflow, to take parts from."""
    return store.load(put_deployed_run(store, "other"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    store = new_store(tmp_path_factory.mktemp("deployed"))
    return Page(build_report(store, put_deployed_run(store)).decode())
