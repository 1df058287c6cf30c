"""Fixtures every folder of tests may use. Nothing here costs anything until a test asks for it."""

import signal
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contexts.redaction import known_values
from tests.document_sets import SETS, DocumentSet
from tests.reference import DOCUMENTS
from tests.servers import Server, running_server
from tests.session_record import record_session
from tests.unit import Guard

OWN_FOLDERS = ("deploy", "chaos", "ui")
"""Markers whose make target runs the folder of that name, and nothing else."""


def pytest_configure(config: pytest.Config) -> None:
    """Hold unit tests to it, and write down what this process ran where `.ci/run` asks for it."""
    # A shell lets its background jobs ignore Ctrl-C, and whatever they start: a worker then swallows a SIGTERM.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup does the same with a terminal's end
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.pluginmanager.register(Guard(), "plait-unit-guard")
    record_session(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that `make test` leaves out and no other target runs; skip those on documents that are not there."""
    here = Path(__file__).parent
    for item in items:
        if item.get_closest_marker("reference") and not DOCUMENTS.is_dir():
            item.add_marker(pytest.mark.skip(f"the reference documents are not at {DOCUMENTS}"))
        for marker in OWN_FOLDERS:
            if item.get_closest_marker(marker) and here / marker not in item.path.parents:
                raise pytest.UsageError(f"{item.nodeid} is marked {marker}, so it belongs below tests/{marker}")


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for no value that another test handed over: each costs every text that is saved afterwards."""
    monkeypatch.setattr(known_values, "_registry", replace(known_values._registry))  # pyright: ignore[reportPrivateUsage]


@pytest.fixture(scope="session")
def outside() -> None:
    """Say that a test, or what it uses, starts processes or opens sockets: it is no unit test then."""


@pytest.fixture(params=SETS)
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> DocumentSet:
    """A whole set of context documents, alone in a folder: each of the project's, and the reference."""
    return request.param.copy_to(tmp_path / "documents")


@pytest.fixture(scope="session")
def prefect_server(outside: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One real Prefect server for the whole session."""
    with running_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture(scope="session")
def prefect_api(prefect_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """Make this process a client of the session's server."""
    from prefect.logging.handlers import APILogHandler  # noqa: PLC0415 most tests need no Prefect
    from prefect.settings import (  # noqa: PLC0415 same
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_LOCAL_STORAGE_PATH,
        PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
        PREFECT_RESULTS_PERSIST_BY_DEFAULT,
        temporary_settings,
    )

    home = tmp_path_factory.mktemp("client")
    updates = {
        PREFECT_API_URL: prefect_server.url,
        PREFECT_HOME: home,
        PREFECT_LOCAL_STORAGE_PATH: home / "storage",
        PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
        PREFECT_RESULTS_PERSIST_BY_DEFAULT: False,
    }
    with temporary_settings(updates=updates):
        yield prefect_server
        APILogHandler().flush()


@pytest.fixture
def workspaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep plait's workspaces and default store inside the test's own folder."""
    folder = tmp_path / "workspaces"
    monkeypatch.setenv("PLAIT_WORKSPACES", str(folder))
    monkeypatch.setenv("PLAIT_STORE", str(tmp_path / "default-store"))
    return folder
