"""JSON lines, row by row; nested objects become columns with dotted names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import COLUMNS_MAX, FIELD_MAX, MANY_FIELDS, PIECE_ROWS, Gatherer, Piece
from flowsim.monitor.sources.streams import SafeStream

NOT_JSON: Final = "a row that is no JSON object, left out"
LONG_FIELD: Final = f"a field longer than {FIELD_MAX >> 10} kB, taken as empty"
DEPTH_MAX: Final = 20


class JsonRows:
    """Reads JSON lines as a stream; when the file grows, ``pieces`` can be called again and goes on."""

    def __init__(self, stream: SafeStream, notes: Notes) -> None:
        """Take an open stream."""
        self._stream, self._notes = stream, notes
        self._told = False

    def pieces(self, size: int = PIECE_ROWS) -> Iterator[Piece]:
        """Yield the rows up to the (present) end, ``size`` at a time."""
        gatherer = Gatherer(self._stream.name, size)
        for number, line in self._stream.lines():
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                record = json.loads(text)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict):
                self._notes.add(NOT_JSON, self._stream.name, number)
                continue
            flat, long = flattened(record)
            if long:
                self._notes.add(LONG_FIELD, self._stream.name, number)
            yield from gatherer.add(number, flat)
        yield from gatherer.rest()
        if gatherer.too_many_columns and not self._told:
            self._told = True
            self._notes.add(MANY_FIELDS, self._stream.name)

    def finish(self) -> None:
        """Nothing is wrong with a file of JSON lines as a whole."""


def flattened(record: Mapping[str, Any]) -> tuple[dict[str, str | None], bool]:
    """Return a nested object as text by dotted name, and whether a value was too long to be kept.

    >>> flattened({"a": 1, "b": {"c": [True, "x"]}})
    ({'a': '1', 'b.c.0': 'true', 'b.c.1': 'x'}, False)
    """
    flat: dict[str, str | None] = {}
    long = _flatten(record, "", flat, DEPTH_MAX)
    return flat, long


def _flatten(value: Any, name: str, flat: dict[str, str | None], depth: int) -> bool:
    if len(flat) >= COLUMNS_MAX or depth < 0:
        return True
    if isinstance(value, dict):
        parts: list[tuple[str, Any]] = list(value.items())
    elif isinstance(value, list):
        parts = [(str(place), each) for place, each in enumerate(value[:COLUMNS_MAX])]
    else:
        text = text_of(value)
        long = text is not None and len(text) > FIELD_MAX
        flat[name] = None if long else text
        return long
    long = False
    for key, each in parts:
        long |= _flatten(each, f"{name}.{key}" if name else key, flat, depth - 1)
    return long


def text_of(value: Any) -> str | None:
    """Return a plain value of JSON as text; None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
