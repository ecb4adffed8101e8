"""Bytes of a file, plain or gzip, never more of them in memory than asked for, and never too many.

A gzip file that is cut off ends where it is cut, and one that unpacks to far more than a log would is
given up. What is wrong is noted; what was read before stays.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from flowsim.monitor.sources.notes import Notes

#: A longer line is no row of a log, and is passed over.
LINE_MAX: Final = 1 << 20
#: Logs shrink to a tenth or a fiftieth; a bomb to a thousandth.
UNPACKED_MAX: Final = 200
#: Below this it does not matter.
UNPACKED_FREE: Final = 1 << 26
CHUNK: Final = 1 << 16


class SafeStream:
    """A file opened for reading; gzip is unpacked as it is read.

    ``follow``: a plain file may grow, so that its last line without an end is left for later.
    """

    def __init__(self, path: Path, notes: Notes, name: str, follow: bool = False) -> None:
        """Open the file; OSError where it cannot be opened."""
        self._raw: BinaryIO = path.open("rb")
        self._notes, self.name, self.follow = notes, name, follow
        self._packed = self._raw.read(2) == b"\x1f\x8b"
        self._raw.seek(0)
        self._file: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=self._raw) if self._packed else self._raw
        self._read = 0
        self.ended = False  # it was cut off, broken or refused
        self.line_number = 0

    def __enter__(self) -> SafeStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    def read(self, size: int = CHUNK) -> bytes:
        """Return up to ``size`` bytes, b"" at the end."""
        return self._guarded(size, line=False)

    def readline(self, limit: int) -> bytes:
        """Return the next line, or ``limit`` bytes of it."""
        return self._guarded(limit, line=True)

    def _guarded(self, size: int, *, line: bool) -> bytes:
        if self.ended:
            return b""
        try:
            data = self._file.readline(size) if line else self._file.read(size)
        except EOFError:
            return self._end("is cut off: the gzip data end too early")
        except (gzip.BadGzipFile, zlib.error):
            return self._end("holds gzip data that are broken from here on")
        self._read += len(data)
        if self._packed and self._read > UNPACKED_FREE and self._read > UNPACKED_MAX * self._raw.tell():
            return self._end(
                f"unpacks to more than {UNPACKED_MAX} times its size, as no log does; "
                "unpack it yourself if that is right"
            )
        return data

    def _end(self, what: str) -> bytes:
        self.ended = True
        self._notes.end_early(what, self.name)
        return b""

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line with its number, without its end; lines that are too long are noted and left out.

        A file that is followed gives no last line without an end; a later call goes on there.
        """
        while True:
            start = self._raw.tell() if self.follow and not self._packed else 0
            line = self.readline(LINE_MAX)
            if not line:
                return
            whole = line.endswith(b"\n")
            if not whole and len(line) < LINE_MAX and self.follow and not self._packed:
                self._raw.seek(start)  # the rest is still being written
                return
            self.line_number += 1
            if not whole and len(line) >= LINE_MAX:
                self._skip_line()
                self._notes.add(f"a row is longer than {LINE_MAX >> 20} MB", self.name, self.line_number)
                continue
            yield self.line_number, line.rstrip(b"\r\n")

    def _skip_line(self) -> None:
        while True:
            rest = self.readline(LINE_MAX)
            if not rest or rest.endswith(b"\n"):
                return
