"""Text that is shaped like a Norwegian identity number, found without ever being kept or shown.

An identity number is DDMMYY, three digits, and two check digits (Forskrift til folkeregisterloven § 2-2-1).
A D-number has 40 added to the day, a help number begins with 8 or 9, synthetic people have 80 (Tenor) or 40
added to the month. The check digits are the same for all of them, and nothing else is asked here: a number
with right check digits and an impossible date stops a run as well. One number in 121 or so that has 11
digits by chance does that too; stopping once too often is the better mistake.
"""

from __future__ import annotations

import re
from typing import Final

_FIRST: Final = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND: Final = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)

#: One mark between two groups of digits, as people write them: 01 02 03 45678, 010203-456 78.
_MARK: Final = r"[^0-9A-Za-z]"
#: What may stand between date and the rest. Not a lone point or comma: 123456.78901 is a measurement.
_MIDDLE: Final = r"[^0-9A-Za-z.,]{0,3}"

#: All that could be one, and more: no look-around, so that Arrow (RE2) can search with it as well.
CANDIDATE: Final = (
    rf"[0-9]{{10}}|[0-9]{{2}}(?:[0-9]{{2}}|{_MARK}[0-9]{{2}}{_MARK})[0-9]{{2}}"
    rf"{_MIDDLE}[0-9]{{3}}{_MARK}?[0-9]{{2}}"
)

# Overlapping finds are wanted ("12 010203 45678" begins with a 12 that is not part of it), hence the
# look-ahead; a longer run of digits is a number of another kind.
_WRITTEN: Final = re.compile(
    rf"(?<![0-9])(?=([0-9]{{2}}(?:[0-9]{{2}}|{_MARK}[0-9]{{2}}{_MARK})[0-9]{{2}}"
    rf"{_MIDDLE}[0-9]{{3}}{_MARK}?[0-9]{{2}})(?![0-9]))"
)
# A spreadsheet eats the leading zero. Ten digits are asked for a real date too: 1.7e9 is a time in seconds.
_ZERO_EATEN: Final = re.compile(r"(?<![0-9])([1-9](?:0[1-9]|1[0-2])[0-9]{7})(?![0-9])")
_NOT_DIGIT: Final = re.compile(r"[^0-9]")
# Numbers of computers: letters and digits at random hold 11 digits in a row now and then.
_MACHINE_ID: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32,})(?![0-9A-Za-z])"
)
_DECIMAL: Final = re.compile(r"\s*[-+]?[0-9]{1,9}[.,][0-9]+(?:[eE][-+]?[0-9]{1,3})?\s*")


def check_digits_right(digits: str) -> bool:
    """Return whether 11 digits end in the two check digits of a Norwegian identity number.

    Weighted sums modulo 11: (3, 7, 6, 1, 8, 9, 4, 5, 2) over the first nine, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    over the first ten; 11 minus the rest is the check digit, 11 counts as 0, and 10 does not occur.
    """
    values = [int(digit) for digit in digits]
    for weights in (_FIRST, _SECOND):
        total = sum(weight * value for weight, value in zip(weights, values, strict=False))
        if values[len(weights)] != -total % 11:  # never equal where the rest is 10
            return False
    return True


def _readable(text: str) -> str:
    return _MACHINE_ID.sub(lambda found: "x" * len(found.group()), text)


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where in a text identity numbers stand, as pairs of begin and end."""
    if _DECIMAL.fullmatch(text):
        whole = re.split(r"[.,]", text)[0]
        return _spans(whole) if len(whole.strip()) >= 10 else []
    readable = _readable(text)
    written = [
        match.span(1)
        for match in _WRITTEN.finditer(readable)
        if check_digits_right(_NOT_DIGIT.sub("", match.group(1)))
    ]
    shortened = [
        match.span(1) for match in _ZERO_EATEN.finditer(readable) if check_digits_right("0" + match.group(1))
    ]
    return sorted(written + shortened)


def holds_identity_number(text: str) -> bool:
    """Return whether something in a text is shaped like an identity number, also between other characters."""
    return bool(_spans(text))


def masked(text: str) -> str:
    """Return a text with all that is shaped like an identity number replaced by '***'.

    For names of files and columns, which messages must show: some are named after people.

    >>> masked("letters/17912099997.xml"), masked("letters/2024-01-01.xml")
    ('letters/***.xml', 'letters/2024-01-01.xml')
    """
    for begin, end in reversed(_spans(text)):
        text = text[:begin] + "***" + text[end:]
    return text
