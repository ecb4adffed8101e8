"""XES (IEEE 1849): one row an event, with its own attributes and, as ``case:…``, those of its trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import PIECE_ROWS, Gatherer, Piece
from flowsim.monitor.sources.streams import SafeStream
from flowsim.monitor.sources.xml_events import tags

NO_EVENTS: Final = "holds no event of XES"
_ATTRIBUTES: Final = {"string", "date", "int", "float", "boolean", "id"}


class XesRows:
    """Reads the events of an XES file as a stream. Attributes of attributes are passed over."""

    def __init__(self, stream: SafeStream, notes: Notes) -> None:
        """Take an open stream."""
        self._stream, self._notes = stream, notes

    def pieces(self, size: int = PIECE_ROWS) -> Iterator[Piece]:
        """Yield the events, ``size`` at a time; rows are the numbers of events in the file.

        An attribute of a trace counts for the events that stand after it; the standard puts it first.
        """
        gatherer = Gatherer(self._stream.name, size)
        trace: dict[str, str | None] = {}
        event: dict[str, str | None] = {}
        within: list[str] = []
        count = 0
        for tag in tags(self._stream, self._notes):
            if tag.begins:
                if tag.name in ("trace", "event"):
                    (trace if tag.name == "trace" else event).clear()
                elif tag.name in _ATTRIBUTES and within and within[-1] in ("trace", "event"):
                    key, value = tag.attributes.get("key", ""), tag.attributes.get("value") or None
                    if within[-1] == "trace":
                        trace[f"case:{key}"] = value
                    else:
                        event[key] = value
                within.append(tag.name)
                continue
            within.pop()
            if tag.name == "event":
                count += 1
                yield from gatherer.add(count, {**trace, **event})
        yield from gatherer.last(self._notes)
        if not count:
            self._notes.end_early(NO_EVENTS, self._stream.name)

    def finish(self) -> None:
        """Nothing is wrong beyond what was noted."""
