"""HL7 version 2 messages in a file (ER7, the form with bars): one row a message.

Columns are named as HL7 names fields: ``MSH-10``, ``MSA-1``, and ``MSH-4.1`` for a component. Of a segment
that stands several times the first counts, and so does the first repetition of a field. Segments end with a
carriage return or a line feed; the marks of MLLP are passed over. Text before ``MSH`` in a line, such as the
time that an engine's log puts there, is the column ``before``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowsim.monitor.sources.json_rows import LONG_FIELD
from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import COLUMNS_MAX, FIELD_MAX, PIECE_ROWS, Gatherer, Piece
from flowsim.monitor.sources.streams import SafeStream

_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{2}")
_HEAD: Final = re.compile(r"MSH(?=[^A-Za-z0-9\s])")
NO_SEGMENT: Final = "a line that is no segment of HL7, left out"
NO_MESSAGE: Final = "holds no message of HL7 version 2"

Record = dict[str, str | None]


class Hl7Rows:
    """Reads messages as a stream; when the file grows, ``pieces`` can be called again and goes on."""

    def __init__(self, stream: SafeStream, notes: Notes, encoding: str = "utf-8") -> None:
        """Take an open stream."""
        self._stream, self._notes, self._encoding = stream, notes, encoding
        self._record: Record | None = None
        self._row = 0
        self._field, self._component = "|", "^"
        self._count = 0

    def pieces(self, size: int = PIECE_ROWS) -> Iterator[Piece]:
        """Yield the messages up to the (present) end; rows are the lines in which they begin.

        The last message of a file that is followed may still grow, and is kept for later.
        """
        gatherer = Gatherer(self._stream.name, size)
        for number, line in self._stream.lines():
            for segment in re.split(r"[\r\x0b\x1c]", line.decode(self._encoding, "replace")):
                if not segment.strip():
                    continue
                head = _HEAD.search(segment)
                if head is not None:
                    yield from self._whole(gatherer)
                    self._begin(number, segment, head.start())
                elif self._record is None or not _SEGMENT.match(segment):
                    self._notes.add(NO_SEGMENT, self._stream.name, number)
                else:
                    self._take(segment)
        if not self._stream.follow:
            yield from self._whole(gatherer)
        yield from gatherer.last(self._notes)

    def finish(self) -> None:
        """Note what is wrong with the file as a whole, once it is read."""
        if not self._count:
            self._notes.end_early(NO_MESSAGE, self._stream.name)

    def _whole(self, gatherer: Gatherer) -> Iterator[Piece]:
        if self._record is not None:
            self._count += 1
            yield from gatherer.add(self._row, self._record)
            self._record = None

    def _begin(self, number: int, segment: str, start: int) -> None:
        before = segment[:start].strip().strip("|;,").strip()
        self._record, self._row = {"before": before or None}, number
        segment = segment[start:]
        self._field, self._component = segment[3], (segment[4:5] or "^")
        # MSH-1 is the mark between fields itself.
        self._take(f"MSH{self._field}{self._field}" + segment[4:], first=1)

    def _take(self, segment: str, first: int = 0) -> None:
        assert self._record is not None
        name, *fields = segment.split(self._field)
        if f"{name}-1" in self._record or len(self._record) > COLUMNS_MAX:
            return
        if first:
            fields[0] = self._field
        for place, field in enumerate(fields[:COLUMNS_MAX], start=1):
            if len(field) > FIELD_MAX:
                self._notes.add(LONG_FIELD, self._stream.name, self._row)
                field = ""  # noqa: PLW2901
            value = field if name == "MSH" and place <= 2 else field.split("~", 1)[0]
            self._record[f"{name}-{place}"] = value or None
            if self._component in value and not (name == "MSH" and place <= 2):
                for number, part in enumerate(value.split(self._component)[:50], start=1):
                    self._record[f"{name}-{place}.{number}"] = part or None
