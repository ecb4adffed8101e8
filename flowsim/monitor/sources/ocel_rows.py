"""OCEL 2.0 in JSON and XML: one row an event, in one pass.

Columns: ``ocel_id``, ``ocel_type``, ``ocel_time``, the event's attributes, ``qualifier:<q>`` with the first
object of each qualifier, and ``object:<type>`` with the first object of each type. An object's type is known
only where the file lists its objects before its events, as the standard's own examples do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flowsim.monitor.sources.json_rows import text_of
from flowsim.monitor.sources.json_stream import items
from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import FIELD_MAX, PIECE_ROWS, Gatherer, Piece
from flowsim.monitor.sources.streams import SafeStream
from flowsim.monitor.sources.xml_events import Tag, tags

#: Types of more objects than this are not remembered.
OBJECTS_MAX: Final = 5_000_000

NO_EVENTS: Final = "holds no event of OCEL 2.0"
NO_EVENT: Final = "an event that is not as OCEL 2.0 has it, left out"
LATE_OBJECTS: Final = "lists objects after its events, so that no columns object:… are known"
MANY_OBJECTS: Final = f"lists more than {OBJECTS_MAX} objects; types of those that came later are not known"

Record = dict[str, str | None]


class OcelRows:
    """Reads the events of an OCEL 2.0 file as a stream; rows are the numbers of events in the file."""

    def __init__(self, stream: SafeStream, notes: Notes, xml: bool) -> None:
        """Take an open stream, and whether it is the XML form."""
        self._stream, self._notes, self._xml = stream, notes, xml
        self._types: dict[int, str] = {}

    def pieces(self, size: int = PIECE_ROWS) -> Iterator[Piece]:
        """Yield the events, ``size`` at a time."""
        gatherer = Gatherer(self._stream.name, size)
        count = 0
        for record in self._from_xml() if self._xml else self._from_json():
            count += 1
            if record is None:
                self._notes.add(NO_EVENT, self._stream.name, count)
            else:
                yield from gatherer.add(count, record)
        yield from gatherer.last(self._notes)
        if not count:
            self._notes.end_early(NO_EVENTS, self._stream.name)

    def finish(self) -> None:
        """Nothing is wrong beyond what was noted."""

    def _from_json(self) -> Iterator[Record | None]:
        events = False
        for key, item in items(self._stream, self._notes):
            if key == "objects" and isinstance(item, dict):
                self._object(str(item.get("id", "")), str(item.get("type", "")), events)
            elif key == "events":
                events = True
                yield self._json_event(item)

    def _json_event(self, item: Any) -> Record | None:
        try:
            record: Record = {
                "ocel_id": text_of(item["id"]),
                "ocel_type": text_of(item["type"]),
                "ocel_time": text_of(item["time"]),
            }
            for each in item.get("attributes") or ():
                record[str(each["name"])] = text_of(each["value"])
            related = [
                (str(each["objectId"]), str(each.get("qualifier") or ""))
                for each in item.get("relationships") or ()
            ]
        except (KeyError, TypeError, AttributeError):
            return None
        return self._whole(record, related)

    def _from_xml(self) -> Iterator[Record | None]:
        record: Record = {}
        related: list[tuple[str, str]] = []
        name, events = "", False
        within: list[str] = []
        for tag in tags(self._stream, self._notes):
            if not tag.begins:
                within.pop()
                if tag.name == "attribute" and "events" in within:
                    record[name] = tag.text
                elif tag.name == "event" and within[-1:] == ["events"]:
                    yield self._whole(record, related) if record["ocel_id"] else None
                continue
            if tag.name == "event" and within[-1:] == ["events"]:
                record, related, events = _event_of(tag), [], True
            elif tag.name == "object" and within[-1:] == ["objects"] and "events" not in within:
                self._object(tag.attributes.get("id", ""), tag.attributes.get("type", ""), events)
            elif tag.name in ("relationship", "object") and "events" in within:
                identifier = tag.attributes.get("object-id", "")
                related.append((identifier, tag.attributes.get("qualifier", "")))
            name = tag.attributes.get("name", "") if tag.name == "attribute" else name
            within.append(tag.name)

    def _object(self, identifier: str, kind: str, late: bool) -> None:
        if late:
            if not self._types and not self._notes.count(LATE_OBJECTS):
                self._notes.add(LATE_OBJECTS, self._stream.name)
        elif len(self._types) < OBJECTS_MAX:
            self._types[hash(identifier)] = sys.intern(kind)
        elif not self._notes.count(MANY_OBJECTS):
            self._notes.add(MANY_OBJECTS, self._stream.name)

    def _whole(self, record: Record, related: Iterable[tuple[str, str]]) -> Record:
        for identifier, qualifier in related:
            kind = self._types.get(hash(identifier))
            if kind:
                record.setdefault(f"object:{kind}", identifier)
            if qualifier:
                record.setdefault(f"qualifier:{qualifier}", identifier)
        return {key: None if value and len(value) > FIELD_MAX else value for key, value in record.items()}


def _event_of(tag: Tag) -> Record:
    return {f"ocel_{name}": tag.attributes.get(name) or None for name in ("id", "type", "time")}
