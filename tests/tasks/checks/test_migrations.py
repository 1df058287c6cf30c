"""Migrations: a real alembic project on real SQLite databases, right and wrong in every way that is checked."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from tasks.checks import migration_rows
from tasks.checks.kept_rows import python_of
from tasks.checks.results import CheckRun
from tests.postgres import NoPostgres, programs, running_postgres
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
        "rows": {"note": 4},
    }  # fmt: skip
    assert [step.name for step in ran.steps] == [
        "heads", "upgrade from nothing", "current", "drift", "heads of the base commit", "base commit's schema",
        "rows of the base commit's schema", "what is there of the base commit's schema", "upgrade from the base commit",
        "what is there after the upgrade", "rows at the head", "what is there at the head", "down to 001",
        "what is there below", "up again", "what is there again",
    ]  # fmt: skip
    assert [(one.severity, one.message) for one in ran.judged.findings] == [
        ("note", "the downgrade takes away what is in note.title, which it drops")
    ]


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


def second(up: str, down: str = "pass") -> dict[str, str]:
    """The project with a second migration that does this; its models do not matter where drift is looked for first."""
    lines = f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '002', '001'\ndef upgrade():\n    {up}\ndef downgrade():\n    {down}\n"
    return {**PROJECT, "migrations/versions/002.py": lines}


@pytest.mark.parametrize(
    ("up", "down", "reason"),
    [
        pytest.param("op.execute('DELETE FROM note')", "pass", "the upgrade loses rows of note (2 rows before, 0 after)", id="an upgrade that empties a table"),
        pytest.param("op.execute(\"UPDATE note SET text = ''\")", "pass", "the upgrade loses values of note.text", id="an upgrade that makes all values one"),
        pytest.param("[1 / 0 for _ in op.get_bind().execute(sa.text('SELECT 1 FROM note')).all()]", "pass", "upgrade from the base commit ended with exit code 1: ZeroDivisionError: division by zero (there were rows in the tables", id="an upgrade for empty tables alone"),
        pytest.param("pass", "op.execute('DELETE FROM note WHERE id > 1001')", "the downgrade loses rows of note (4 rows before, 1 after)", id="a downgrade that takes rows"),
        pytest.param("pass", 'op.execute("UPDATE note SET text = substr(text, 1, 3)")', "the downgrade loses values of note.text", id="a downgrade that cuts values"),
    ],
)  # fmt: skip
def test_migrations_that_lose_what_is_in_the_tables_fail(
    run_check: RunCheck, tree: Path, tmp_path: Path, up: str, down: str, reason: str
) -> None:
    base = write(tmp_path / "base", PROJECT)
    judged = migrate(run_check, tree, second(up, down), base).judged
    assert judged.status == "failed"
    assert reason in judged.reason


@pytest.mark.parametrize(
    ("up", "down", "said"),
    [
        pytest.param("op.execute('UPDATE note SET text = upper(text)')", "pass", set(), id="values that are rewritten"),
        pytest.param("op.execute(\"INSERT INTO note VALUES (1, 'first')\")", "op.execute('DELETE FROM note WHERE id = 1')", set(), id="rows that a migration brings and takes"),
        pytest.param("op.execute('CREATE TABLE old AS SELECT * FROM note'); op.execute('UPDATE note SET id = id')", "op.drop_table('old')", {("note", "takes away what is in old")}, id="a table that goes with the downgrade"),
    ],
)  # fmt: skip
def test_migrations_that_keep_what_is_in_the_tables_pass(
    run_check: RunCheck, tree: Path, tmp_path: Path, up: str, down: str, said: set[tuple[str, str]]
) -> None:
    base = write(tmp_path / "base", PROJECT)
    env = ENV.replace(
        "target_metadata=Base.metadata", "target_metadata=Base.metadata, include_object=lambda o, n, *_: n != 'old'"
    )
    judged = migrate(run_check, tree, {**second(up, down), "migrations/env.py": env}, base).judged
    assert judged.status == "passed", judged.reason
    assert {(one.severity, next(text for _, text in said if text in one.message)) for one in judged.findings} == said


def test_a_column_that_an_upgrade_drops_and_a_downgrade_brings_back_empty_is_warned_of(
    run_check: RunCheck, tree: Path, tmp_path: Path
) -> None:
    both = FIRST.replace("nullable=False)", 'nullable=False), sa.Column("title", sa.String)')
    base = write(tmp_path / "base", {**PROJECT, "migrations/versions/001.py": both, "models.py": WITH_TITLE})
    drop = "op.execute('ALTER TABLE note DROP COLUMN title')"
    files = {**second(drop, 'op.add_column("note", sa.Column("title", sa.String))'), "migrations/versions/001.py": both}
    judged = migrate(run_check, tree, files, base).judged
    assert judged.status == "passed", judged.reason
    assert [(one.rule, one.severity, one.message) for one in judged.findings] == [
        ("evidence/migration-rows", "warning", "the upgrade drops note.title with what is in it"),
        (
            "evidence/migration-rows",
            "warning",
            "up and down again, what the base commit had is not all there: note.title",
        ),
    ]


def test_rows_may_be_left_out_and_a_database_that_cannot_be_filled_is_told(
    run_check: RunCheck, tree: Path, tmp_path: Path
) -> None:
    base = write(tmp_path / "base", PROJECT)
    empties = second("op.execute('DELETE FROM note')")
    ran = migrate(run_check, tree, empties, base, rows="off")
    assert (ran.judged.status, ran.judged.findings) == ("passed", ())
    starts = write(
        tmp_path / "bin",
        {
            "alembic": f"#!{sys.executable}\nfrom alembic.config import main\nmain()\n",
            "python": "#!/bin/sh\necho no SQLAlchemy >&2; exit 1\n",
        },
    )
    for program in starts.iterdir():
        program.chmod(0o700)
    ran = migrate(run_check, tree, empties, base, argv=(str(starts / "alembic"),))
    assert ran.judged.status == "passed", ran.judged.reason
    (said,) = ran.judged.findings
    assert (said.severity, "are not shown to keep rows" in said.message, "no SQLAlchemy" in said.message) == (
        "warning",
        True,
        True,
    )


SCHEMA = """
CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(20) NOT NULL UNIQUE, code CHAR(2), born DATE NOT NULL, active BOOLEAN NOT NULL, score NUMERIC(2, 2), raw BLOB, settings JSON NOT NULL, boss INTEGER REFERENCES person(id));
CREATE TABLE post (id CHAR(32) PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person(id), state VARCHAR(9) NOT NULL CHECK (state IN ('draft', 'it''s out')), stars INTEGER NOT NULL, made TIMESTAMP NOT NULL, CHECK (stars BETWEEN 7 AND 9));
CREATE TABLE tag (post_id CHAR(32) NOT NULL REFERENCES post(id), person_id INTEGER NOT NULL UNIQUE REFERENCES person(id), PRIMARY KEY (post_id, person_id));
CREATE TABLE never (id INTEGER PRIMARY KEY, word TEXT NOT NULL CHECK (1 = 0));
CREATE TABLE after_never (never_id INTEGER NOT NULL REFERENCES never(id));
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
CREATE TABLE twice (a INTEGER GENERATED ALWAYS AS (b + 1), b INTEGER NOT NULL);
INSERT INTO person VALUES (1, 'email 1', 'x', '2020-01-01', 1, 0.5, NULL, '{}', NULL);
"""


def test_rows_are_made_by_the_schema_alone_and_the_same_each_time(tmp_path: Path) -> None:
    contents: list[list[str]] = []
    for name in ("one.db", "two.db"):
        with closing(sqlite3.connect(tmp_path / name)) as database:
            database.executescript(SCHEMA)
        engine = sa.create_engine(f"sqlite:///{tmp_path / name}", poolclass=sa.NullPool)
        with engine.connect() as connection:
            for first in (1, 3):
                filled = migration_rows.fill(connection, first)
                assert filled["rows"] == {"person": 2, "post": 2, "tag": 2, "twice": 2}
                assert set(filled["left_out"]) == {"never", "after_never"}
                assert filled["left_out"]["after_never"] == "it points at never, which has no row"
            seen = migration_rows.look(connection)
        assert seen["person"] == {
            "rows": 5,
            "columns": {
                **{key: [5, 5] for key in ("id", "email", "code", "born", "score", "settings")},
                "active": [5, 2],
                "raw": [4, 4],
                "boss": [0, 0],
            },
        }
        assert (seen["post"]["rows"], seen["tag"]["columns"]["person_id"]) == (4, [4, 4])
        with closing(sqlite3.connect(tmp_path / name)) as database:
            contents.append(list(database.iterdump()))
    assert contents[0] == contents[1]


ON_POSTGRES = """
CREATE TYPE mood AS ENUM ('sad', 'well', 'glad');
CREATE DOMAIN size AS integer CHECK (VALUE > 0);
CREATE TABLE person (id SERIAL PRIMARY KEY, email varchar(20) UNIQUE NOT NULL CHECK (email LIKE '%@%'), uid uuid NOT NULL, mood mood NOT NULL, tags text[] NOT NULL, settings jsonb NOT NULL, seen timestamptz NOT NULL, pause interval NOT NULL, address inet NOT NULL, raw bytea NOT NULL, size size NOT NULL, code char(2) NOT NULL, rating int CHECK (rating >= 10 AND rating <= 12), words tsvector);
CREATE TABLE team (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lead int REFERENCES person(id), "order" text NOT NULL);
ALTER TABLE person ADD team int REFERENCES team(id);
"""


def test_rows_are_made_on_postgres_over_an_asynchronous_driver(outside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def make(url: str) -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute(ON_POSTGRES)
        await connection.close()

    try:
        programs()
    except NoPostgres as error:
        pytest.skip(str(error))
    with running_postgres() as url:
        asyncio.run(make(url))
        monkeypatch.setenv("PLAIT_ROWS_URL", url)
        for first in (1, 3):
            filled = migration_rows.on_database(lambda connection, first=first: migration_rows.fill(connection, first))
            assert (filled["rows"], list(filled["left_out"])) == ({"person": 2, "team": 2}, ["person.words"])
        seen = migration_rows.on_database(migration_rows.look)
    assert {name: table["rows"] for name, table in seen.items()} == {"person": 4, "team": 4}
    alike = {"mood": [4, 2], "rating": [4, 2], "words": [0, 0], "team": seen["person"]["columns"]["team"]}
    assert {name: pair for name, pair in seen["person"]["columns"].items() if pair != [4, 4]} == alike


@pytest.mark.parametrize(
    ("argv", "python"),
    [
        (("{python}", "-m", "alembic"), ("{python}",)),
        (("{python}", "-m", "alembic", "-c", "db/alembic.ini"), ("{python}",)),
        ((".venv/bin/alembic",), (".venv/bin/python",)),
        (("uv", "run", "alembic"), ("uv", "run", "python")),
        (("poetry", "run", "python", "-m", "alembic"), ("poetry", "run", "python")),
        (("alembic",), ("{python}",)),
        (("make", "migrate"), ("{python}",)),
    ],
)
def test_rows_are_put_by_the_python_that_alembic_runs_on(argv: tuple[str, ...], python: tuple[str, ...]) -> None:
    assert python_of(argv) == python
