"""Rows out of PostgreSQL: a server-side cursor in a transaction that reads only, all values as text."""

from __future__ import annotations

import importlib
import os
from collections.abc import Generator, Sequence
from types import ModuleType
from typing import Any, Final

import pyarrow as pa

from flowsim.errors import FlowsimError, UsageError
from flowsim.monitor.sources.identity import masked

_SECRETS: Final = ("password", "sslpassword", "oauth_client_secret")
_BINARY: Final = "bytea"
#: How long to wait for a server that does not answer, unless PGCONNECT_TIMEOUT or the address says else.
_WAIT_SECONDS: Final = "10"


def postgres_rows(
    connection: str, wanted: str, is_query: bool, shown: str, batch: int
) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of a table or a query as text, ``batch`` at a time; at least one batch comes.

    ``connection`` is a connection text of libpq without a password, ``shown`` what messages call the
    source. UsageError where psycopg is not installed or the address holds a password, FlowsimError where
    the database cannot be reached or read.
    """
    psycopg = _driver()
    settings = _settings(psycopg, connection)
    try:
        link = psycopg.connect(**settings, application_name="flowsim")
    except psycopg.Error as error:
        raise FlowsimError(f"{shown} cannot be reached: {_first_line(error)}") from None
    try:
        with link:
            link.read_only = True
            link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield from _batches(psycopg, link, _statement(psycopg, wanted, is_query), batch)
    except psycopg.Error as error:
        # The server's own words may quote a value or the query: only the kind of trouble is told.
        raise FlowsimError(f"{shown} cannot be read: {_kind(error)}.") from None


def _driver() -> ModuleType:
    try:
        psycopg = importlib.import_module("psycopg")
        for part in ("psycopg.conninfo", "psycopg.sql", "psycopg.adapt", "psycopg.types.string"):
            importlib.import_module(part)
    except ImportError:
        raise UsageError(
            "PostgreSQL is read with psycopg, which is not installed.", "pip install 'flowsim[postgres]'"
        ) from None
    return psycopg


def _settings(psycopg: ModuleType, connection: str) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(connection)
    except psycopg.Error:
        raise UsageError("The address of the PostgreSQL database cannot be understood.") from None
    if any(settings.get(name) for name in _SECRETS):
        raise UsageError(
            "The address of the PostgreSQL database holds a password.",
            "Give it in PGPASSWORD, ~/.pgpass or a service file; here it is in the list of processes.",
        )
    if "PGCONNECT_TIMEOUT" not in os.environ and "service" not in settings:
        settings.setdefault("connect_timeout", _WAIT_SECONDS)
    return settings


def _statement(psycopg: ModuleType, wanted: str, is_query: bool) -> Any:
    if is_query:
        return psycopg.sql.SQL(wanted.rstrip().rstrip(";"))
    name = psycopg.sql.Identifier(*wanted.split("."))
    return psycopg.sql.SQL("SELECT * FROM {}").format(name)


def _batches(
    psycopg: ModuleType, link: Any, statement: Any, batch: int
) -> Generator[pa.RecordBatch, None, None]:
    _read_as_text(psycopg, link)
    # A named cursor lives in the server, which hands over so many rows at a time.
    with link.cursor(name="flowsim_rows") as cursor:
        cursor.execute(statement)
        columns = [column.name for column in cursor.description]
        binary_oid = psycopg.adapters.types[_BINARY].oid
        binary = [column.type_code == binary_oid for column in cursor.description]
        taken = cursor.fetchmany(batch)
        yield _as_batch(columns, binary, taken)
        while len(taken) == batch:
            taken = cursor.fetchmany(batch)
            if taken:
                yield _as_batch(columns, binary, taken)


def _read_as_text(psycopg: ModuleType, link: Any) -> None:
    """Let every type come as the server writes it, with times in ISO 8601 and UTC."""
    text: Any = psycopg.types.string.TextLoader
    if link.info.parameter_status("server_encoding") == "SQL_ASCII":  # bytes of any kind may come
        link.execute("SET client_encoding TO SQL_ASCII")

        class Lenient(psycopg.adapt.Loader):  # type: ignore[misc, name-defined]
            def load(self, data: Any) -> str:
                return bytes(data).decode("utf-8", "replace")

        text = Lenient
    else:
        link.execute("SET client_encoding TO UTF8")

    class Moment(text):  # type: ignore[misc]
        def load(self, data: Any) -> str:
            return str(super().load(data)).replace(" ", "T", 1)

    class MomentInUtc(Moment):
        def load(self, data: Any) -> str:
            moment = super().load(data)
            return moment[:-3] + "Z" if moment.endswith("+00") else moment  # else infinity

    class Truth(text):  # type: ignore[misc]
        def load(self, data: Any) -> str:
            return "true" if bytes(data) == b"t" else "false"

    special = {"timestamp": Moment, "timestamptz": MomentInUtc, "bool": Truth}
    for kind in psycopg.adapters.types:
        link.adapters.register_loader(kind.oid, special.get(kind.name, text))
        if kind.array_oid:
            link.adapters.register_loader(kind.array_oid, text)
    link.execute("SET LOCAL timezone TO 'UTC'")
    link.execute("SET LOCAL datestyle TO 'ISO'")


def _as_batch(
    columns: Sequence[str], binary: Sequence[bool], taken: Sequence[Sequence[str | None]]
) -> pa.RecordBatch:
    texts: Any = zip(*taken, strict=True) if taken else [() for _ in columns]
    arrays = [
        pa.nulls(len(taken), pa.string()) if payload else pa.array(column, pa.string())
        for column, payload in zip(texts, binary, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _kind(error: Any) -> str:
    """Return the name of an error as the SQL standard has it, in words: 'undefined table (42P01)'."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__).strip()
    return f"{words} ({error.sqlstate})" if error.sqlstate else words


def _first_line(error: Any) -> str:
    """Return what the client library says of a connection that failed, without any password."""
    line = masked((str(error).splitlines() or ["no reason given"])[0])
    password = os.environ.get("PGPASSWORD")
    return line.replace(password, "***") if password else line
