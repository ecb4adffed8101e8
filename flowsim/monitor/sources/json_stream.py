"""One large JSON document as a stream: the items of its top-level lists, one by one."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, Final

from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.streams import SafeStream

#: A longer item is no event or object of a log.
ITEM_MAX: Final = 1 << 22
_BLANK: Final = " \t\r\n"

NOT_JSON: Final = "is no JSON object of lists"
BROKEN: Final = "is no JSON from here on, or is cut off"
LONG_ITEM: Final = f"has an item longer than {ITEM_MAX >> 20} MB; it is not read further"


class _BrokenError(Exception):
    """The document cannot be read further; its text says why."""


class _Buffer:
    """The text that was read and not used yet."""

    def __init__(self, stream: SafeStream) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._json = json.JSONDecoder()
        self._text, self._at = "", 0

    def peek(self) -> str:
        """Return the next character that is no blank, "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, legal: str) -> str:
        """Take the next character; it must be one of some."""
        found = self.peek()
        if not found or found not in legal:
            raise _BrokenError(BROKEN)
        self._at += 1
        return found

    def value(self) -> Any:
        """Take a whole value."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except RecursionError:
                raise _BrokenError(BROKEN) from None
            except ValueError:
                end = -1
            # A number that ends where the buffer does may go on.
            if end >= 0 and (end < len(self._text) or self._text[end - 1] in ']}"'):
                self._at = end
                return value
            if len(self._text) - self._at > ITEM_MAX:
                raise _BrokenError(LONG_ITEM)
            if not self._more():
                if end >= 0:
                    self._at = end
                    return value
                raise _BrokenError(BROKEN)

    def _more(self) -> bool:
        # Doubling keeps the number of tries on one long item small.
        data = self._stream.read(max(1 << 16, len(self._text) - self._at))
        if not data:
            return False
        self._text = self._text[self._at :] + self._decode(data)
        self._at = 0
        return True


def items(stream: SafeStream, notes: Notes) -> Iterator[tuple[str, Any]]:
    """Yield (key, item) for each item of each list of the outermost object; other values are passed over.

    What cannot be read is noted and ends it; what came before stays.
    """
    buffer = _Buffer(stream)
    if buffer.peek() != "{":
        notes.end_early(NOT_JSON, stream.name)
        return
    try:
        buffer.expect("{")
        mark = ","
        while mark == "," and buffer.peek() != "}":
            key = buffer.value()
            buffer.expect(":")
            if buffer.peek() == "[":
                buffer.expect("[")
                if buffer.peek() == "]":
                    buffer.expect("]")
                else:
                    yield str(key), buffer.value()
                    while buffer.expect(",]") == ",":
                        yield str(key), buffer.value()
            else:
                buffer.value()
            mark = buffer.expect(",}")
    except _BrokenError as broken:
        if not stream.ended:
            notes.end_early(str(broken), stream.name)
