"""Journals in XES, OCEL 2.0, CSV and Parquet: whole, well-formed, without the truth unless asked for."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flowsim.cli import app
from flowsim.cli_export import events_file
from flowsim.errors import UsageError
from flowsim.exports import ENDING, Format, export, ocel, xes
from flowsim.exports.readable import NO_CASE, TRUTH, TRUTH_EVENTS, message_id
from flowsim.journal import Block, ParquetJournal
from flowsim.vocabulary import Event, Fault, State, Urgency
from tests.journals import CLINIC, Story, pieces, random_story, small_header

XES = "{http://www.xes-standard.org/}"
HAS_PM4PY = importlib.util.find_spec("pm4py") is not None


def stored(path: Path, block: Block) -> Path:
    journal = ParquetJournal(path)
    journal.start(small_header())
    journal.take(block)
    return journal.finish()


def story() -> Block:
    """Two cases side by side, one of them lost and found, and something that is about no case."""
    s = Story()
    s.created(1.0, 7).authored(1.5, 7).delivered(2.0, 7)
    s.created(1.25, 9, Urgency.routine).authored(2.5, 9, state=State.silent, fault=Fault.unwatched)
    s.on(400.0, Event.found, 9, state=State.silent, fault=Fault.unwatched, attempt=1)
    s.on(401.0, Event.vanished, 9, service=CLINIC)
    s.row(3.0, Event.relay_down, 0, service=CLINIC)
    s.row(4.0, Event.defect_began, 0, service=CLINIC)
    return s.block


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return stored(tmp_path / "events.parquet", story())


@pytest.fixture
def large(tmp_path: Path) -> tuple[Path, Block]:
    block = random_story(3, 400)
    return stored(tmp_path / "large.parquet", block), block


def shown(block: Block, cases_only: bool = True) -> Block:
    unwanted = [*TRUTH_EVENTS, *(NO_CASE if cases_only else ())]
    return block[~np.isin(block["event"], unwanted)]


# --- XES ------------------------------------------------------------------------------------------------


def attributes(element: ET.Element) -> dict[str, str]:
    return {child.attrib["key"]: child.attrib["value"] for child in element if "key" in child.attrib}


def check_xes(path: Path) -> list[tuple[dict[str, str], list[dict[str, str]]]]:
    """Read a file of XES and hold it against the standard's schema (IEEE 1849-2016, clause 4).

    The log has version and features; extensions, globals, classifiers and attributes before the traces;
    attributes are of the standard's types and not doubled; each event has what the globals promise; times
    are in order.
    """
    root = ET.parse(path).getroot()
    assert root.tag == f"{XES}log" and root.attrib.keys() == {"xes.version", "xes.features"}
    order = ["extension", "global", "classifier", "string", "trace"]
    places = [order.index(child.tag.removeprefix(XES)) for child in root]
    assert places == sorted(places)
    prefixes = {child.attrib["prefix"] for child in root.iter(f"{XES}extension")}
    traces = []
    for trace in root.iter(f"{XES}trace"):
        events = []
        for element in (trace, *trace.iter(f"{XES}event")):
            own = [child for child in element if child.tag != f"{XES}event"]
            assert {child.tag.removeprefix(XES) for child in own} <= {
                "string",
                "date",
                "int",
                "float",
                "boolean",
            }
            keys = [child.attrib["key"] for child in own]
            assert len(set(keys)) == len(keys) and "concept:name" in keys
            assert {key.partition(":")[0] for key in keys if ":" in key} <= {*prefixes, "truth"}
            if element is not trace:
                events.append(attributes(element))
        moments = [datetime.fromisoformat(event["time:timestamp"]) for event in events]
        assert moments == sorted(moments) and all(moment.tzinfo for moment in moments)
        traces.append((attributes(trace), events))
    return traces


def test_xes_has_a_trace_for_each_case_with_its_events_in_order(journal: Path, tmp_path: Path) -> None:
    traces = check_xes(export(journal, Format.xes, tmp_path / "a.xes"))
    assert [about["concept:name"] for about, _ in traces] == ["7", "9"]
    (about, events), (_, others) = traces
    assert about == {"concept:name": "7", "pathway": "referral", "urgency": "urgent"}
    assert [event["concept:name"] for event in events] == [
        "created",
        "authored",
        "sent",
        "received",
        "listed",
        "taken",
        "done",
    ]
    assert events[1] == {
        "concept:name": "authored",
        "time:timestamp": "2024-01-01T01:30:00.000+01:00",
        "org:resource": "gp",
        "org:group": "gp",
        "message": message_id(7, 256),
        "kind": "referral",
        "step": "refer",
        "peer": "intake",
        "channel": "edi",
        "attempt": "0",
    }
    assert [event["concept:name"] for event in others] == ["created", "authored"]


def test_xes_is_the_same_however_many_piles_it_takes(
    large: tuple[Path, Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, block = large
    once = check_xes(export(path, Format.xes, tmp_path / "a.xes"))
    assert sum(len(events) for _, events in once) == len(shown(block))
    counts = Counter(str(case) for case in shown(block)["case"].tolist())
    assert {about["concept:name"]: len(events) for about, events in once} == counts
    monkeypatch.setattr(xes, "PILE_ROWS", 97)
    again = check_xes(export(path, Format.xes, tmp_path / "b.xes"))
    by_case: Callable[[Any], str] = lambda trace: trace[0]["concept:name"]  # noqa: E731
    assert again != once and sorted(again, key=by_case) == sorted(once, key=by_case)


# --- OCEL 2.0 -------------------------------------------------------------------------------------------


def check_ocel(log: dict[str, Any]) -> None:
    """Hold a log against OCEL 2.0's JSON schema: types declared, ids once, nothing refers to nothing."""
    assert log.keys() == {"objectTypes", "eventTypes", "objects", "events"}
    types: dict[str, dict[str, dict[str, str]]] = {}
    for part in ("objectTypes", "eventTypes"):
        types[part] = {each["name"]: {a["name"]: a["type"] for a in each["attributes"]} for each in log[part]}
        assert len(types[part]) == len(log[part])
    plain = {"string": str, "integer": int, "float": (int, float)}
    known = {each["id"] for each in log["objects"]}
    for part, kinds in (("objects", types["objectTypes"]), ("events", types["eventTypes"])):
        ids = [each["id"] for each in log[part]]
        assert len(set(ids)) == len(ids)
        for each in log[part]:
            for attribute in each["attributes"]:
                assert isinstance(attribute["value"], plain[kinds[each["type"]][attribute["name"]]])  # type: ignore[arg-type]
            assert {related["objectId"] for related in each["relationships"]} <= known
            assert all(related.keys() == {"objectId", "qualifier"} for related in each["relationships"])
            moments = [each["time"]] if part == "events" else [a["time"] for a in each["attributes"]]
            assert all(datetime.fromisoformat(moment).utcoffset() == timedelta(hours=1) for moment in moments)


def xml_as_json(path: Path) -> dict[str, Any]:
    """Return OCEL's XML form as its JSON form has it, numbers as numbers."""
    root = ET.parse(path).getroot()
    assert [child.tag for child in root] == ["object-types", "event-types", "objects", "events"]
    number: dict[str, Callable[[str], Any]] = {"integer": int, "float": float, "string": str}
    log: dict[str, Any] = {}
    types: dict[str, str] = {}
    for name, tag in (("objectTypes", "object-type"), ("eventTypes", "event-type")):
        log[name] = []
        for each in root.iter(tag):
            found = [dict(a.attrib) for a in each.iter("attribute")]
            types |= {a["name"]: a["type"] for a in found}
            log[name].append({"name": each.attrib["name"], "attributes": found})
    for name in ("objects", "events"):
        part = root.find(name)
        assert part is not None
        log[name] = []
        for each in part:
            found = []
            for a in each.iterfind("attributes/attribute"):
                convert = number[types[a.attrib["name"]] if name == "events" else "string"]
                found.append({**a.attrib, "value": convert(a.text or "")})
            related = [
                {"objectId": r.attrib["object-id"], "qualifier": r.attrib["qualifier"]}
                for r in each.iterfind("objects/relationship")
            ]
            log[name].append({**each.attrib, "attributes": found, "relationships": related})
    return log


def test_ocel_has_cases_messages_and_services_as_objects(journal: Path, tmp_path: Path) -> None:
    log = json.loads(export(journal, Format.ocel2, tmp_path / "a.jsonocel").read_text(encoding="utf-8"))
    check_ocel(log)
    kinds = Counter(each["type"] for each in log["objects"])
    assert kinds == {"service": 6, "case": 2, "message": 2}
    message = next(each for each in log["objects"] if each["id"] == f"message:{message_id(7, 256)}")
    assert message["relationships"] == [{"objectId": "case:7", "qualifier": "belongs to"}]
    assert {a["name"]: a["value"] for a in message["attributes"]} == {"kind": "referral", "channel": "edi"}
    authored = next(each for each in log["events"] if each["type"] == "authored")
    assert {(r["objectId"], r["qualifier"]) for r in authored["relationships"]} == {
        ("case:7", "case"),
        (f"message:{message_id(7, 256)}", "message"),
        ("service:gp", "at"),
        ("service:intake", "peer"),
    }
    outage = next(each for each in log["events"] if each["type"] == "relay_down")
    assert outage["relationships"] == [{"objectId": "service:clinic", "qualifier": "at"}]


def test_ocel_is_the_same_in_both_forms_and_for_any_blocks(
    large: tuple[Path, Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, block = large
    first = export(path, Format.ocel2, tmp_path / "a.jsonocel")
    log = json.loads(first.read_text(encoding="utf-8"))
    check_ocel(log)
    assert len(log["events"]) == len(shown(block, cases_only=False))
    messages = {pair for pair in shown(block)[["case", "delivery"]].tolist() if pair[1]}
    assert sum(each["type"] == "message" for each in log["objects"]) == len(messages)
    assert sum(each["type"] == "case" for each in log["objects"]) == len(set(shown(block)["case"].tolist()))
    assert xml_as_json(export(path, Format.ocel2_xml, tmp_path / "a.xmlocel")) == log
    whole = ocel.Journal.blocks

    def cut(self: Any, cases_only: bool = False) -> Any:
        for each in whole(self, cases_only):
            yield from (piece for piece in pieces(each, [5, 70, 71, 400]) if len(piece))

    monkeypatch.setattr(ocel.Journal, "blocks", cut)
    other = json.loads(export(path, Format.ocel2, tmp_path / "b.jsonocel").read_text(encoding="utf-8"))
    by_id: Callable[[Any], str] = lambda each: each["id"]  # noqa: E731
    assert other["events"] == log["events"]
    assert sorted(other["objects"], key=by_id) == sorted(log["objects"], key=by_id)


# --- tables ---------------------------------------------------------------------------------------------


def test_csv_and_parquet_hold_the_same_words(large: tuple[Path, Block], tmp_path: Path) -> None:
    path, block = large
    with export(path, Format.csv, tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    frame = pq.read_table(export(path, Format.parquet, tmp_path / "a.parquet")).to_pylist()
    assert len(lines) == len(frame) == len(shown(block, cases_only=False))
    for line, row in zip(lines, frame, strict=True):
        assert datetime.fromisoformat(line.pop("time")) == row.pop("time")
        assert line == {name: "" if value is None else str(value) for name, value in row.items()}
    zone = timezone(timedelta(hours=1))
    first = pq.read_table(tmp_path / "a.parquet")["time"][0].as_py()
    expected = datetime(2024, 1, 1, tzinfo=zone) + timedelta(hours=float(shown(block)["time"][0]))
    assert abs(first - expected) < timedelta(milliseconds=1)


# --- truth ----------------------------------------------------------------------------------------------

TELLING = ("unwatched", "silent", "vanished", "found", "defect", "intended", "truth")


@pytest.mark.parametrize("form", list(Format))
def test_the_truth_is_left_out_unless_asked_for(form: Format, journal: Path, tmp_path: Path) -> None:
    def texts(path: Path) -> str:
        if form == Format.parquet:
            table = pq.read_table(path)
            return f"{table.schema.names} {table.to_pylist()}"
        return path.read_text(encoding="utf-8")

    without = texts(export(journal, form, tmp_path / f"a{ENDING[form]}"))
    assert [word for word in TELLING if word in without] == []
    with_truth = texts(export(journal, form, tmp_path / f"b{ENDING[form]}", truth=True))
    needed = {"unwatched", "silent", "vanished", "found", "intended"}
    assert needed <= {word for word in TELLING if word in with_truth}


def test_what_a_log_shows_does_not_depend_on_the_truth(tmp_path: Path) -> None:
    block = random_story(5, 100)
    noise = block.copy()
    rng = np.random.default_rng(1)
    for name in TRUTH:
        noise[name] = rng.integers(0, 5, len(block))
    for form in (Format.xes, Format.ocel2, Format.csv):
        plain = export(stored(tmp_path / "a.parquet", block), form, tmp_path / f"a{ENDING[form]}")
        noisy = export(stored(tmp_path / "b.parquet", noise), form, tmp_path / f"b{ENDING[form]}")
        assert plain.read_bytes() == noisy.read_bytes()


# --- files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [form for form in Format if form != Format.parquet])
def test_a_compressed_export_is_the_same_text_and_the_same_bytes(
    form: Format, journal: Path, tmp_path: Path
) -> None:
    plain = export(journal, form, tmp_path / f"a{ENDING[form]}")
    packed = export(journal, form, tmp_path / f"a{ENDING[form]}.gz")
    again = export(journal, form, tmp_path / f"b{ENDING[form]}.gz")
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.read_bytes() == again.read_bytes()


def test_nothing_is_overwritten_and_nothing_half_is_left(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = export(journal, Format.csv, tmp_path / "out" / "a.csv")
    with pytest.raises(UsageError, match="there already"):
        export(journal, Format.csv, target)
    with pytest.raises(UsageError, match="compressed as it is"):
        export(journal, Format.parquet, tmp_path / "a.parquet.gz")
    monkeypatch.setattr(xes, "_write_traces", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(journal, Format.xes, tmp_path / "out" / "b.xes")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.csv"]


def test_an_empty_journal_gives_empty_logs(tmp_path: Path) -> None:
    path = stored(tmp_path / "events.parquet", story()[:0])
    assert check_xes(export(path, Format.xes, tmp_path / "a.xes")) == []
    log = json.loads(export(path, Format.ocel2, tmp_path / "a.jsonocel").read_text(encoding="utf-8"))
    check_ocel(log)
    assert log["events"] == []


def test_what_is_no_journal_is_told(tmp_path: Path, large: tuple[Path, Block]) -> None:
    with pytest.raises(UsageError, match="no file"):
        export(tmp_path / "none.parquet", Format.xes, tmp_path / "a.xes")
    (tmp_path / "text").write_text("text")
    with pytest.raises(UsageError, match="holds no journal"):
        export(tmp_path / "text", Format.xes, tmp_path / "a.xes")
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(large[0].read_bytes()[:-100])
    with pytest.raises(UsageError, match="holds no journal"):
        export(cut, Format.xes, tmp_path / "a.xes")


# --- command line ---------------------------------------------------------------------------------------


def folder_with(tmp_path: Path, *jobs: tuple[str, int, bool]) -> Path:
    out = tmp_path / "out"
    for number, (label, replication, kept) in enumerate(jobs):
        run = out / "runs" / f"{number:03}"
        run.mkdir(parents=True)
        job = {"kind": "scenario", "label": label, "replication": replication}
        (run / "run_info.json").write_text(json.dumps({"job": job}))
        if kept:
            stored(run / "events.parquet", story())
    return out


def test_the_journal_of_a_folder_is_found_or_it_says_how_to_keep_one(tmp_path: Path) -> None:
    out = folder_with(tmp_path, ("base", 1, True), ("base", 2, True), ("all join", 1, False))
    assert events_file(out, "base", 2).parent.name == "001"
    assert events_file(out / "runs" / "000") == events_file(out / "runs" / "000" / "events.parquet")
    for asked, said in (
        ((None, 1), "several scenarios.*'base'|several scenarios"),
        (("bas", 1), "Did you mean 'base'"),
        (("base", 3), "no replication 3"),
        (("all join", 1), "keep: events"),
    ):
        with pytest.raises(UsageError, match=said):
            events_file(out, *asked)
    with pytest.raises(UsageError, match="no output folder"):
        events_file(tmp_path / "out" / "runs")
    with pytest.raises(UsageError, match="no file or folder"):
        events_file(tmp_path / "nowhere")


def test_the_command_writes_a_file_and_says_where(tmp_path: Path) -> None:
    out = folder_with(tmp_path, ("base", 1, True))
    target = tmp_path / "log.xes"
    ran = CliRunner().invoke(app, ["export", str(out), "-o", str(target)])
    assert ran.exit_code == 0 and ran.stdout.strip() == str(target)
    assert len(check_xes(target)) == 2
    ran = CliRunner().invoke(app, ["export", str(out), "--format", "xls"])
    assert isinstance(ran.exception, UsageError) and "Did you mean 'xes'" in str(ran.exception)
    ran = CliRunner().invoke(app, ["export", str(out), "-f", "csv", "-o", str(tmp_path / "t.csv"), "--truth"])
    assert ran.exit_code == 0 and "unwatched" in (tmp_path / "t.csv").read_text()


# --- pm4py ----------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")  # it warns of its own optional parts
@pytest.mark.skipif(not HAS_PM4PY, reason="pm4py is not installed (pip install 'flowsim[xes]')")
def test_pm4py_opens_what_is_written(large: tuple[Path, Block], tmp_path: Path) -> None:
    import pm4py

    path, block = large
    frame = pm4py.read_xes(str(export(path, Format.xes, tmp_path / "a.xes")), return_legacy_log_object=False)
    assert len(frame) == len(shown(block))
    assert set(frame["concept:name"]) == {Event(code).name for code in shown(block)["event"].tolist()}
    for form, read in (
        (Format.ocel2, pm4py.read_ocel2_json),
        (Format.ocel2_xml, pm4py.read_ocel2_xml),
    ):
        log = read(str(export(path, form, tmp_path / f"a{ENDING[form]}")))
        assert len(log.events) == len(shown(block, cases_only=False))
        assert set(log.objects["ocel:type"]) == {"case", "message", "service"}
