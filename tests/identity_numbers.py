"""Identity numbers for tests: of synthetic people only, whose months have 80 added."""

from __future__ import annotations

import random

#: Published by Skatteetaten as synthetic examples, made in a generator and in no register
#: (skatteetaten.github.io/folkeregisteret-api-dokumentasjon, "Test for konsumenter").
PUBLISHED = (
    "17912099997",
    "29822099635",
    "05840399895",
    "12829499914",
    "12905299938",
    "21883649874",
    "21929774873",
    "57912075186",
    "69822075096",
    "45840375084",
    "52829400197",
    "52905200100",
    "61883600222",
    "61929750062",
)


def with_check_digits(nine: str) -> str | None:
    """Return the number that begins with nine digits, by trying all 100 endings; None where none fits.

    Slow and by another formula than the program's: the sums with the check digits in them divide by 11.
    """
    for ending in range(100):
        digits = [int(digit) for digit in f"{nine}{ending:02}"]
        first = sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits[:10], strict=True))
        second = sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=True))
        if first % 11 == 0 and second % 11 == 0:
            return f"{nine}{ending:02}"
    return None


def synthetic_numbers(count: int, seed: int = 1) -> list[str]:
    """Return numbers of synthetic people, a third of them D-numbers."""
    rng = random.Random(seed)
    found: list[str] = []
    while len(found) < count:
        day = rng.randint(1, 28) + rng.choice((0, 0, 40))
        number = with_check_digits(
            f"{day:02}{rng.randint(81, 92)}{rng.randint(0, 99):02}{rng.randint(0, 999):03}"
        )
        if number:
            found.append(number)
    return found
