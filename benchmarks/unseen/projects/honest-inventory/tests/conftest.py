import pytest
from fastapi.testclient import TestClient

from inventory.app import create_app
from inventory.database import make_sessions


@pytest.fixture
def session():
    with make_sessions("sqlite://")() as one:
        yield one


@pytest.fixture
def client():
    return TestClient(create_app("sqlite://"))
