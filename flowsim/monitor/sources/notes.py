"""What is wrong with the files themselves: noted by kind, counted, told by row number, never by value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

#: So many row numbers are kept of each kind of trouble; the rest is counted.
ROWS_SHOWN: Final = 5


@dataclass
class Trouble:
    """One kind of trouble in one file: how often, and the first rows of it."""

    what: str
    file: str
    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        """Count one more, at a row (0: not at a row)."""
        self.count += 1
        if row and len(self.rows) < ROWS_SHOWN:
            self.rows.append(row)

    def __str__(self) -> str:
        """Return the trouble in a line: file, what, how often, where."""
        if not self.rows:
            return f"{self.file}: {self.what}" + (f" ({self.count} times)" if self.count > 1 else "")
        more = ", …" if self.count > len(self.rows) else ""
        rows = ", ".join(map(str, self.rows))
        return f"{self.file}: {self.what}: {self.count}, row {rows}{more}"


class Notes:
    """Gathers trouble while a source is read.

    ``files_max`` bounds how many files are told of one by one; the others share a line, so that a folder
    of a million broken files does not fill the memory.
    """

    def __init__(self, files_max: int = 100) -> None:
        """Begin with nothing."""
        self._files_max = files_max
        self._found: dict[tuple[str, str], Trouble] = {}
        #: Files that end before they are whole, or that were refused.
        self.cut: set[str] = set()

    def add(self, what: str, file: str, row: int = 0) -> None:
        """Note trouble at a row of a file."""
        key = (what, file)
        if key not in self._found and len(self._found) >= self._files_max:
            key = (what, "other files")
        self._found.setdefault(key, Trouble(what, key[1])).add(row)

    def add_rows(self, what: str, file: str, rows: Iterable[int]) -> None:
        """Note the same trouble at several rows."""
        for row in rows:
            self.add(what, file, int(row))

    def end_early(self, what: str, file: str, row: int = 0) -> None:
        """Note that a file could not be read to its end."""
        self.add(what, file, row)
        if len(self.cut) < self._files_max:
            self.cut.add(file)

    @property
    def troubles(self) -> list[Trouble]:
        """Return all kinds of trouble, in the order in which they were first met."""
        return list(self._found.values())

    def count(self, what: str) -> int:
        """Return how often one kind of trouble was met in all files."""
        return sum(each.count for each in self._found.values() if each.what == what)
