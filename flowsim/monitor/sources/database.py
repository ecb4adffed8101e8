"""A log that stands in a database: a table or a query in PostgreSQL or SQLite, read as a stream.

An address names both the database and what to read, after a '#'::

    postgresql://reader@db.example/messages#log.sent       a table (with its schema)
    postgresql://?service=epj#select id, sent_at from log  a query; the service stands in pg_service.conf
    sqlite:exports/log.sqlite#sent

A password never stands in it: it would be in the shell's history and in the list of processes. PGPASSWORD,
~/.pgpass or a service file hold it. Nothing is written: the transaction reads only, and all rows are from
one state of the database.

All columns come as text, like those of a file: times in ISO 8601 (those with a zone in UTC), truth values
as true and false, numbers in full. Binary columns come empty; what they hold is payload. OCEL 2.0 in
SQLite comes as one row an event (``ocel_rows``). Messages say what kind of trouble there was, and neither
a value nor a password.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from flowsim.errors import FlowsimError, UsageError, did_you_mean
from flowsim.monitor.sources.identity import masked
from flowsim.monitor.sources.postgres import postgres_rows

#: Rows of a batch: large enough to be quick, small enough to be held.
BATCH: Final = 10_000
_QUERY: Final = re.compile(r"\s*(select|with|values)\b", re.IGNORECASE)
_OCEL_TABLES: Final = {"event", "object", "event_object", "event_map_type", "object_map_type"}


@dataclass(frozen=True)
class Address:
    """What an address says: the kind of database, how to reach it, and the table or the query in it."""

    kind: str
    connection: str
    wanted: str

    @property
    def is_query(self) -> bool:
        """Say whether a query is wanted, and not a table."""
        return bool(_QUERY.match(self.wanted))

    def __str__(self) -> str:
        """Return what messages call it: never the user, the host's options, or the text of a query."""
        what = "a query" if self.is_query else masked(self.wanted)
        if self.kind == "sqlite":
            return f"{masked(self.connection)}#{what}"
        return f"PostgreSQL#{what}"


def is_database(address: str) -> bool:
    """Say whether a source names a database rather than a file."""
    return address.startswith(("postgresql:", "postgres:", "sqlite:"))


def parse_address(address: str) -> Address:
    """Return what an address says; UsageError where a part is missing."""
    place, mark, wanted = address.partition("#")
    if not is_database(address) or not mark or not wanted.strip():
        raise UsageError(
            "A database is named as postgresql://user@host/database#table or sqlite:file#table.",
            "A query that begins with select may stand in the place of the table.",
        )
    if place.startswith("sqlite:"):
        return Address("sqlite", place.removeprefix("sqlite:").removeprefix("//"), wanted.strip())
    return Address("postgresql", place, wanted.strip())


def rows(address: str, batch: int = BATCH) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of a table or query as text, ``batch`` rows at a time, in the database's own order.

    At least one batch comes, so that the columns are known where there is no row. Who stops early closes it
    (``contextlib.closing``), or the database holds the transaction open. UsageError where the
    address is incomplete, FlowsimError where the database cannot be reached or read.
    """
    where = parse_address(address)
    if where.kind == "sqlite":
        return _sqlite_rows(where, batch)
    return postgres_rows(where.connection, where.wanted, where.is_query, str(where), batch)


def _sqlite_rows(where: Address, batch: int) -> Generator[pa.RecordBatch, None, None]:
    with closing(_open_sqlite(where.connection)) as connection:
        if where.is_query:
            query = where.wanted
        else:
            tables = _names(connection, where.connection)
            if where.wanted not in tables:
                raise UsageError(f"There is no table {where}.", did_you_mean(where.wanted, tables))
            query = f"SELECT * FROM {_quoted(where.wanted)}"  # noqa: S608 (a quoted name that exists)
        yield from _sqlite_batches(connection, query, str(where), batch)


def _sqlite_batches(
    connection: sqlite3.Connection, query: str, shown: str, batch: int
) -> Generator[pa.RecordBatch, None, None]:
    try:
        cursor = connection.execute(query)
        columns = [column[0] for column in cursor.description]
        taken = cursor.fetchmany(batch)
        yield _as_batch(columns, taken)
        while len(taken) == batch:
            taken = cursor.fetchmany(batch)
            if taken:
                yield _as_batch(columns, taken)
    except sqlite3.Error as error:
        raise _unreadable(shown, error) from None


def _unreadable(shown: str, error: sqlite3.Error) -> FlowsimError:
    # The error's own text may quote a value or the query; its name says what kind of trouble it is.
    return FlowsimError(f"{shown} cannot be read: SQLite says {getattr(error, 'sqlite_errorname', 'error')}.")


def _open_sqlite(path: str) -> sqlite3.Connection:
    """Open a file for reading only; UsageError where it is not there or is no SQLite database."""
    if not Path(path).is_file():
        raise UsageError(f"There is no file {masked(path)}.")
    try:
        connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
        # Bytes that are no UTF-8 would otherwise raise an error that quotes them.
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")  # one state of the database for all that is read
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        raise UsageError(f"{masked(path)} is no SQLite database that can be read.") from None
    return connection


def _names(connection: sqlite3.Connection, path: str) -> list[str]:
    try:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        return [str(row[0]) for row in found]
    except sqlite3.Error as error:
        raise _unreadable(masked(path), error) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _as_batch(columns: Sequence[str], taken: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    texts = zip(*taken, strict=True) if taken else [() for _ in columns]
    arrays = [pa.array([_text(value) for value in column], pa.string()) for column in texts]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, bytes) else str(value)


# --- OCEL 2.0 in SQLite ---------------------------------------------------------------------------------


def is_ocel(path: str) -> bool:
    """Say whether a SQLite file is a log in OCEL 2.0's relational form."""
    with closing(_open_sqlite(path)) as connection:
        return set(_names(connection, path)) >= _OCEL_TABLES


def ocel_rows(path: str, batch: int = BATCH) -> Generator[pa.RecordBatch, None, None]:
    """Yield the events of an OCEL 2.0 log in SQLite, one row an event, type by type, as text.

    Columns: ``ocel_id``, ``ocel_type``, ``ocel_time``, the attributes of that type of event, and for each
    type of object a column ``object:<type>`` with the first object of it that the event is about. Batches
    of different types of event have different columns. UsageError where it is no such log.
    """
    with closing(_open_sqlite(path)) as connection:
        tables = set(_names(connection, path))
        missing = sorted(_OCEL_TABLES - tables)
        if missing:
            raise UsageError(f"{masked(path)} is no OCEL 2.0 log: it has no table {', '.join(missing)}.")
        try:
            kinds = connection.execute("SELECT ocel_type, ocel_type_map FROM event_map_type").fetchall()
            objects = [row[0] for row in connection.execute("SELECT ocel_type FROM object_map_type")]
        except sqlite3.Error as error:
            raise _unreadable(masked(path), error) from None
        for kind, mapped in kinds:
            table = f"event_{mapped}"
            if table not in tables:
                raise UsageError(f"{masked(path)} is no OCEL 2.0 log: it has no table {masked(table)}.")
            query = _ocel_query(str(kind), table, [str(name) for name in objects])
            yield from _sqlite_batches(connection, query, masked(path), batch)


def _ocel_query(kind: str, table: str, objects: Sequence[str]) -> str:
    related = ", ".join(
        "(SELECT eo.ocel_object_id FROM event_object eo JOIN object o ON o.ocel_id = eo.ocel_object_id"  # noqa: S608
        f" WHERE eo.ocel_event_id = t.ocel_id AND o.ocel_type = {_literal(name)}"
        f" ORDER BY eo.rowid LIMIT 1) AS {_quoted('object:' + name)}"
        for name in objects
    )
    columns = f"{_literal(kind)} AS ocel_type, t.*" + (f", {related}" if related else "")
    return f"SELECT {columns} FROM {_quoted(table)} t"  # noqa: S608 (names and words are quoted)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
