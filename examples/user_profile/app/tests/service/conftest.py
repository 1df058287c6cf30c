"""A service of its own for every test, on a copy of one migrated database."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from members.main import create_app
from members.settings import PROJECT, Settings


@dataclass(frozen=True)
class Member:
    """Somebody who has registered and signed in."""

    id: str
    name: str
    email: str
    headers: dict[str, str]


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest migration."""
    path = tmp_path_factory.mktemp("database") / "members.db"
    config = Config(PROJECT / "alembic.ini")
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MEMBERS_DATABASE_URL", raising=False)
        command.upgrade(config, "head")
    return path


@pytest.fixture
def settings(migrated_database: Path, tmp_path: Path) -> Settings:
    """Settings on a fresh copy of the database; one round of hashing, because tests guard no secrets."""
    shutil.copy(migrated_database, tmp_path / "members.db")
    return Settings(database_url=f"sqlite:///{tmp_path / 'members.db'}", password_rounds=1)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of the running service."""
    with TestClient(create_app(settings)) as running:
        yield running


@pytest.fixture
def join(client: TestClient) -> Callable[..., Member]:
    """Register and sign in as many members as a test needs."""

    def register_and_sign_in(name: str = "Someone", *, is_public: bool = False) -> Member:
        email = f"{uuid.uuid4().hex}@example.org"
        password = uuid.uuid4().hex
        account = {"name": name, "email": email, "password": password, "is_public": is_public}
        assert client.post("/api/auth/register", json=account).status_code == 201
        token = client.post("/api/auth/token", json={"email": email, "password": password}).json()
        return Member(token["user_id"], name, email, {"Authorization": f"Bearer {token['access_token']}"})

    return register_and_sign_in
