"""Migrations that tracks add side by side: each tool's own rule of what may be there once, and what only looks like it."""

from collections.abc import Mapping, Sequence

import pytest

from contexts.documents.findings import Finding
from tasks.checks.migration_heads import migration_conflicts


def alembic(revision: str, down: object, more: str = "") -> str:
    return f'"""x"""\nrevision: str = {revision!r}\ndown_revision = {down!r}\n{more}'


def django(*parents: tuple[str, str], more: str = "") -> str:
    return f"from django.db import migrations\nclass Migration(migrations.Migration):\n    dependencies = [{', '.join(map(repr, parents))}]\n{more}"


A = {"db/env.py": "", "db/versions/1.py": alembic("a1", None), "db/versions/2.py": alembic("a2", "a1")}
D = {"shop/migrations/__init__.py": "", "shop/migrations/0001_initial.py": django(("auth", "0001_initial"))}
NEXT = ("shop", "0001_initial")


def said(base: Mapping[str, str], **tracks: Mapping[str, str]) -> tuple[Finding, ...]:
    """What is found when tracks add or change these files."""
    merged = {**base, **{path: text for files in tracks.values() for path, text in files.items()}}
    changed: Mapping[str, Sequence[str]] = {task_id: tuple(files) for task_id, files in tracks.items()}
    return migration_conflicts(base, merged, changed, lambda path: merged[path].encode() if path in merged else None)


@pytest.mark.parametrize(
    ("base", "one", "other", "why"),
    [
        pytest.param(A, {"db/versions/3.py": alembic("b", "a2")}, {"db/versions/4.py": alembic("c", "a2")}, "Alembic: 2 migrations that nothing comes after (b, c)", id="Alembic, two heads"),
        pytest.param({"db/env.py": ""}, {"db/versions/3.py": alembic("b", None)}, {"db/versions/4.py": alembic("c", None)}, "nothing comes after (b, c)", id="Alembic, two first ones"),
        pytest.param(A, {"db/versions/3.py": "revision, down_revision = 'b', 'a2'"}, {"db/versions/4.py": alembic("b", "a2")}, "Alembic: 2 files of the revision b", id="Alembic, one id"),
        pytest.param(A, {"db/versions/3.py": alembic("b", ("a2",)), "db/versions/5.py": alembic("d", "b")}, {"db/versions/4.py": alembic("c", "a2")}, "(c, d)", id="Alembic, a longer line"),
        pytest.param({"app/alembic/env.py": "", **A}, {"db/versions/sub/3.py": alembic("b", "a2")}, {"db/versions/4.py": alembic("c", "a2")}, "(b, c)", id="Alembic, in folders"),
        pytest.param(D, {"shop/migrations/0002_a.py": django(NEXT)}, {"shop/migrations/0002_b.py": django(NEXT, ("auth", "0002_x"))}, "Django: 2 migrations that nothing comes after (0002_a, 0002_b)", id="Django, two leaves"),
        pytest.param({}, {"shop/migrations/0001_initial.py": django()}, {"shop/migrations/0001_users.py": django(("auth", "0001_initial"))}, "(0001_initial, 0001_users)", id="Django, two first ones"),
        pytest.param({**D, "shop/apps.py": "class Shop(AppConfig):\n    label = 'store'\n", "shop/migrations/0002_x.py": django(("store", "0001_initial"))}, {"shop/migrations/0003_a.py": django(("store", "0002_x"))}, {"shop/migrations/0003_b.py": django(("store", "0002_x"))}, "(0003_a, 0003_b)", id="Django, a label"),
        pytest.param({"sql/V1__a.sql": ""}, {"sql/V2__x.sql": ""}, {"sql/V2__y.sql": ""}, "Flyway: 2 migrations with the version V 2", id="Flyway"),
        pytest.param({}, {"sql/V2.0__x.sql": ""}, {"sql/V2__y.sql": ""}, "version V 2", id="Flyway, the same said otherwise"),
        pytest.param({"sql/V2__x.sql": ""}, {"sql/V2__y.sql": ""}, {}, "version V 2", id="Flyway, the base commit's"),
        pytest.param({}, {"prisma/migrations/20260101000000_a/migration.sql": ""}, {"prisma/migrations/20260101000000_b/migration.sql": ""}, "Prisma: 2 migrations with the timestamp 20260101000000", id="Prisma"),
        pytest.param({}, {"db/migrate/20260101000000_a.rb": ""}, {"db/migrate/20260101000000_b.rb": ""}, "Rails: 2 migrations with the version 20260101000000", id="Rails"),
        pytest.param({}, {"db/migrate/20260101000000_a.rb": ""}, {"db/migrate/20260101000001_a.rb": ""}, "Rails: 2 migrations with the name a", id="Rails, one class"),
        pytest.param({"m/000001_a.up.sql": ""}, {"m/000002_a.up.sql": ""}, {"m/000002_b.up.sql": ""}, "SQL migrations: 2 migrations with the number (.up.sql) 2", id="up and down"),
    ],
)  # fmt: skip
def test_two_tracks_whose_migrations_do_not_go_together_are_told_with_their_files(
    base: dict[str, str], one: dict[str, str], other: dict[str, str], why: str
) -> None:
    (finding,) = said(base, one=one, other=other)
    assert (finding.rule, finding.severity) == ("contracts/migration", "blocking")
    assert why in finding.message
    assert {"tracks/one", "tracks/other" if other else "base commit"} == {side.document for side in finding.sources}
    assert "(track one)" in finding.message
    assert ("(track other)" if other else "(the base commit)") in finding.message
    assert said({**base, **one, **other}, one={"README.md": ""}) == (), "the base commit had it already"
    (alone,) = said(base, one={**one, **other})
    assert alone.message.count("(track one)") == 2 - (not other), "one track alone is told as well"


@pytest.mark.parametrize(
    ("base", "one", "other"),
    [
        pytest.param(A, {"db/versions/3.py": alembic("b", "a2")}, {"db/versions/4.py": alembic("c", "b")}, id="one line"),
        pytest.param(A, {"db/versions/3.py": alembic("b", "a2"), "db/versions/5.py": alembic("m", ("b", "c"))}, {"db/versions/4.py": alembic("c", "a2")}, id="merged"),
        pytest.param(A, {"db/versions/3.py": alembic("b", "a2")}, {"db/versions/4.py": alembic("c", None, "branch_labels = ('other',)")}, id="a line of its own"),
        pytest.param({**A, "db/versions/x.py": alembic("x", "a1")}, {"db/versions/3.py": alembic("b", "a2")}, {"db/versions/4.py": alembic("c", "x")}, id="two lines as before"),
        pytest.param({**A, "two/env.py": "", "two/versions/1.py": alembic("a1", None)}, {"db/versions/3.py": alembic("b", "a2")}, {"two/versions/2.py": alembic("b", "a1")}, id="two environments"),
        pytest.param(A, {"db/versions/3.py": "def ("}, {"db/versions/4.py": alembic("c", "a2")}, id="no Python"),
        pytest.param({}, {"app/revision.py": "revision = 'x'\ndown_revision = None\n"}, {"app/other.py": "revision = 'x'\ndown_revision = None\n"}, id="names outside an environment"),
        pytest.param(D, {"shop/migrations/0002_a.py": django(NEXT)}, {"shop/migrations/0003_b.py": django(("shop", "0002_a"))}, id="one line of Django"),
        pytest.param(D, {"shop/migrations/0002_a.py": django(NEXT)}, {"blog/migrations/0001_initial.py": django(("shop", "0001_initial"))}, id="two applications"),
        pytest.param({**D, "shop/migrations/0002_a.py": django(NEXT)}, {"shop/migrations/0001_squashed_0002_a.py": django(more="    replaces = [('shop', '0001_initial'), ('shop', '0002_a')]\n")}, {"shop/migrations/0003_b.py": django(("shop", "0002_a"))}, id="squashed"),
        pytest.param({}, {"migrations/0001_birds.py": "HOUSE = 1\n", "migrations/a.sql": ""}, {"migrations/0001_geese.py": "HOUSE = 2\n", "migrations/b.sql": ""}, id="birds"),
        pytest.param({}, {"sql/V2__x.sql": "", "sql/R__v.sql": ""}, {"sql/V3__y.sql": "", "sql/R__w.sql": "", "sql/U2__x.sql": ""}, id="other versions, undone, repeatable"),
        pytest.param({}, {"sql/h2/V2__x.sql": ""}, {"sql/mysql/V2__x.sql": ""}, id="two databases"),
        pytest.param({}, {"prisma/migrations/20260101000000_a/README.md": ""}, {"prisma/migrations/20260101000000_b/migration.sql": ""}, id="a note"),
        pytest.param({}, {"m/2_a.up.sql": "", "m/2_a.down.sql": ""}, {"m/3_b.up.sql": ""}, id="both ways"),
    ],
)  # fmt: skip
def test_what_goes_together_or_only_looks_like_migrations_says_nothing(
    base: dict[str, str], one: dict[str, str], other: dict[str, str]
) -> None:
    assert said(base, one=one, other=other) == ()


def test_a_circle_of_migrations_ends() -> None:
    assert said(A, one={"db/versions/1.py": alembic("a1", "a2")}) == ()
