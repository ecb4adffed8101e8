"""Tables and queries of SQLite and of a real PostgreSQL server that the tests start."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flowsim.errors import FlowsimError, IdentityNumber, UsageError
from flowsim.monitor.sources import postgres
from flowsim.monitor.sources.database import is_database, is_ocel, ocel_rows, parse_address, rows
from flowsim.monitor.sources.privacy import Guard
from tests.identity_numbers import PUBLISHED
from tests.postgres_server import NoServer, Server, running_server

NUMBER = PUBLISHED[1]
SECRET = "hemmelig-passord"


def read(address: str, batch: int = 10_000) -> list[dict[str, Any]]:
    return pa.Table.from_batches(list(rows(address, batch))).to_pylist()


# --- addresses ------------------------------------------------------------------------------------------


def test_an_address_names_the_database_and_what_to_read() -> None:
    where = parse_address("postgresql://me@host/db#log.sent")
    assert (where.kind, where.connection, where.wanted) == (
        "postgresql",
        "postgresql://me@host/db",
        "log.sent",
    )
    assert not where.is_query and parse_address("sqlite:a.db# Select 1 AS x").is_query
    assert parse_address("sqlite:///tmp/a.db#t").connection == "/tmp/a.db"
    assert parse_address("sqlite:a b.db#t").connection == "a b.db"
    assert is_database("postgresql://?service=x#t") and not is_database("logs/postgresql.csv")


@pytest.mark.parametrize("address", ["sqlite:a.db", "sqlite:a.db#", "postgresql://h/d# ", "a.csv#t"])
def test_half_an_address_is_told(address: str) -> None:
    with pytest.raises(UsageError, match="#table"):
        rows(address)


def test_what_an_address_is_called_shows_neither_query_nor_user() -> None:
    shown = str(parse_address(f"postgresql://jens@h/d#select * from t where patient = '{NUMBER}'"))
    assert shown == "PostgreSQL#a query"
    assert NUMBER not in str(parse_address(f"sqlite:{NUMBER}.db#x{NUMBER}"))


# --- SQLite ---------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "a log.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE "sent ""log" (id TEXT, at TEXT, n INTEGER, x REAL, payload BLOB)')
        connection.executemany(
            'INSERT INTO "sent ""log" VALUES (?, ?, ?, ?, ?)',
            [(f"m{i}", "2024-01-01", i, i / 2, b"secret") for i in range(25)] + [(None,) * 5],
        )
        connection.execute("CREATE TABLE bare (a TEXT)")
    connection.close()
    return path


def test_a_table_of_sqlite_comes_as_text_in_batches(sqlite_file: Path) -> None:
    address = f'sqlite:{sqlite_file}#sent "log'
    batches = list(rows(address, 10))
    assert [batch.num_rows for batch in batches] == [10, 10, 6]
    assert {field.type for field in batches[0].schema} == {pa.string()}
    found = read(address)
    assert found[3] == {"id": "m3", "at": "2024-01-01", "n": "3", "x": "1.5", "payload": None}
    assert found[25] == dict.fromkeys(found[0])
    assert found == read(address, 1) == read(address, 26)


def test_a_query_and_an_empty_table_of_sqlite(sqlite_file: Path) -> None:
    assert read(f'sqlite:{sqlite_file}#select id, n + 1 AS more from "sent ""log" where n = 4') == [
        {"id": "m4", "more": "5"}
    ]
    (batch,) = rows(f"sqlite:{sqlite_file}#bare")
    assert batch.num_rows == 0 and batch.schema.names == ["a"]


def test_a_sqlite_file_is_not_written(sqlite_file: Path) -> None:
    before = sqlite_file.read_bytes()
    with pytest.raises(FlowsimError, match="cannot be read"):
        read(f"sqlite:{sqlite_file}#with x as (select 1) insert into bare select * from x")
    assert sqlite_file.read_bytes() == before
    assert [path.name for path in sqlite_file.parent.iterdir()] == [sqlite_file.name]


def test_troubles_with_sqlite_are_told_without_values(sqlite_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'bare'"):
        read(f"sqlite:{sqlite_file}#bar")
    with pytest.raises(UsageError, match="no file"):
        read(f"sqlite:{tmp_path}/none.db#t")
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at\n" * 9)
    with pytest.raises(UsageError, match="no SQLite database"):
        read(f"sqlite:{tmp_path}/text.db#t")
    with pytest.raises(FlowsimError, match="SQLITE_ERROR") as raised:
        read(f"sqlite:{sqlite_file}#select nothing from bare where a = '{NUMBER}'")
    assert NUMBER not in str(raised.value)


def test_bytes_that_are_no_text_are_read_all_the_same(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.execute("INSERT INTO t VALUES (CAST(x'616263e5' AS TEXT))")
    connection.close()
    assert read(f"sqlite:{tmp_path}/a.db#t") == [{"a": "abc\ufffd"}]


def test_a_truncated_file_is_told(sqlite_file: Path) -> None:
    whole = sqlite_file.read_bytes()
    sqlite_file.write_bytes(whole[: len(whole) // 2 - 7])
    with pytest.raises(FlowsimError, match=r"cannot be read|no SQLite database"):
        read(f'sqlite:{sqlite_file}#sent "log')


# --- OCEL 2.0 in SQLite ---------------------------------------------------------------------------------


@pytest.fixture
def ocel_file(tmp_path: Path) -> Path:
    """Return the smallest log of the standard's relational form (ocel-standard.org, OCEL 2.0, section 5)."""
    path = tmp_path / "log.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE event (ocel_id TEXT, ocel_type TEXT);
            CREATE TABLE object (ocel_id TEXT, ocel_type TEXT);
            CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT);
            CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT);
            CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
            CREATE TABLE object_map_type (ocel_type TEXT, ocel_type_map TEXT);
            CREATE TABLE event_Send (ocel_id TEXT, ocel_time TIMESTAMP, channel TEXT);
            CREATE TABLE event_Receive (ocel_id TEXT, ocel_time TIMESTAMP);
            CREATE TABLE object_Message (ocel_id TEXT, ocel_time TIMESTAMP, ocel_changed_field TEXT);
            INSERT INTO event_map_type VALUES ('send it', 'Send'), ('receive', 'Receive');
            INSERT INTO object_map_type VALUES ('message', 'Message'), ('patient''s case', 'Case');
            INSERT INTO event VALUES ('e1', 'send it'), ('e2', 'receive'), ('e3', 'receive');
            INSERT INTO event_Send VALUES ('e1', '2024-01-01 08:00:00', 'edi');
            INSERT INTO event_Receive VALUES ('e2', '2024-01-01 09:00:00'), ('e3', '2024-01-01 10:00:00');
            INSERT INTO object VALUES ('m1', 'message'), ('m2', 'message'), ('c1', 'patient''s case');
            INSERT INTO event_object VALUES ('e1', 'm1', ''), ('e1', 'c1', '');
            INSERT INTO event_object VALUES ('e2', 'm1', ''), ('e2', 'm2', '');
        """)
    connection.close()
    return path


def test_an_ocel_log_in_sqlite_comes_as_one_row_an_event(ocel_file: Path) -> None:
    send, receive = ocel_rows(str(ocel_file))
    assert send.to_pylist() == [
        {
            "ocel_type": "send it",
            "ocel_id": "e1",
            "ocel_time": "2024-01-01 08:00:00",
            "channel": "edi",
            "object:message": "m1",
            "object:patient's case": "c1",
        }
    ]
    assert [(row["ocel_id"], row["object:message"]) for row in receive.to_pylist()] == [
        ("e2", "m1"),
        ("e3", None),
    ]
    assert len(list(ocel_rows(str(ocel_file), 1))) == 3


def test_what_is_no_ocel_log_is_told(ocel_file: Path, sqlite_file: Path) -> None:
    assert is_ocel(str(ocel_file)) and not is_ocel(str(sqlite_file))
    with pytest.raises(UsageError, match="no table event"):
        list(ocel_rows(str(sqlite_file)))
    with sqlite3.connect(ocel_file) as connection:
        connection.execute("DROP TABLE event_Receive")
    connection.close()
    with pytest.raises(UsageError, match="no table event_Receive"):
        list(ocel_rows(str(ocel_file)))


# --- PostgreSQL -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    try:
        with running_server() as running:
            with psycopg.connect(running.address(), autocommit=True) as connection:
                connection.execute("CREATE SCHEMA log")
                connection.execute("CREATE TYPE way AS ENUM ('edi', 'letter')")
                connection.execute("""
                    CREATE TABLE log."Sent" (id bigint, at timestamptz, local timestamp, on_day date,
                        ok boolean, amount numeric(12, 3), x double precision, channel way, kinds text[],
                        payload bytea, extra jsonb, ref uuid)""")
                connection.execute("""
                    INSERT INTO log."Sent" SELECT n,
                        '2024-03-31 01:30:00+01'::timestamptz + n * interval '1 hour',
                        '2024-01-01 08:00', '2024-01-01', n % 2 = 0, 1.5, 0.25, 'edi', '{a,b}',
                        '\\x736563726574', '{"a": 1}', '00000000-0000-0000-0000-000000000001'
                    FROM generate_series(0, 24) AS n""")
                connection.execute('INSERT INTO log."Sent" (id) VALUES (NULL)')
                connection.execute("CREATE TABLE text (comment text)")
                connection.execute("INSERT INTO text VALUES (%s)", (f"about {NUMBER}",))
                connection.execute("CREATE ROLE stranger LOGIN")
                connection.execute("CREATE DATABASE old ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
            yield running
    except NoServer as reason:
        pytest.skip(f"no PostgreSQL server can be started: {reason}")


def test_a_table_of_postgresql_comes_as_text_in_batches(server: Server) -> None:
    address = f"{server.address()}#log.Sent"
    batches = list(rows(address, 10))
    assert [batch.num_rows for batch in batches] == [10, 10, 6]
    assert {field.type for field in batches[0].schema} == {pa.string()}
    found = read(address)
    assert found[1] == {
        "id": "1",
        "at": "2024-03-31T01:30:00Z",
        "local": "2024-01-01T08:00:00",
        "on_day": "2024-01-01",
        "ok": "false",
        "amount": "1.500",
        "x": "0.25",
        "channel": "edi",
        "kinds": "{a,b}",
        "payload": None,  # never read
        "extra": '{"a": 1}',
        "ref": "00000000-0000-0000-0000-000000000001",
    }
    assert found[0]["ok"] == "true" and found[25] == dict.fromkeys(found[0])
    assert found == read(address, 1) == read(address, 26)


def test_a_query_of_postgresql(server: Server) -> None:
    query = "select id, at from log.\"Sent\" where channel = 'edi' and id > 22 order by id desc;"
    assert [row["id"] for row in read(f"{server.address()}#{query}")] == ["24", "23"]
    (batch,) = rows(f"{server.address()}#{query.replace('22', '99')}")
    assert batch.num_rows == 0 and batch.schema.names == ["id", "at"]
    assert read(f"{server.address()}#select 'infinity'::timestamptz as t, 100 % 7 as p") == [
        {"t": "infinity", "p": "2"}
    ]


def test_rows_are_streamed_and_reading_may_stop(server: Server) -> None:
    """Ten billion rows are never held: the first hundred come, and the rest are not asked for."""
    many = rows(
        f"{server.address()}#select 1 from generate_series(1, 100000) a, generate_series(1, 100000) b", 100
    )
    assert next(many).num_rows == 100
    many.close()


def test_nothing_can_be_written(server: Server) -> None:
    for query in (
        "with x as (delete from text returning *) select * from x",
        "select nextval('none')",
        "select set_config('transaction_read_only', 'off', false) as x; delete from text",
    ):
        with pytest.raises(FlowsimError, match="cannot be read"):
            read(f"{server.address()}#{query}")
    assert len(read(f"{server.address()}#text")) == 1


def test_old_databases_without_an_encoding_are_read(server: Server) -> None:
    assert read(f"{server.address('old')}#select convert_from('\\x61e5'::bytea, 'SQL_ASCII') as a") == [
        {"a": "a\ufffd"}
    ]


def test_the_guard_sees_what_a_table_holds(server: Server) -> None:
    (batch,) = rows(f"{server.address()}#text")
    with pytest.raises(IdentityNumber, match="row 1, column comment") as raised:
        Guard().check_table(batch, "PostgreSQL#text")
    assert NUMBER not in str(raised.value)


@pytest.mark.parametrize(
    ("user", "wanted", "said"),
    [
        (None, "nowhere", "undefined table"),
        (None, "select nothing from text", "undefined column"),
        (None, f"select comment::int from text where comment <> '{NUMBER}'", "invalid text representation"),
        (None, "select 1 / 0 as x", "division by zero"),
        ("stranger", "text", "insufficient privilege"),
    ],
)
def test_troubles_with_postgresql_are_told_without_values(
    server: Server, user: str | None, wanted: str, said: str
) -> None:
    with pytest.raises(FlowsimError, match=said) as raised:
        read(f"{server.address(user=user)}#{wanted}")
    assert NUMBER not in f"{raised.value!s}{raised.value!r}" and "comment" not in str(raised.value)


def test_a_database_that_is_not_there_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", SECRET)
    for address in (server.address("nothing"), f"postgresql://a@/b?host={tmp_path}"):
        with pytest.raises(FlowsimError, match="cannot be reached") as raised:
            read(f"{address}#text")
        assert SECRET not in f"{raised.value!s}{raised.value!r}"


def test_a_service_file_and_the_environment_name_the_server(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tmp_path / "services.conf"
    services.write_text(f"[epj]\nhost={server.folder}\nuser={server.user}\ndbname=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    assert len(read("postgresql://?service=epj#text")) == 1
    monkeypatch.setenv("PGHOST", str(server.folder))
    assert len(read("postgresql://tester@/postgres#text")) == 1


@pytest.mark.parametrize(
    "address", [f"postgresql://me:{SECRET}@host/db", f"postgresql://me@host/db?password={SECRET}"]
)
def test_a_password_in_the_address_is_refused_and_not_shown(address: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(UsageError, match="holds a password") as raised:
        read(f"{address}#t")
    assert SECRET not in str(raised.value)


def test_an_address_that_cannot_be_understood_is_not_shown() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(UsageError, match="cannot be understood") as raised:
        read(f"postgresql://me@host/db?{SECRET}#t")
    assert SECRET not in str(raised.value)


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"flowsim\[postgres\]"):
        read("postgresql://h/d#t")
    assert postgres.__name__ in sys.modules


def test_reading_files_does_not_load_the_driver() -> None:
    program = "import sys, flowsim.monitor.sources.database; print('psycopg' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
