"""OCEL 2.0 (Berti et al. 2023) in JSON and XML: events about cases, messages and services.

The file is read twice: once for the objects, once for the events, so that neither need be held. Objects
stand before events, as a reader that goes through the file once wants them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, TextIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from flowsim.exports.readable import TRUTH, TRUTH_EVENTS, Journal, text_file, times
from flowsim.journal import Block
from flowsim.vocabulary import Event, Party, message_keys

#: Attributes of each type of object; all are text.
_OBJECT_TYPES: Final = {
    "case": ("pathway", "urgency"),
    "message": ("kind", "channel"),
    "service": ("label", "service_kind", "organisation", "party"),
}
#: Attributes of events, with their types.
_EVENT_ATTRIBUTES: Final = {
    "step": "string",
    "attempt": "integer",
    "list_length": "integer",
    "hours": "float",
}
#: Ids of types of object are kept apart.
_CASE, _SERVICE, _MESSAGE = "case:", "service:", "message:"


@dataclass(frozen=True)
class Record:
    """An object or an event: attributes, and the objects that it is about, with how."""

    id: str
    type: str
    time: str
    attributes: Mapping[str, Any]
    related: Sequence[tuple[str, str]]


def write_ocel_json(journal: Journal, path: Path) -> None:
    """Write OCEL 2.0 in JSON: types, then objects, then events."""
    with text_file(path) as file:
        file.write('{"objectTypes":')
        types = [
            {"name": name, "attributes": [{"name": each, "type": "string"} for each in attributes]}
            for name, attributes in _OBJECT_TYPES.items()
        ]
        file.write(f'{_json(types)},\n"eventTypes":')
        kinds = _event_attributes(journal)
        attributes = [{"name": name, "type": kind} for name, kind in kinds.items()]
        file.write(_json([{"name": name, "attributes": attributes} for name in _event_types(journal)]))
        file.write(',\n"objects":[')
        _write_items(file, (_json_object(each) for each in _objects(journal)))
        file.write('],\n"events":[')
        _write_items(file, (_json_event(each) for each in _events(journal)))
        file.write("]}\n")


def _write_items(file: TextIO, items: Iterable[dict[str, Any]]) -> None:
    between = "\n"
    for item in items:
        file.write(between + _json(item))
        between = ",\n"


def _json(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))


def _json_object(record: Record) -> dict[str, Any]:
    attributes = [
        {"name": name, "time": record.time, "value": value} for name, value in record.attributes.items()
    ]
    return {
        "id": record.id,
        "type": record.type,
        "attributes": attributes,
        "relationships": _json_related(record),
    }


def _json_event(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "type": record.type,
        "time": record.time,
        "attributes": [{"name": name, "value": value} for name, value in record.attributes.items()],
        "relationships": _json_related(record),
    }


def _json_related(record: Record) -> list[dict[str, str]]:
    return [{"objectId": identifier, "qualifier": how} for identifier, how in record.related]


def write_ocel_xml(journal: Journal, path: Path) -> None:
    """Write OCEL 2.0 in XML: types, then objects, then events."""
    with text_file(path) as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<log>\n<object-types>\n')
        for name, attributes in _OBJECT_TYPES.items():
            file.write(_xml_type("object-type", name, dict.fromkeys(attributes, "string")))
        file.write("</object-types>\n<event-types>\n")
        for name in _event_types(journal):
            file.write(_xml_type("event-type", name, _event_attributes(journal)))
        file.write("</event-types>\n<objects>\n")
        for record in _objects(journal):
            file.write(f"<object id={quoteattr(record.id)} type={quoteattr(record.type)}>")
            file.write(f"{_xml_parts(record, f' time={quoteattr(record.time)}')}</object>\n")
        file.write("</objects>\n<events>\n")
        for record in _events(journal):
            file.write(f"<event id={quoteattr(record.id)} type={quoteattr(record.type)}")
            file.write(f" time={quoteattr(record.time)}>{_xml_parts(record, '')}</event>\n")
        file.write("</events>\n</log>\n")


def _xml_type(tag: str, name: str, attributes: Mapping[str, str]) -> str:
    inner = "".join(f'<attribute name="{each}" type="{kind}"/>' for each, kind in attributes.items())
    return f"<{tag} name={quoteattr(name)}><attributes>{inner}</attributes></{tag}>\n"


def _xml_parts(record: Record, time: str) -> str:
    attributes = "".join(
        f"<attribute name={quoteattr(name)}{time}>{escape(str(value))}</attribute>"
        for name, value in record.attributes.items()
    )
    related = "".join(
        f"<relationship object-id={quoteattr(identifier)} qualifier={quoteattr(how)}/>"
        for identifier, how in record.related
    )
    return f"<attributes>{attributes}</attributes><objects>{related}</objects>"


def _event_types(journal: Journal) -> list[str]:
    return [event.name for event in Event if journal.truth or event not in TRUTH_EVENTS]


def _event_attributes(journal: Journal) -> dict[str, str]:
    return _EVENT_ATTRIBUTES | (dict.fromkeys(TRUTH, "string") if journal.truth else {})


def _objects(journal: Journal) -> Iterator[Record]:
    """Yield services, then cases and messages as the journal comes to them."""
    (start,) = times(journal.header, np.zeros(1))
    for service in journal.header.services:
        about = {
            "label": service.label,
            "service_kind": service.kind,
            "organisation": service.organisation,
            "party": Party(service.party).name,
        }
        yield Record(_SERVICE + service.id, "service", start, about, ())
    cases = messages = np.empty(0, np.int64)
    for block in journal.blocks(cases_only=True):
        rows, cases = _new(message_keys(block["case"], np.zeros(len(block))), cases)
        for row in _rows(journal, block[rows]):
            about = {"pathway": row["pathway"], "urgency": row["urgency"]}
            yield Record(_CASE + row["case"], "case", row["time"], about, ())
        sent = block[block["delivery"] != 0]
        rows, messages = _new(message_keys(sent["case"], sent["delivery"]), messages)
        for row in _rows(journal, sent[rows]):
            about = {name: row[name] for name in ("kind", "channel") if row[name] is not None}
            related = [(_CASE + row["case"], "belongs to")]
            yield Record(_MESSAGE + row["message"], "message", row["time"], about, related)


def _new(keys: np.ndarray[Any, Any], known: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """Return the rows in which a key comes up for the first time, and all keys known now, sorted.

    Keys of 63 bits take eight bytes each, where ids as text would fill the memory.
    """
    values, first = np.unique(keys, return_index=True)
    place = np.searchsorted(known, values)
    fresh = np.ones(len(values), bool)
    inside = place < len(known)
    fresh[inside] = known[place[inside]] != values[inside]
    return np.sort(first[fresh]), np.insert(known, place[fresh], values[fresh])


def _rows(journal: Journal, block: Block) -> Iterator[dict[str, Any]]:
    columns = journal.words(block)
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _events(journal: Journal) -> Iterator[Record]:
    attributes = list(_event_attributes(journal))
    rows = chain.from_iterable(_rows(journal, block) for block in journal.blocks())
    for number, row in enumerate(rows, start=1):
        about = {name: row[name] for name in attributes if row[name] is not None}
        yield Record(f"e{number}", row["event"], row["time"], about, _related(row))


def _related(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if row["case"] is not None:
        found.append((_CASE + row["case"], "case"))
    if row["message"] is not None:
        found.append((_MESSAGE + row["message"], "message"))
    if row["service"] is not None:
        found.append((_SERVICE + row["service"], "at"))
    if row["peer"] is not None and row["peer"] != row["service"]:
        found.append((_SERVICE + row["peer"], "peer"))
    return found
