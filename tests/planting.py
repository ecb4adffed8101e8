"""People who do not exist, planted into logs, and the search for them in all that comes out."""

from __future__ import annotations

import base64
import gzip
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from tests.identity_numbers import PUBLISHED, synthetic_numbers

#: One number, in the ways in which people write it into fields and texts.
NUMBER: Final = PUBLISHED[3]
#: A name that nobody has, and a sentence that no log should hold.
NAME: Final = "Kvikksølvine Prøvestuesen"
FREE_TEXT: Final = "reagerte med utslett på vaflene"
#: An id of a patient in a system, of no known form: found by no guard, and never to be shown either.
LOCAL_ID: Final = "PAS-0815-4711-XK"

PEOPLE: Final = synthetic_numbers(40, seed=7)
SECRETS: Final = (NUMBER, NAME, FREE_TEXT, LOCAL_ID, *PEOPLE)


def written_ways(number: str) -> list[str]:
    """Return a number as it stands in fields: alone, with blanks, in a sentence, among other characters."""
    return [
        number,
        f"{number[:6]} {number[6:]}",
        f"{number[:6]}-{number[6:]}",
        f"{NAME} ({number}) {FREE_TEXT}",
        f"urn:oid:2.16.578.1.12.4.1.4.1.{number}",
        f"<patient>{number}</patient>",
    ]


def forms(secret: str) -> Iterator[bytes]:
    """Yield the bytes in which a secret could stand in a file: three encodings, base64, its words apart."""
    for encoding in ("utf-8", "latin-1", "utf-16-le"):
        yield secret.encode(encoding)
        # Base64 of text depends on where in a group of three bytes it begins; the inner part does not.
        for before in range(3):
            packed = base64.b64encode(b"x" * before + secret.encode(encoding))
            yield packed[4 : len(packed) - len(packed) % 4 - 4] if len(packed) > 16 else packed
    if secret.isdigit():
        yield f"{secret[:6]} {secret[6:]}".encode()
        yield f"{secret[:6]}-{secret[6:]}".encode()
        yield secret.lstrip("0").encode()
    elif " " in secret:
        for word in secret.split():
            if len(word) > 8:
                yield word.encode()
                yield word.encode("latin-1")


_FORMS: Final = {form: secret for secret in SECRETS for form in forms(secret)}


def found_in(data: bytes) -> set[str]:
    """Return the secrets that stand in some bytes, in any form and case."""
    lower = data.lower()
    return {secret for form, secret in _FORMS.items() if form in data or form.lower() in lower}


def leaks(folder: Path, texts: Iterable[str] = ()) -> dict[str, set[str]]:
    """Return where planted people came out: files under a folder (their names too) and texts.

    Compressed files are looked at unpacked as well, Parquet as its values.
    """
    told: dict[str, set[str]] = {}
    for number, text in enumerate(texts):
        told[f"text {number}"] = found_in(text.encode("utf-8", "replace"))
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        told[f"name of {place}"] = found_in(place.encode())
        if path.is_file():
            data = path.read_bytes()
            if data[:2] == b"\x1f\x8b":
                data += gzip.decompress(data)
            if data[:4] == b"PAR1":
                table = pq.read_table(path)
                data += f"{table.schema} {table.to_pylist()}".encode()
            told[place] = found_in(data)
    return {place: secrets for place, secrets in told.items() if secrets}


def all_that_is_told(error: BaseException) -> str:
    """Return every word of an exception: its traceback, texts, arguments, and the same of its causes."""
    told = ["".join(traceback.format_exception(error))]
    each: BaseException | None = error
    while each is not None:
        told += [str(each), repr(each), repr(each.args), repr(getattr(each, "__notes__", ""))]
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\n".join(told)
