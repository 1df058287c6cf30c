"""Everything in this folder kills something; it runs by `make test-chaos`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.running import Place, living
from tests.servers import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.chaos)


@pytest.fixture
def place(prefect_server: Server, tmp_path: Path) -> Iterator[Place]:
    """Return the folders of a case; afterwards no agent of it may be alive."""
    made = Place(tmp_path, prefect_server)
    yield made
    assert not living(made)


@pytest.fixture(scope="session")
def new_place(prefect_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Place]:
    """Return a maker of cases, for tests that need several."""
    return lambda name: Place(tmp_path_factory.mktemp(name), prefect_server)
