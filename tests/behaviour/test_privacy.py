"""Planted people come out nowhere: not in output, log, message or traceback, whatever they were in."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from flowsim.errors import FlowsimError, IdentityNumber
from flowsim.monitor.aggregate import aggregate, alert_frame
from flowsim.monitor.incidents import Incidents
from flowsim.monitor.outputs import write_csv, write_json_lines
from flowsim.monitor.routing import Routing
from flowsim.monitor.rules import Pattern, Rule
from flowsim.monitor.sources.database import ocel_rows, rows
from flowsim.monitor.sources.privacy import Guard, Pseudonyms, load_key
from flowsim.monitor.store import Store
from flowsim.observe.directory import Directory, Unit
from flowsim.units import Clock
from flowsim.vocabulary import ALERT_SCHEMA, OBSERVATION_SCHEMA, Level, RuleKind, Seen, Verdict
from tests.planting import (
    FREE_TEXT,
    LOCAL_ID,
    NAME,
    NUMBER,
    PEOPLE,
    SECRETS,
    all_that_is_told,
    leaks,
    written_ways,
)
from tests.postgres_server import NoServer, running_server

COLUMNS = ("message_id", "patient", "clinician", "sent_at", "receiver", "comment")
#: What a mapping would name as ids, to be replaced; all else is only looked through.
IDS = ("message_id", "patient", "clinician")

Plant = dict[str, str]


def log_rows(plant: Plant | None = None) -> list[dict[str, str]]:
    """Return rows of a log whose ids are people; the plant stands in the last row but one."""
    found = [
        {
            "message_id": f"m-{person}",
            "patient": person,
            "clinician": f"{NAME} {number % 3}",
            "sent_at": f"2024-01-{number % 28 + 1:02} 08:00:00",
            "receiver": f"unit-{number % 4}",
            "comment": f"{FREE_TEXT} ({LOCAL_ID})",
        }
        for number, person in enumerate(PEOPLE)
    ]
    found[-2] |= plant or {}
    return found


def sqlite_table(folder: Path, found: list[dict[str, str]]) -> Generator[pa.RecordBatch, None, None]:
    path = folder / "log.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE sent ({', '.join(COLUMNS)}, payload BLOB)")
        connection.executemany(
            f"INSERT INTO sent VALUES ({', '.join('?' * 7)})",
            [(*row.values(), f"{NAME} {NUMBER} {FREE_TEXT}".encode()) for row in found],
        )
    connection.close()
    return rows(f"sqlite:{path}#sent", 7)


def sqlite_ocel(folder: Path, found: list[dict[str, str]]) -> Generator[pa.RecordBatch, None, None]:
    path = folder / "ocel.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE event (ocel_id, ocel_type);
            CREATE TABLE object (ocel_id, ocel_type);
            CREATE TABLE event_object (ocel_event_id, ocel_object_id, ocel_qualifier);
            CREATE TABLE event_map_type (ocel_type, ocel_type_map);
            CREATE TABLE object_map_type (ocel_type, ocel_type_map);
            INSERT INTO event_map_type VALUES ('sent', 'Sent');
            INSERT INTO object_map_type VALUES ('person', 'Person');""")
        connection.execute(f"CREATE TABLE event_Sent (ocel_id, ocel_time, {', '.join(COLUMNS)})")
        for number, row in enumerate(found):
            mark = f"e{number}"
            connection.execute("INSERT INTO event VALUES (?, 'sent')", (mark,))
            connection.execute(
                f"INSERT INTO event_Sent VALUES ({', '.join('?' * 8)})", (mark, "2024-01-01", *row.values())
            )
            connection.execute("INSERT INTO object VALUES (?, 'person')", (row["patient"],))
            connection.execute("INSERT INTO event_object VALUES (?, ?, '')", (mark, row["patient"]))
    connection.close()
    return ocel_rows(str(path), 7)


@pytest.fixture(scope="module")
def postgres_table() -> Iterator[
    Callable[[Path, list[dict[str, str]]], Generator[pa.RecordBatch, None, None]]
]:
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except NoServer as reason:
            pytest.skip(f"no PostgreSQL server can be started: {reason}")

        def table(_folder: Path, found: list[dict[str, str]]) -> Generator[pa.RecordBatch, None, None]:
            with psycopg.connect(server.address(), autocommit=True) as connection:
                connection.execute("DROP TABLE IF EXISTS sent")
                connection.execute(
                    f"CREATE TABLE sent ({' text, '.join(COLUMNS)} text, payload bytea, extra jsonb)"
                )
                with connection.cursor() as cursor:
                    cursor.executemany(
                        f"INSERT INTO sent VALUES ({', '.join(['%s'] * 7)}, '{{}}')",
                        [(*row.values(), f"{NAME} {NUMBER}".encode()) for row in found],
                    )
            return rows(f"{server.address()}#sent", 7)

        yield table


@pytest.fixture(params=["SQLite", "OCEL 2.0", "PostgreSQL"])
def read(
    request: pytest.FixtureRequest,
) -> Callable[[Path, list[dict[str, str]]], Generator[pa.RecordBatch, None, None]]:
    if request.param == "PostgreSQL":
        return request.getfixturevalue("postgres_table")  # type: ignore[no-any-return]
    return {"SQLite": sqlite_table, "OCEL 2.0": sqlite_ocel}[request.param]


def observe(batches: Generator[pa.RecordBatch, None, None], out: Path, key: Path) -> None:
    """Do with a log what the monitor does: look through it, replace its ids, and write what is left."""
    pseudonyms, guard, first = Pseudonyms(load_key(key, out)), Guard(), 1
    seen, counted = [], []
    with closing(batches):  # or the database holds its transaction open
        for batch in batches:
            ids = [name for name in batch.schema.names if name in IDS or name.startswith("object:")]
            guard.check_table(batch, "the log", first, without=ids)
            block = np.zeros(batch.num_rows, OBSERVATION_SCHEMA)
            block["key"] = pseudonyms.numbers(batch.column("message_id").to_pylist())
            block["subject"] = pseudonyms.numbers(batch.column("patient").to_pylist())
            seen.append(block)
            counted.append(
                pd.DataFrame({"receiver": batch.column("receiver").to_pylist(), "who": block["subject"]})
            )
            logging.getLogger("flowsim").info("read %d rows with %r", batch.num_rows, pseudonyms)
            first += batch.num_rows
    out.mkdir()
    np.save(out / "observations.npy", np.concatenate(seen))
    write_incidents(np.concatenate(seen), out)
    table = aggregate(pd.concat(counted), ["receiver"], subject="who")
    table.to_csv(out / "aggregate.csv", index=False)


def write_incidents(block: np.ndarray[Any, Any], out: Path) -> None:
    """Write all that the monitor writes where every message is one that went astray."""
    alerts = np.zeros(len(block), ALERT_SCHEMA)
    alerts["key"], alerts["subject"], alerts["recovered"] = block["key"], block["subject"], np.inf
    alerts["level"], alerts["verdict"], alerts["template"] = Level.hard, Verdict.violated, -1
    alerts["raised"] = np.arange(len(block))
    directory = Directory((Unit("unit-0", "Unit 0"),))
    rule = Rule("sent", RuleKind.response, Pattern(frozenset({Seen.sent})))
    store = Store(out / "state.sqlite")
    incidents = Incidents(directory, [rule], Routing(date(2024, 1, 1)), store)
    incidents.take(alerts)
    clock = Clock(date(2024, 1, 1))
    for name, write in (("incidents.jsonl", write_json_lines), ("incidents.csv", write_csv)):
        with (out / name).open("w", encoding="utf-8") as file:
            write(incidents.all(), clock, file)
    store.close()
    frame = alert_frame(alerts, [rule], directory, date(2024, 1, 1))
    aggregate(frame, ["rule", "unit", "week"], subject="subject").to_csv(out / "weeks.csv", index=False)


def test_ids_names_and_free_text_leave_no_trace(
    read: Callable[[Path, list[dict[str, str]]], Generator[pa.RecordBatch, None, None]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    key = tmp_path / "key"
    observe(read(tmp_path, log_rows()), tmp_path / "out", key)
    captured = capfd.readouterr()
    assert leaks(tmp_path / "out", [caplog.text, captured.out, captured.err]) == {}
    found = np.load(tmp_path / "out" / "observations.npy")
    assert len(set(found["subject"].tolist())) == len(set(PEOPLE)) and (found["subject"] > 0).all()
    assert (
        "read 7 rows" in caplog.text
        and key.read_bytes() not in (tmp_path / "out" / "observations.npy").read_bytes()
    )


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in IDS])
def test_a_number_in_a_column_that_is_no_id_stops_the_run_and_is_told_nowhere(
    column: str,
    read: Callable[[Path, list[dict[str, str]]], Generator[pa.RecordBatch, None, None]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for place, text in enumerate(written_ways(NUMBER)):
        folder = tmp_path / str(place)
        folder.mkdir()
        with pytest.raises(IdentityNumber, match=rf"row {len(PEOPLE) - 1}, column {column}:") as raised:
            observe(read(folder, log_rows({column: text})), folder / "out", tmp_path / "key")
        assert not (folder / "out").exists()
        assert leaks(tmp_path / "nothing", [caplog.text, all_that_is_told(raised.value)]) == {}


def test_a_number_in_the_name_of_a_column_stops_the_run(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute(f'CREATE TABLE t ("{NUMBER}" TEXT)')
    connection.close()
    with pytest.raises(IdentityNumber, match="column number 1") as raised:
        observe(rows(f"sqlite:{tmp_path}/a.db#t"), tmp_path / "out", tmp_path / "key")
    assert leaks(tmp_path / "nothing", [all_that_is_told(raised.value)]) == {}


@pytest.mark.parametrize(
    "address",
    [
        f"sqlite:log.sqlite#select nothing from sent where patient = '{NUMBER}'",
        f"sqlite:log.sqlite#select * from sent where patient = {NUMBER}x",  # SQLite quotes the slip
        f"sqlite:log.sqlite#sent {NUMBER}",
        f"sqlite:{NUMBER}.sqlite#sent",
        f"sqlite:log.sqlite#select json(comment || '{NAME}') as x from sent",
        f"sqlite:log.sqlite#select abs(-9223372036854775807 - 1) as x, '{FREE_TEXT}' as y from sent",
    ],
)
def test_a_program_that_breaks_on_a_log_tells_nothing_of_it(address: str, tmp_path: Path) -> None:
    """A traceback on the terminal shows lines of the program; none of them may hold what was read."""
    list(sqlite_table(tmp_path, log_rows()))
    program = (
        "import sys; from flowsim.monitor.sources.database import rows\n"
        "for batch in rows(sys.stdin.read()): pass"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", program],
        input=address.replace("sqlite:", f"sqlite:{tmp_path}/"),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
    )
    assert ran.returncode == 1 and "Error" in ran.stderr
    assert leaks(tmp_path / "nothing", [ran.stdout, ran.stderr]) == {}


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The test above could not fail if the search saw nothing."""
    (tmp_path / "a.csv").write_text(f"x,{NAME}\n", encoding="latin-1")
    (tmp_path / f"{NUMBER}.txt").write_text(f"{NUMBER[:6]} {NUMBER[6:]}")
    (tmp_path / "b.parquet").write_bytes(b"")
    pd.DataFrame({"x": [FREE_TEXT]}).to_parquet(tmp_path / "b.parquet")
    found = leaks(tmp_path, [f"... {LOCAL_ID} ...", f"... {PEOPLE[5]} ...", "nothing"])
    assert found.keys() == {
        "text 0",
        "text 1",
        "a.csv",
        f"{NUMBER}.txt",
        f"name of {NUMBER}.txt",
        "b.parquet",
    }
    assert set.union(*found.values()) == {NAME, NUMBER, FREE_TEXT, LOCAL_ID, PEOPLE[5]} <= set(SECRETS)
    broken = FlowsimError("broken")
    broken.__cause__ = ValueError(NUMBER)
    assert NUMBER in all_that_is_told(broken)
