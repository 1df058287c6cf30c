"""Put rows into every table of a database, or count what is there. A program of its own, for the project's Python.

    PLAIT_ROWS_URL=... python migration_rows.py fill FIRST
    PLAIT_ROWS_URL=... python migration_rows.py look

It needs SQLAlchemy alone, which Alembic brings, and prints one JSON object. The schema is read from the database;
values are made by a column's type, keys point at rows that are there, and where the schema has a CHECK the constants
that stand in it are tried. All is made from the numbers FIRST and FIRST + 1: the same schema gives the same rows.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN, INTERVAL
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

ROWS = 2
"""Rows of each table at a time: two, so that values that become one are seen."""
_MOST_TRIES = 200
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(-?\d+(?:\.\d+)?)")
_TEXT_OF: dict[str, str] = {"INET": "10.0.0.{}", "CIDR": "10.0.{}.0/24", "MACADDR": "02:00:00:00:00:{:02x}"}

Row = dict[str, Any]


class _Unfillable(Exception):
    """A row that cannot be made; the text says why."""


def main() -> None:
    """Do what the arguments say and print what came of it."""
    if sys.argv[1] == "fill":
        print_json(on_database(lambda connection: fill(connection, int(sys.argv[2]))))
    else:
        print_json(on_database(look))


def print_json(found: object) -> None:
    """Print one object."""
    sys.stdout.write(json.dumps(found, sort_keys=True) + "\n")


def on_database(work: Callable[[sa.Connection], Any]) -> Any:
    """Call a function with a connection to the database, also where its driver is an asynchronous one."""
    url = sa.make_url(re.sub(r"\Apostgres:", "postgresql:", os.environ["PLAIT_ROWS_URL"]))
    if url.get_dialect().is_async:
        return asyncio.run(_on_asynchronous(url, work))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return work(connection)


async def _on_asynchronous(url: sa.URL, work: Callable[[sa.Connection], Any]) -> Any:
    engine = create_async_engine(url, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        return await connection.run_sync(work)


def tables_of(connection: sa.Connection) -> list[sa.Table]:
    """Return the tables of a database, those that others point at first, without Alembic's own."""
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # types it does not know, keys in a circle
        metadata.reflect(connection)
        tables = metadata.sorted_tables
    connection.rollback()
    return [table for table in tables if set(table.columns.keys()) != {"version_num"}]


def look(connection: sa.Connection) -> dict[str, Any]:
    """Return of every table how many rows it has, and of each column how many values, and how many different ones."""
    found: dict[str, Any] = {}
    for table in tables_of(connection):
        columns = list(table.columns)
        counts: list[Any] = [sa.func.count()]
        for column in columns:
            counts += [sa.func.count(column), sa.func.count(sa.distinct(sa.cast(column, sa.String)))]
        numbers = list(connection.execute(sa.select(*counts).select_from(table)).one())
        pairs = {column.name: numbers[1 + 2 * at : 3 + 2 * at] for at, column in enumerate(columns)}
        found[table.fullname] = {"rows": numbers[0], "columns": pairs}
    return found


def fill(connection: sa.Connection, first: int) -> dict[str, Any]:
    """Put rows into every table and return how many each took, and why some tables or columns took none."""
    rows: dict[str, int] = {}
    left_out: dict[str, str] = {}
    for table in tables_of(connection):
        try:
            for number in range(first, first + ROWS):
                _insert(connection, table, number)
                rows[table.fullname] = rows.get(table.fullname, 0) + 1
        except (_Unfillable, SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
            if table.fullname not in rows:
                left_out[table.fullname] = _said_by(error)
        for column in _settable(table) if table.fullname in rows else ():
            if not column.foreign_keys and value_of(column, first) is None:
                left_out[f"{table.fullname}.{column.name}"] = f"no value is known of type {column.type!r}"[:200]
    return {"rows": rows, "left_out": left_out}


def _said_by(error: Exception) -> str:
    """Return the first line of what a driver said, without the class that some put before it."""
    return re.sub(r"\A<class '[^']*'>: ", "", str(error.__cause__ or error).strip()).partition("\n")[0][:200]


def _insert(connection: sa.Connection, table: sa.Table, number: int) -> None:
    """Insert one row.

    Raises:
        _Unfillable: It needs a row that is not there.
        SQLAlchemyError: The database takes none of the values that were tried.
    """
    checked = _constants(connection, table, number)
    pointers = _pointers(connection, table, number)
    refused: Exception | None = None
    for values in itertools.islice(_candidates(table, number, checked), _MOST_TRIES):
        row = {**values, **pointers}
        for others, pairs in _keys(table):
            if others is table:
                row |= {column.name: row.get(other.name) for column, other in pairs if not column.nullable}
        try:
            with connection.begin():
                connection.execute(table.insert().values(row))
        except SQLAlchemyError as error:
            connection.rollback()
            refused = error
        else:
            return
    raise _Unfillable(str(refused)) from (refused.__cause__ if refused else None)


def _candidates(table: sa.Table, number: int, checked: dict[str, list[Any]]) -> Iterator[Row]:
    """Yield rows to try: plain ones, such that no other row may have, and those with the constants of a CHECK."""
    plain = _row(table, number)
    yield plain
    names = sorted(checked)
    for chosen in itertools.product(*(checked[name] for name in names)) if names else ():
        yield {**plain, **dict(zip(names, chosen, strict=True))}
    yield _row(table, 5000 + number)


def _row(table: sa.Table, number: int) -> Row:
    row: Row = {}
    for column in _settable(table):
        key = column.primary_key and isinstance(column.type, sa.Integer)
        value = value_of(column, 1000 + number if key and number < 5000 else number)
        if value is not None:
            row[column.name] = value
        elif not column.nullable and column.server_default is None:
            row[column.name] = f"{column.name} {number}"  # of a type that is not known: perhaps it takes text
    return row


def _settable(table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns that the database does not set by itself alone."""
    return [
        column
        for column in table.columns
        if column.computed is None and not (column.identity is not None and column.identity.always)
    ]


def value_of(column: sa.Column[Any], number: int) -> Any:
    """Return a value of a column's type, None where the type is not known.

    Small numbers and early dates first: they keep to most limits. Of an enumeration the first two, which are likely
    to have been there longest.
    """
    kind: Any = column.type
    while isinstance(kind, DOMAIN):
        kind = kind.data_type
    at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number)
    match kind:
        case sa.Enum():
            return kind.enums[min((number - 1) % ROWS, len(kind.enums) - 1)] if kind.enums else None
        case sa.Boolean():
            return bool(number % 2)
        case sa.DateTime():
            return at if kind.timezone else at.replace(tzinfo=None)
        case sa.Date():
            return date(2020, 1, 1) + timedelta(days=number)
        case sa.Time():
            return time(number % 24, number % 60)
        case sa.Interval() | INTERVAL():
            return timedelta(days=number)
        case sa.Uuid():
            return uuid.UUID(int=number) if kind.as_uuid else str(uuid.UUID(int=number))
        case sa.JSON():
            return {column.name: number}
        case sa.ARRAY():
            item: Any = kind.item_type  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            inner = value_of(sa.Column(column.name, item), number)
            return None if inner is None else [inner]
        case sa.LargeBinary():
            return str(number).encode()
        case sa.Integer():
            return number
        case sa.Numeric():
            small = kind.precision is not None and kind.scale is not None and kind.precision <= kind.scale
            return number / 10**kind.scale if small and kind.scale else number
        case sa.String():
            return _text(column.name, kind, number)
        case _:
            form = _TEXT_OF.get(type(kind).__name__)
            return form.format(number % 250) if form else None


def _text(name: str, kind: sa.String, number: int) -> str:
    identifier = uuid.UUID(int=number)
    if kind.length == 36:
        return str(identifier)
    if kind.length == 32 and isinstance(kind, sa.CHAR):
        return identifier.hex
    text = f"{name} {number}"
    return text if kind.length is None or len(text) <= kind.length else str(number)[-kind.length :]


def _pointers(connection: sa.Connection, table: sa.Table, number: int) -> Row:
    """Return the values of a row's foreign keys: of rows that are there, or none."""
    row: Row = {}
    for others, pairs in _keys(table):
        optional = [column.name for column, _ in pairs if column.nullable]
        if others is table:
            row |= dict.fromkeys(optional)
            continue
        wanted = [other for _, other in pairs]
        there = connection.execute(sa.select(*wanted).order_by(*wanted).limit(1000)).all()
        connection.rollback()
        if there:
            row |= zip((column.name for column, _ in pairs), there[(number - 1) % len(there)], strict=True)
        elif optional:
            row |= dict.fromkeys(optional)
        else:
            raise _Unfillable(f"it points at {others.fullname}, which has no row")
    return row


def _keys(table: sa.Table) -> list[tuple[sa.Table, list[tuple[sa.Column[Any], sa.Column[Any]]]]]:
    """Return a table's foreign keys, in the order of their columns: the other table, and pairs of columns."""
    constraints: list[Any] = sorted(table.foreign_key_constraints, key=lambda one: one.column_keys)
    return [
        (constraint.referred_table, [(each.parent, each.column) for each in constraint.elements])
        for constraint in constraints
    ]


def _constants(connection: sa.Connection, table: sa.Table, number: int) -> dict[str, list[Any]]:
    """Return the constants that stand in CHECK constraints beside each column's name, and the numbers next to them.

    The first two take turns, so that rows differ where they may.
    """
    found: dict[str, list[Any]] = {}
    try:
        constraints = sa.inspect(connection).get_check_constraints(table.name, schema=table.schema)
    except (NotImplementedError, SQLAlchemyError):
        constraints = []
    connection.rollback()
    for constraint in constraints:
        text = constraint["sqltext"]
        for column in table.columns:
            if re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", text):
                found.setdefault(column.name, []).extend(_constants_in(text, column, number))
    turn = (number - 1) % ROWS
    unique = {name: list(dict.fromkeys(values)) for name, values in found.items() if values}
    return {name: values[turn:] + values[:turn] for name, values in unique.items()}


def _constants_in(text: str, column: sa.Column[Any], number: int) -> Iterator[Any]:
    for literal in _LITERAL.finditer(text):
        if isinstance(column.type, sa.Integer | sa.Numeric):
            if literal[2]:
                limit = float(literal[2]) if "." in literal[2] else int(literal[2])
                yield from (limit, limit + 1, limit - 1)
        elif literal[1] is not None:
            yield literal[1].replace("''", "'").replace("%", str(number))  # a pattern of LIKE
        elif literal[2]:  # the length of a text
            yield (f"{column.name} " * 1000)[: max(0, min(int(float(literal[2])), 1000))]


if __name__ == "__main__":
    main()
