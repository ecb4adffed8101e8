"""A message in XML (AppRec, ebXML, …) as a row: a column for each path to a text or an attribute.

``AppRec/OriginalMsgId/Id`` is the text of an element, ``AppRec/Status@V`` an attribute, ``@root`` the name of
the outermost element. Namespaces are left out of names. Of what stands several times in a row the first
counts, unless the mapping names the element that repeats: then each of it is a row of its own, with all that
stands outside of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import COLUMNS_MAX, MANY_FIELDS, PIECE_ROWS, Gatherer, Piece
from flowsim.monitor.sources.streams import SafeStream
from flowsim.monitor.sources.xml_events import tags

#: More rows one message does not have.
ROWS_MAX: Final = 100_000
MANY_ROWS: Final = f"more than {ROWS_MAX} rows in one message; those that came later are left out"

Row = dict[str, str | None]


class XmlRows:
    """Reads a file that holds one message; ``repeats`` is the path of an element that stands many times."""

    def __init__(self, stream: SafeStream, notes: Notes, repeats: str = "") -> None:
        """Take an open stream."""
        self._stream, self._notes, self._repeats = stream, notes, repeats
        self._crowded = False

    def pieces(self, size: int = PIECE_ROWS) -> Iterator[Piece]:
        """Yield the rows of the message; a message that cannot be read to its end gives none."""
        outer, inner, whole = self._read()
        gatherer = Gatherer(self._stream.name, size)
        if whole:
            for number, row in enumerate(inner if self._repeats else [{}], start=1):
                yield from gatherer.add(number, {**row, **outer})
            yield from gatherer.rest()
        if self._crowded or gatherer.too_many_columns:
            self._notes.add(MANY_FIELDS, self._stream.name)

    def finish(self) -> None:
        """Nothing is wrong beyond what was noted."""

    def _read(self) -> tuple[Row, list[Row], bool]:
        """Return what stands outside of the repeated element, each of those, and whether all was read."""
        outer: Row = {}
        inner: list[Row] = []
        path: list[str] = []
        row, whole = outer, False
        for tag in tags(self._stream, self._notes):
            if tag.begins:
                path.append(tag.name)
                here = "/".join(path)
                if len(path) == 1:
                    outer["@root"] = tag.name
                if here == self._repeats and len(inner) < ROWS_MAX:
                    row = {}
                    inner.append(row)
                elif here == self._repeats:
                    self._notes.add(MANY_ROWS, self._stream.name)
                    row = {}
                for name, value in tag.attributes.items():
                    self._keep(row, f"{here}@{name}", value)
                continue
            here = "/".join(path)
            if tag.text is not None:
                self._keep(row, here, tag.text)
            if here == self._repeats:
                row = outer
            path.pop()
            whole = not path
        return outer, inner, whole

    def _keep(self, row: Row, name: str, value: str) -> None:
        if name in row:
            return
        if len(row) >= COLUMNS_MAX:
            self._crowded = True
        else:
            row[name] = value
