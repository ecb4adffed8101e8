"""What keeps people out of what is read: pseudonyms, the key they are made with, and a guard on all text.

An id that a mapping names is replaced as it is read (``Pseudonyms``). All other text is looked through for
identity numbers (``Guard``), and a find stops the run: the mapping has missed a column, or a text holds what
it should not. Neither the key nor a value that was read is ever part of a message.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowsim.errors import IdentityNumber, UsageError
from flowsim.monitor.sources.identity import CANDIDATE, holds_identity_number, masked

KEY_BYTES: Final = 32
#: So many pseudonyms are remembered; then the memory begins anew, so that a long log does not fill it.
CACHE_MAX: Final = 1 << 18
#: Numbers between these have the 10 or 11 digits that an identity number has.
_NUMBER_MIN, _NUMBER_MAX = 1_000_000_000, 99_999_999_999


class Pseudonyms:
    """Replaces ids by numbers that only the holder of the key can make again.

    The number is the first 63 bits of HMAC-SHA-256 over the text in UTF-8 (RFC 2104, FIPS 198-1). It is
    never 0, which means "no id" in observations. Equal texts give equal numbers in every source, so that
    rows can be joined; texts that differ in a blank or in case differ.
    """

    __slots__ = ("_cache", "_key")

    def __init__(self, key: bytes) -> None:
        """Take the key; UsageError where it has fewer than 32 bytes."""
        if len(key) < KEY_BYTES:
            raise UsageError(f"A key for pseudonyms has at least {KEY_BYTES} bytes.")
        self._key = key
        self._cache: dict[str, int] = {}

    def __repr__(self) -> str:
        """Say what it is, and nothing of the key or of what was read."""
        return "Pseudonyms(key not shown)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be stored: a file of a run's state must not hold the key."""
        raise TypeError("Pseudonyms are not stored: they hold a key")

    def number(self, text: str) -> int:
        """Return the number that stands for an id: from 1 to 2**63 - 1."""
        known = self._cache.get(text)
        if known is not None:
            return known
        if len(self._cache) >= CACHE_MAX:
            self._cache.clear()
        digest = hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")
        number = max(int.from_bytes(digest[:8], "big") >> 1, 1)
        self._cache[text] = number
        return number

    def numbers(self, texts: Iterable[str | None]) -> np.ndarray[Any, Any]:
        """Return the numbers of many ids (int64); 0 for one that is missing or empty."""
        number = self.number
        return np.fromiter((number(text) if text else 0 for text in texts), np.int64)


def load_key(path: Path, output: Path | None = None) -> bytes:
    """Return the key in a file, which is made with 32 random bytes if it is not there.

    The file gets mode 0600. UsageError where it lies inside the output folder, others may read or write it,
    it is no plain file, or it is shorter than 32 bytes. Its content is in no message.
    """
    if output is not None and path.resolve().is_relative_to(output.resolve()):
        raise UsageError(
            f"The key {path} lies inside the output folder {output}.",
            "Keep it elsewhere: who gets the output must not get the key.",
        )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    except OSError as error:
        raise UsageError(f"The key {path} cannot be made: {error.strerror}.") from None
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # the umask may have taken more away
        file.write(secrets.token_bytes(KEY_BYTES))
    return _read_key(path)


def _read_key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            # Nothing is read from what is no plain file: a pipe or a device might never end.
            key = file.read() if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        raise UsageError(f"The key {path} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"The key {path} is no plain file.")
    if status.st_mode & 0o077:
        raise UsageError(
            f"The key {path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}).",
            f"chmod 600 {path}, and make a new key if others may have seen it.",
        )
    if len(key) < KEY_BYTES:
        raise UsageError(
            f"The key {path} has {len(key)} bytes; at least {KEY_BYTES} are needed.",
            "Remove the file, and one is made.",
        )
    return key


class Guard:
    """Stops a run at text that is shaped like a Norwegian identity number; says where, never what it is.

    Rows count from 1. A column is told by its name, or by its number where the name itself is the find.
    """

    def check(self, text: str, file: str, row: int, column: str) -> None:
        """Look through one text; IdentityNumber where it holds something shaped like an identity number."""
        if holds_identity_number(text):
            self._stop(file, row, column)

    def check_names(self, columns: Sequence[str], file: str) -> None:
        """Look through the names of columns: without a head line they are the values of a first row."""
        for place, column in enumerate(columns, start=1):
            if holds_identity_number(column):
                self._stop(file, 1, f"number {place}")

    def check_array(self, values: pa.Array | pa.ChunkedArray, file: str, first_row: int, column: str) -> None:
        """Look through a column of any type, fast; ``first_row`` is the row in which it begins.

        Whole numbers are looked at as text, without their leading zero too. Times and truth values cannot
        hold one. IdentityNumber names the first row with a find.
        """
        for place, text in _suspects(values):
            if holds_identity_number(text):
                self._stop(file, first_row + place, column)

    def check_table(
        self,
        table: pa.Table | pa.RecordBatch,
        file: str,
        first_row: int = 1,
        without: Iterable[str] = (),
    ) -> None:
        """Look through all columns of a table but those named in ``without`` (ids that are replaced)."""
        self.check_names(table.schema.names, file)
        left_out = set(without)
        for name in table.schema.names:
            if name not in left_out:
                self.check_array(table.column(name), file, first_row, name)

    @staticmethod
    def _stop(file: str, row: int, column: str) -> NoReturn:
        raise IdentityNumber(
            f"{masked(file)}, row {row}, column {masked(column)}: something shaped like an identity number "
            "stands here.",
            "Map the column as a patient or another id, so that it is replaced, or leave it out.",
        )


def _suspects(values: pa.Array | pa.ChunkedArray) -> Iterable[tuple[int, str]]:
    """Yield the places in a column, in order, that may hold an identity number, with their text."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if isinstance(values, pa.ChunkedArray):  # combine_chunks of some types still gives several
        begin = 0
        for chunk in values.chunks:
            yield from ((begin + place, text) for place, text in _suspects(chunk))
            begin += len(chunk)
        return
    kind = values.type
    if pa.types.is_dictionary(kind):
        yield from _of_dictionary(values)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from _of_text(values)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        yield from _of_numbers(values)
    elif not (pa.types.is_temporal(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        for place, value in enumerate(values):  # lists, structs, bytes: rare, and looked at one by one
            plain = value.as_py()
            text = plain.decode("latin-1") if isinstance(plain, bytes) else str(plain)
            yield place, text


def _of_text(values: pa.Array) -> Iterable[tuple[int, str]]:
    hits = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(values, CANDIDATE), fill_value=False))
    yield from zip(hits.to_pylist(), values.take(hits).to_pylist(), strict=True)


def _of_numbers(values: pa.Array) -> Iterable[tuple[int, str]]:
    numbers = pc.cast(values, pa.float64(), safe=False)
    inside = pc.and_(pc.greater_equal(numbers, _NUMBER_MIN), pc.less_equal(numbers, _NUMBER_MAX))
    whole = pc.and_(inside, pc.equal(pc.floor(numbers), numbers))
    hits = pc.indices_nonzero(pc.fill_null(whole, fill_value=False))
    for place, number in zip(hits.to_pylist(), numbers.take(hits).to_pylist(), strict=True):
        yield place, str(int(number))


def _of_dictionary(values: pa.DictionaryArray) -> Iterable[tuple[int, str]]:
    found = {place: text for place, text in _suspects(values.dictionary) if holds_identity_number(text)}
    if found:
        for place, code in enumerate(values.indices.to_pylist()):
            if code in found:
                yield place, found[code]
