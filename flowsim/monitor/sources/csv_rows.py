"""CSV, row by row: a row that is broken is told and left out, and the next line begins anew."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import FIELD_MAX, PIECE_ROWS, Piece, piece_of
from flowsim.monitor.sources.streams import SafeStream

#: A quote that is never closed would swallow the rest of the file; text in a log has fewer lines.
ROW_LINES_MAX: Final = 200

BROKEN_QUOTES: Final = "a row with quotes that do not match, left out"
WRONG_COUNT: Final = "a row with more or fewer fields than the head, left out"
LONG_FIELD: Final = f"a row with a field longer than {FIELD_MAX >> 10} kB, left out"
NOT_TEXT: Final = "a row with bytes that are no text in this encoding"
NO_HEAD: Final = "has no head line"


class _TooLong(Exception):
    """A row goes on for too many lines."""


class CsvRows:
    """Reads a CSV file as a stream; when it grows, ``pieces`` can be called again and goes on."""

    def __init__(
        self, stream: SafeStream, notes: Notes, delimiter: str = ",", encoding: str = "utf-8"
    ) -> None:
        """Take an open stream; the first line that is not empty is the head."""
        self._stream, self._notes = stream, notes
        self._delimiter = delimiter
        self._encoding = "utf-8-sig" if encoding.lower().replace("_", "-") == "utf-8" else encoding
        self._again: deque[tuple[int, bytes]] = deque()
        self._used: list[tuple[int, bytes]] = []
        self._source = stream.lines()
        self.head: list[str] | None = None

    def pieces(self, size: int = PIECE_ROWS) -> Iterator[Piece]:
        """Yield the rows up to the (present) end, ``size`` at a time."""
        self._source = self._stream.lines()
        numbers: list[int] = []
        records: list[Sequence[str]] = []
        for number, record in self._records():
            if self.head is None:
                self.head = _distinct(record)
                continue
            if len(record) != len(self.head):
                self._notes.add(WRONG_COUNT, self._stream.name, number)
                continue
            if any(len(value) > FIELD_MAX for value in record):
                self._notes.add(LONG_FIELD, self._stream.name, number)
                continue
            numbers.append(number)
            records.append(record)
            if len(records) >= size:
                yield self._piece(numbers, records)
                numbers, records = [], []
        if records:
            yield self._piece(numbers, records)

    def _piece(self, numbers: list[int], records: list[Sequence[str]]) -> Piece:
        assert self.head is not None
        columns = [[value or None for value in column] for column in zip(*records, strict=True)]
        return piece_of(self._stream.name, numbers, dict(zip(self.head, columns, strict=True)))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number and the fields of each row that can be read."""
        reader = self._reader()
        while True:
            self._used.clear()
            try:
                record = next(reader, None)
            except (csv.Error, _TooLong):
                if self._waits_for_more():
                    return
                self._give_up_row()
                reader = self._reader()
                continue
            if record is None:
                return
            if not record:  # an empty line
                continue
            if any("\ufffd" in value for value in record):
                self._notes.add(NOT_TEXT, self._stream.name, self._used[0][0])
            yield self._used[0][0], record

    def _reader(self) -> Iterator[list[str]]:
        csv.field_size_limit(FIELD_MAX * ROW_LINES_MAX)
        return csv.reader(self._lines(), delimiter=self._delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        while True:
            if self._again:
                line = self._again.popleft()
            else:
                following = next(self._source, None)
                if following is None:
                    return
                line = following
            self._used.append(line)
            if len(self._used) > ROW_LINES_MAX:
                raise _TooLong
            encoding = self._encoding if line[0] == 1 else self._encoding.removesuffix("-sig")
            yield line[1].decode(encoding, "replace").replace("\0", "\ufffd") + "\n"

    def _waits_for_more(self) -> bool:
        """Return whether the file ends inside a row that is still being written; keep its lines then."""
        if not self._stream.follow or self._again or len(self._used) > ROW_LINES_MAX:
            return False
        following = next(self._source, None)
        if following is not None:
            self._again.append(following)
            return False
        self._again.extend(self._used)
        return True

    def _give_up_row(self) -> None:
        """Note that the row cannot be read, and read on in the line after the one where it began."""
        first, *others = self._used or [(0, b"")]
        self._notes.add(BROKEN_QUOTES, self._stream.name, first[0])
        self._again.extendleft(reversed(others))

    def finish(self) -> None:
        """Note what is wrong with the file as a whole, once it is read."""
        if self.head is None:
            self._notes.end_early(NO_HEAD, self._stream.name)


def _distinct(head: Sequence[str]) -> list[str]:
    """Return names of columns without blanks around them, each once."""
    found: list[str] = []
    for place, given in enumerate(head, start=1):
        name = given.strip() or f"column {place}"
        found.append(name if name not in found else f"{name} ({place})")
    return found
