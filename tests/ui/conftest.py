"""A browser, and a Prefect server with everything deployed and a worker on it, for all tests of what people see."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from prefect.client.orchestration import SyncPrefectClient, get_client

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.servers import ROOT, Server, running_worker
from tests.ui.person import CHROMIUM, Person, launch, visiting


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.ui)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH; `make test-ui` installs it, or: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Office:
    """A server with everything deployed and a worker.

    Attributes:
        specs: Where the worker takes specs from.
        store: The worker's own store.
    """

    server: Server
    client: SyncPrefectClient
    specs: Path
    store: ContextStore


@pytest.fixture(scope="session")
def office(prefect_api: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    (folder / "specs").mkdir()
    subprocess.run(
        [sys.executable, "-m", "flows.deployments.deploy_all"],
        cwd=ROOT,
        env=prefect_api.environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    places = {
        "PLAIT_STORE": str(folder / "store"),
        "PLAIT_WORKSPACES": str(folder / "workspaces"),
        "PLAIT_ALLOWED_SPECS": str(folder / "specs"),
    }
    with running_worker(prefect_api, folder / "worker", **places), get_client(sync_client=True) as client:
        yield Office(prefect_api, client, folder / "specs", ContextStore(LocalObjects(folder / "store")))


@pytest.fixture
def person(browser: Browser, office: Office) -> Iterator[Person]:
    with visiting(browser, office.server.url) as somebody:
        yield somebody
