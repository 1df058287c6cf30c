"""Migrations: a real alembic project on real SQLite databases, right and wrong in every way that is checked."""

from pathlib import Path

from tasks.checks.results import CheckRun
from tests.tasks.checks.conftest import RunCheck, write

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine
from models import Base
engine = create_engine(os.environ["DATABASE_URL"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""
MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase): pass
class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
"""
WITH_TITLE = MODELS + "    title: Mapped[str | None]\n"
FIRST = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "001", None
def upgrade():
    op.create_table("note", sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.String, nullable=False))
def downgrade():
    op.drop_table("note")
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "002", "001"
def upgrade():
    op.add_column("note", sa.Column("title", sa.String))
def downgrade():
    with op.batch_alter_table("note") as table:
        table.drop_column("title")
"""
PROJECT = {
    "alembic.ini": "[alembic]\nscript_location = migrations\nprepend_sys_path = .\npath_separator = os\n",
    "migrations/env.py": ENV,
    "models.py": MODELS,
    "migrations/versions/001.py": FIRST,
}
GROWN = {**PROJECT, "models.py": WITH_TITLE, "migrations/versions/002.py": SECOND}


def migrate(
    run_check: RunCheck, tree: Path, files: dict[str, str], base: Path | None = None, **fields: object
) -> CheckRun:
    write(tree, files)
    return run_check(kind="migrations", base=base, **fields)


def test_one_head_up_from_nothing_and_from_the_base_down_and_up_without_drift(
    run_check: RunCheck, tree: Path, tmp_path: Path
) -> None:
    base = write(tmp_path / "base", PROJECT)
    ran = migrate(run_check, tree, GROWN, base)
    assert ran.judged.status == "passed", ran.judged.reason
    assert ran.judged.result.to_json()["migrations"] == {
        "heads": ["002"], "from_nothing": True, "drift": False, "from_base": "001", "down_and_up": "001",
    }  # fmt: skip
    assert [step.name for step in ran.steps] == [
        "heads", "upgrade from nothing", "current", "drift", "heads of the base commit", "base commit's schema",
        "upgrade from the base commit", "down to 001", "up again",
    ]  # fmt: skip


def test_two_heads_from_two_tracks_fail(run_check: RunCheck, tree: Path) -> None:
    other = SECOND.replace('"002", "001"', '"002b", "001"').replace('"title"', '"colour"')
    judged = migrate(run_check, tree, {**GROWN, "migrations/versions/002b.py": other}).judged
    assert judged.status == "failed"
    assert "there are 2 heads (002, 002b)" in judged.reason
    assert judged.result.to_json()["migrations"]["heads"] == ["002", "002b"]


def test_models_ahead_of_the_migrations_are_drift(run_check: RunCheck, tree: Path) -> None:
    judged = migrate(run_check, tree, {**PROJECT, "models.py": WITH_TITLE}).judged
    assert judged.status == "failed"
    assert "models differ from the migrated schema" in judged.reason


def test_a_migration_that_cannot_go_down_fails(run_check: RunCheck, tree: Path, tmp_path: Path) -> None:
    base = write(tmp_path / "base", PROJECT)
    stuck = SECOND.replace('table.drop_column("title")', 'raise RuntimeError("no way back")')
    judged = migrate(run_check, tree, {**GROWN, "migrations/versions/002.py": stuck}, base).judged
    assert judged.status == "failed"
    assert "down to 001" in judged.reason


def test_a_migration_that_leaves_something_behind_when_it_goes_down_fails(
    run_check: RunCheck, tree: Path, tmp_path: Path
) -> None:
    base = write(tmp_path / "base", PROJECT)
    lazy = SECOND.split("def downgrade", maxsplit=1)[0] + "def downgrade():\n    pass\n"
    judged = migrate(run_check, tree, {**GROWN, "migrations/versions/002.py": lazy}, base).judged
    assert judged.status == "failed"
    assert "up again" in judged.reason


def test_a_migration_that_works_on_an_empty_database_only_fails(
    run_check: RunCheck, tree: Path, tmp_path: Path
) -> None:
    base = write(tmp_path / "base", PROJECT)
    rewritten = FIRST.replace('"001", None', '"900", None')
    files = {name: text for name, text in PROJECT.items() if not name.endswith("001.py")}
    ran = migrate(run_check, tree, {**files, "migrations/versions/900.py": rewritten}, base)
    judged = ran.judged
    assert judged.status == "failed", [(step.name, step.text) for step in ran.steps]
    assert "upgrade from the base commit" in judged.reason


def test_migrations_on_another_database_than_the_check_s_prove_nothing(run_check: RunCheck, tree: Path) -> None:
    elsewhere = ENV.replace('os.environ["DATABASE_URL"]', '"sqlite:///own.db"')
    judged = migrate(run_check, tree, {**PROJECT, "migrations/env.py": elsewhere}).judged
    assert judged.status == "unverified"
    assert "ran on another database than the check's" in judged.reason


def test_a_configuration_that_does_not_work_is_unverified_and_no_drift(run_check: RunCheck, tree: Path) -> None:
    judged = migrate(run_check, tree, {**PROJECT, "migrations/env.py": "raise RuntimeError('not configured')"}).judged
    assert judged.status in {"failed", "unverified"}
    assert "drift" not in judged.reason
    assert "not configured" in judged.reason


def test_a_project_without_migrations_fails(run_check: RunCheck, tree: Path) -> None:
    files = {name: text for name, text in PROJECT.items() if "versions" not in name} | {"migrations/versions/.keep": ""}
    judged = migrate(run_check, tree, files).judged
    assert (judged.status, "there is no migration at all" in judged.reason) == ("failed", True)


def test_the_database_a_command_makes_is_the_one_that_is_migrated(run_check: RunCheck, tree: Path) -> None:
    script = "import os, uuid; print(f'sqlite:///{os.getcwd()}/made-{uuid.uuid4().hex}.db')"
    ran = migrate(run_check, tree, PROJECT, url_command=("{python}", "-c", script))
    assert ran.judged.status == "passed", ran.judged.reason
    (database,) = tree.glob("made-*.db")
    assert b"alembic_version" in database.read_bytes()
