"""Rows that migrations are run on: put there before, and counted again after each step."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from contexts.documents.findings import Finding, Severity
from contexts.redaction import head_of
from contexts.spec.checks import MigrationsCheck
from contexts.text.plural import counted, first_of
from tasks.checks.bench import Bench

_PROGRAM = Path(__file__).resolve().with_name("migration_rows.py")
_RULE = "evidence/migration-rows"


class Counts(BaseModel):
    """Of one table: its rows, and of each column how many values it has and how many different ones."""

    rows: int
    columns: dict[str, tuple[int, int]]


class _Filled(BaseModel):
    """How many rows each table took, and why some took none."""

    rows: dict[str, int]
    left_out: dict[str, str]


class _Seen(BaseModel):
    tables: dict[str, Counts]


Tables = Mapping[str, Counts]
_NOTHING: Tables = MappingProxyType({})
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Lost:
    """What a step took away.

    Attributes:
        tables: Tables that had rows and are gone.
        columns: Columns that had values and are gone, as ``table.column``.
        rows: Sentences about tables that are still there, with fewer rows.
        values: Columns that are still there, with fewer values or fewer different ones.
    """

    tables: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    values: tuple[str, ...]


def lost(before: Tables, after: Tables, own: Tables = _NOTHING, added: Tables = _NOTHING) -> Lost:
    """Compare what was counted before a step with what was counted after it.

    Another value in the place of one is no loss: a migration may rewrite values. Where there is none, or where
    different ones became one, something is gone.

    Args:
        before: What was there before.
        after: What is there now.
        own: What was there before the upgrade that a downgrade takes back.
        added: What was there after it: rows that it brought itself may go with the downgrade.
    """
    tables: list[str] = []
    columns: list[str] = []
    rows: list[str] = []
    values: list[str] = []
    for name, had in before.items():
        has = after.get(name)
        if has is None:
            tables += [name] if had.rows else []
            continue
        brought = max(0, added[name].rows - own[name].rows) if name in added and name in own else 0
        if has.rows < had.rows - brought:
            rows.append(f"{name} ({counted(had.rows, 'row')} before, {has.rows} after)")
            continue
        for column, (filled, different) in had.columns.items():
            now = has.columns.get(column)
            if now is None:
                columns += [f"{name}.{column}"] if filled else []
            elif now[0] < filled - brought or now[1] < different - brought:
                values.append(f"{name}.{column}")
    return Lost(tuple(tables), tuple(columns), tuple(rows), tuple(values))


class Rows:
    """The rows of one check's database.

    Args:
        check: The check.
        bench: Where it runs.
        url: The database.
    """

    def __init__(self, check: MigrationsCheck, bench: Bench, url: str) -> None:
        self._bench = bench
        self._env = {"PLAIT_ROWS_URL": url}
        self._python = bench.resolve(python_of(check.argv))
        self._first = 1
        self._wanted = check.rows == "auto"
        self.before_upgrade: Tables | None = None
        self.after_upgrade: Tables | None = None
        self.made: dict[str, int] = {}
        self.findings: list[Finding] = []

    def put(self, when: str) -> Tables | None:
        """Put rows into every table that takes some; return what is there then, None where rows cannot be had."""
        if not self._wanted:
            return None
        raw = self._run(f"rows {when}", "fill", str(self._first))
        self._first += 2
        filled = None if raw is None else self._read(_Filled, raw)
        if filled is None:
            return None
        for name, count in filled.rows.items():
            self.made[name] = self.made.get(name, 0) + count
        if filled.left_out:
            why = first_of([f"{name} ({said})" for name, said in sorted(filled.left_out.items())], 5)
            self.say("note", f"rows {when}: nothing was put into {why}")
        return self.look(when)

    def look(self, when: str) -> Tables | None:
        """Return what is in the tables; None where it cannot be had."""
        if not self._wanted:
            return None
        raw = self._run(f"what is there {when}", "look")
        seen = None if raw is None else self._read(_Seen, b'{"tables": ' + raw + b"}")
        return None if seen is None else seen.tables

    def say(self, severity: Severity, message: str) -> None:
        """Keep what is to be said beside the check's status."""
        self.findings.append(Finding(rule=_RULE, severity=severity, message=message, sources=()))

    def _run(self, name: str, *arguments: str) -> bytes | None:
        argv = (*self._python, "-I", str(_PROGRAM), *arguments)
        step = self._bench.run(name, argv, env=self._env, capture=True)
        return step.output if step.succeeded else self._give_up(step.problem)

    def _read(self, model: type[_Model], raw: bytes) -> _Model | None:
        try:
            return model.model_validate_json(raw)
        except ValidationError:
            return self._give_up("what was counted cannot be read")

    def _give_up(self, why: str) -> None:
        """Go on without rows; from then on nothing is put or counted."""
        self._wanted = False
        self.say("warning", f"the migrations are not shown to keep rows: {head_of(why, 300)}")


def python_of(argv: Sequence[str]) -> tuple[str, ...]:
    """Return how the Python is started that an alembic command runs on."""
    for at, word in enumerate(argv):
        if posixpath.basename(word) != "alembic":
            continue
        if at and argv[at - 1] == "-m":
            return tuple(argv[: at - 1])
        if folder := posixpath.dirname(word):
            return (*argv[:at], f"{folder}/python")
        return (*argv[:at], "python") if at else ("{python}",)
    return ("{python}",)
