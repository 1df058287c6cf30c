"""Migrations: alembic's, each step a command of its own on databases made for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from contexts.documents.figures import CheckFigures, Migrations
from contexts.redaction import head_of
from contexts.spec.checks import MigrationsCheck
from contexts.text.plural import first_of
from tasks.checks.bench import Bench, Step, StepFailed
from tasks.checks.kept_rows import Rows, Tables, lost
from tasks.checks.results import CheckResult

_HEAD = re.compile(r"^([0-9A-Za-z_.-]{1,64}) (?:.{0,200} )?\(head\)", re.MULTILINE)
_ON_ROWS = " (there were rows in the tables, made by their columns' types; `rows: off` goes without)"
_NONE: Tables = MappingProxyType({})
_DRIFT = "New upgrade operations detected"


@dataclass
class _Alembic:
    """Alembic in one tree, how far it came, and the rows it was run on."""

    check: MigrationsCheck
    bench: Bench
    came: Migrations = field(default_factory=Migrations)
    rows: Rows | None = None

    def run(self, name: str, *arguments: str, url: str, tree: Path | None = None) -> Step:
        argv = (*self.bench.resolve(self.check.argv, database=url), *arguments)
        return self.bench.run(name, argv, cwd=tree, env={self.check.url_variable: url})

    def must(self, name: str, *arguments: str, url: str) -> Step:
        step = self.run(name, *arguments, url=url)
        if not step.finished:
            raise StepFailed(step.problem)
        if not step.succeeded:
            raise _Wrong(_problem(step) + (_ON_ROWS if self.rows and self.rows.made else ""))
        return step

    def database(self, name: str) -> str:
        """Return the URL of a new empty database."""
        if self.check.url_command is None:
            file = self.bench.place / f"{name}.db"
            file.unlink(missing_ok=True)
            return f"sqlite:///{file}"
        step = self.bench.run(f"a database for {name}", self.bench.resolve(self.check.url_command), capture=True)
        lines = step.output.decode("utf-8", "replace").split()
        if not step.succeeded or not lines:
            raise StepFailed(step.problem if not step.succeeded else "url_command printed no URL")
        self.bench.hidden[lines[-1]] = "{database}"  # it may hold a password
        return lines[-1]


class _Wrong(Exception):
    """A migration that does not do what it should; the text says which."""


def run_migrations(check: MigrationsCheck, bench: Bench) -> CheckResult:
    """Go through one head, up from nothing, drift, up from the base commit's schema, down, and up again."""
    alembic = _Alembic(check, bench)
    try:
        _walk(alembic, bench)
        status, reason = "passed", ""
    except _Wrong as error:
        status, reason = "failed", str(error)
    except StepFailed as error:
        status, reason = "unverified", str(error)
    said = tuple(alembic.rows.findings) if alembic.rows else ()
    return CheckResult(status, reason, CheckFigures(migrations=alembic.came), findings=said)


def _walk(alembic: _Alembic, bench: Bench) -> None:
    fresh = alembic.database("fresh")
    heads = _heads(alembic, "heads", fresh)
    alembic.came = alembic.came.changed(heads=tuple(heads))
    if not heads:
        raise _Wrong("there is no migration at all; check that the command finds alembic.ini")
    if len(heads) > 1:
        names = ", ".join(heads)
        raise _Wrong(
            f"there are {len(heads)} heads ({names}): tracks added migrations side by side; merge them into one"
        )
    alembic.must("upgrade from nothing", "upgrade", "head", url=fresh)
    _must_have_been_used(fresh, alembic.check.url_variable)
    alembic.came = alembic.came.changed(from_nothing=True)
    _check_drift(alembic, fresh, heads[0])
    alembic.came = alembic.came.changed(drift=False)
    before = _upgrade_from_base(alembic, bench, heads[0])
    database, down = before or (fresh, "base")
    if alembic.check.down_to == "nothing":
        down = "base"
    if down != heads[0]:
        _down_and_up(alembic, database, down)
    alembic.came = alembic.came.changed(down_and_up=down)


def _down_and_up(alembic: _Alembic, database: str, down: str) -> None:
    """Go down and up again, on rows of the newest schema."""
    rows = alembic.rows = alembic.rows or Rows(alembic.check, alembic.bench, database)
    old = rows.before_upgrade
    full = rows.put("at the head")
    alembic.came = alembic.came.changed(rows=rows.made or None)
    alembic.must(f"down to {'nothing' if down == 'base' else down}", "downgrade", down, url=database)
    low = rows.look("below") if down != "base" else None
    _must_keep("the downgrade", full, low, rows.before_upgrade or {}, rows.after_upgrade or {})
    if full is not None and low is not None:
        gone = lost(full, low)
        if names := [*gone.tables, *gone.columns]:
            rows.say("note", f"the downgrade takes away what is in {first_of(names, 10)}, which it drops")
    if old is not None and low is not None:
        gone = lost(old, low)
        if names := [*gone.tables, *gone.columns, *gone.rows, *gone.values]:
            rows.say("warning", f"up and down again, what the base commit had is not all there: {first_of(names, 10)}")
    alembic.must("up again", "upgrade", "head", url=database)
    if low is not None:
        _must_keep("the second upgrade", low, rows.look("again"))


def _must_keep_upgraded(rows: Rows) -> None:
    before, after = rows.before_upgrade, rows.look("after the upgrade")
    rows.after_upgrade = after
    _must_keep("the upgrade", before, after)
    if before is not None and after is not None and (names := [*(gone := lost(before, after)).tables, *gone.columns]):
        rows.say("warning", f"the upgrade drops {first_of(names, 10)} with what is in it")


def _must_keep(
    what: str, before: Tables | None, after: Tables | None, own: Tables = _NONE, added: Tables = _NONE
) -> None:
    """Refuse a step that took rows, or values of columns that are still there."""
    if before is None or after is None:
        return
    gone = lost(before, after, own, added)
    if gone.rows:
        raise _Wrong(f"{what} loses rows of {first_of(gone.rows, 5)}")
    if gone.values:
        raise _Wrong(f"{what} loses values of {first_of(gone.values, 5)}")


def _must_have_been_used(url: str, variable: str) -> None:
    """Refuse to go on where the project migrated some other database than the check's."""
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not (file.is_file() and file.stat().st_size):
        raise StepFailed(
            f"the migrations ran on another database than the check's; let env.py take its URL from {variable}, "
            "or name the variable it takes it from in url_variable"
        )


def _heads(alembic: _Alembic, name: str, url: str, tree: Path | None = None) -> list[str]:
    step = alembic.run(name, "heads", url=url, tree=tree)
    if not step.succeeded:
        raise StepFailed(_problem(step))
    return sorted(_HEAD.findall(step.text))


def _check_drift(alembic: _Alembic, url: str, head: str) -> None:
    """Compare models and schema.

    ``alembic check`` ends with the same code for drift, for a stale database and for a bad configuration, so the
    database is shown to be at the head first, and the message decides.
    """
    current = alembic.must("current", "current", url=url)
    if head not in current.text:
        raise StepFailed(f"after the upgrade the database is not at {head}; does env.py take its URL from the check?")
    step = alembic.run("drift", "check", url=url)
    if step.succeeded:
        return
    if step.finished and _DRIFT in step.text:
        raise _Wrong(f"the models differ from the migrated schema: {_problem(step)}")
    raise StepFailed(f"drift could not be checked: {_problem(step)}")


def _upgrade_from_base(alembic: _Alembic, bench: Bench, head: str) -> tuple[str, str] | None:
    """Bring the base commit's schema to the head; return its database and its revision, None where it has none."""
    if bench.base is None:
        alembic.came = alembic.came.changed(from_base="there is no base commit")
        return None
    base = bench.base()
    database = alembic.database("from-base")
    if not (base / "alembic.ini").exists() and (bench.tree / "alembic.ini").exists():
        alembic.came = alembic.came.changed(from_base="the base commit has no alembic.ini")
        return None
    before = _heads(alembic, "heads of the base commit", database, base)
    if not before:
        alembic.came = alembic.came.changed(from_base="the base commit has no migration")
        return None
    if len(before) > 1:
        raise StepFailed(f"the base commit itself has {len(before)} heads ({', '.join(before)})")
    step = alembic.run("base commit's schema", "upgrade", "head", url=database, tree=base)
    if not step.succeeded:
        raise StepFailed(f"the base commit's own migrations fail: {_problem(step)}")
    if before[0] != head:
        rows = alembic.rows = Rows(alembic.check, bench, database)
        rows.before_upgrade = rows.put("of the base commit's schema")
        alembic.came = alembic.came.changed(rows=rows.made or None)
        alembic.must("upgrade from the base commit", "upgrade", "head", url=database)
        _must_keep_upgraded(rows)
    alembic.came = alembic.came.changed(from_base=before[0])
    return database, before[0]


def _problem(step: Step) -> str:
    """Return how a step ended, with the line in which alembic says why."""
    lines = step.text.splitlines() if step.finished else []
    failed = next((line.strip() for line in reversed(lines) if line.strip().startswith("FAILED")), "")
    return f"{step.name}: {head_of(failed.removeprefix('FAILED: '), 400)}" if failed else step.problem
