"""The service as a whole."""

import sys

from alembic import command
from alembic.config import Config
from members.settings import PROJECT


def test_health_says_ok(client):
    assert client.get("/health").json() == {"status": "ok"}


def test_the_start_page_is_served(client):
    page = client.get("/app/")
    assert page.headers["content-type"].startswith("text/html")
    assert "sign-in-form" in page.text


def test_migrations_go_down_and_up_and_end_where_the_models_are(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMBERS_DATABASE_URL", f"sqlite:///{tmp_path}/migrations.db")
    config = Config(PROJECT / "alembic.ini", stdout=sys.stderr)
    for step, target in ((command.upgrade, "head"), (command.downgrade, "base"), (command.upgrade, "head")):
        step(config, target)
    command.check(config)
