"""XML read as a stream, safely: no DTD, so no entities and nothing from elsewhere; sizes are bounded.

The standard library's expat does the reading. A file that breaks a bound, is broken or is cut off is noted,
and what was read before stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat  # expat itself; every DTD is refused below

from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import FIELD_MAX
from flowsim.monitor.sources.streams import SafeStream

DEPTH_MAX: Final = 100
#: expat keeps a tag whole until it ends.
TAG_MAX: Final = 1 << 20

HAS_DTD: Final = "has a DTD, in which entities may hide; it is not read"
TOO_DEEP: Final = f"has elements within elements more than {DEPTH_MAX} deep; it is not read further"
LONG_TAG: Final = f"has a tag longer than {TAG_MAX >> 20} MB; it is not read further"
LONG_TEXT: Final = f"a text longer than {FIELD_MAX >> 10} kB, taken as empty"
CUT_OFF: Final = "is cut off: the XML ends too early"
NO_XML: Final = "is no well-formed XML from this line on"
EMPTY: Final = "is empty"


@dataclass(frozen=True)
class Tag:
    """An element that begins (``attributes`` set) or ends (``text`` set); ``depth`` counts from 1."""

    begins: bool
    depth: int
    name: str
    attributes: dict[str, str]
    text: str | None


class _RefusedError(Exception):
    """A bound was broken; its text says which."""


class _Handler:
    """Turns expat's calls into tags; names are without their namespace."""

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.long_texts = 0
        self._open: list[tuple[str, list[str], int]] = []
        self.parser: Any = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype
        self.parser.ExternalEntityRefHandler = self._doctype

    @staticmethod
    def _doctype(*_: object) -> int:
        raise _RefusedError(HAS_DTD)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEPTH_MAX:
            raise _RefusedError(TOO_DEEP)
        local = _local(name)
        self._open.append((local, [], 0))
        kept = {}
        for key, value in attributes.items():
            if len(value) > FIELD_MAX:
                self.long_texts += 1
            else:
                kept[_local(key)] = value
        self.tags.append(Tag(True, len(self._open), local, kept, None))

    def _text(self, text: str) -> None:
        name, parts, length = self._open[-1]
        if length <= FIELD_MAX:
            parts.append(text)
            self._open[-1] = (name, parts, length + len(text))

    def _end(self, _: str) -> None:
        depth = len(self._open)
        name, parts, length = self._open.pop()
        text = "".join(parts).strip() if length <= FIELD_MAX else None
        self.long_texts += text is None
        self.tags.append(Tag(False, depth, name, {}, text or None))


def tags(stream: SafeStream, notes: Notes) -> Iterator[Tag]:
    """Yield the elements of a file as they begin and end; stops at what is refused, and notes it."""
    handler = _Handler()
    fed = 0
    while True:
        data = stream.read()
        try:
            handler.parser.Parse(data, not data)
        except _RefusedError as refused:
            yield from handler.tags
            notes.end_early(str(refused), stream.name)
            return
        except expat.ExpatError as error:
            yield from handler.tags
            if not stream.ended:  # that it is cut off was said already
                what = EMPTY if not fed and not data else NO_XML if data else CUT_OFF
                notes.end_early(what, stream.name, error.lineno)
            return
        yield from handler.tags
        handler.tags = []
        fed += len(data)
        for _ in range(handler.long_texts):
            notes.add(LONG_TEXT, stream.name, handler.parser.CurrentLineNumber)
        handler.long_texts = 0
        if not data:
            return
        if fed - handler.parser.CurrentByteIndex > TAG_MAX + len(data):
            notes.end_early(LONG_TAG, stream.name)
            return


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
