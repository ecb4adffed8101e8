"""What people read: words for every code, sentences for charts and reports, and how numbers look.

Two languages, English (``en``) and Norwegian (``nb``), each a TOML file with the same keys. A code
that a file lacks, as a user's own pathway or rate set, is shown as it is, with spaces for
underscores. Nothing heavy is imported here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from math import isfinite
from typing import Any, Final, get_args

from flowsim.errors import UsageError, did_you_mean
from flowsim.units import THIN_SPACE, Language, format_duration, format_number

#: The languages there are texts in.
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_SNAKE = re.compile(r"(?<!^)(?=[A-Z])")
#: The family of words that a key of a group speaks of: group "kind=referral", family message_kind.
_FAMILY_OF_GROUP: Final = {"kind": "message_kind"}


@dataclass(frozen=True)
class Labels:
    """The words, sentences and numbers of one language."""

    language: Language
    tables: Mapping[str, Mapping[str, Any]]

    def word(self, family: str, key: object) -> str:
        """Return a code as people read it: ``word("fault", "unwatched")``; unknown codes as they are."""
        name = key.name if isinstance(key, Enum) else str(key)
        found = self.tables.get(family, {}).get(name)
        return str(found) if found is not None else name.replace("_", " ")

    def member(self, member: Enum) -> str:
        """Return a member of one of the closed word lists as people read it."""
        return self.word(_SNAKE.sub("_", type(member).__name__).lower(), member)

    def text(self, key: str, **values: object) -> str:
        """Return a sentence with its places filled in. Raises KeyError for an unknown one."""
        return str(self.tables["text"][key]).format(**values)

    def measure(self, name: str) -> str:
        """Return a measure's name as on an axis."""
        return str(self.tables["measure"].get(name, {}).get("label", name.replace("_", " ")))

    def sentence(self, name: str) -> str:
        """Return a measure as the subject of a sentence."""
        return str(self.tables["measure"].get(name, {}).get("sentence", self.measure(name)))

    def measure_unit(self, name: str) -> str:
        """Return the code of a measure's unit, or "" where the texts do not know the measure."""
        return str(self.tables["measure"].get(name, {}).get("unit", ""))

    def unit(self, code: str) -> str:
        """Return a unit as it stands behind a number or on an axis."""
        return self.word("unit", code)

    def group(self, group: str) -> str:
        """Return a group as people read it: "pathway=referral,urgency=routine" → "referral, routine"."""
        if not group:
            return self.word("words", "whole")
        parts = (part.partition("=") for part in group.split(","))
        return ", ".join(self._part(key, value) for key, _, value in parts)

    def _part(self, key: str, value: str) -> str:
        if key == "direction":
            return "\u2013".join(self.word("party", party) for party in value.split("-"))
        if key == "pathway":
            return self.word("message_kind", value)
        return self.word(_FAMILY_OF_GROUP.get(key, key), value)

    def level(self, text: str) -> str:
        """Return a setting's value as people read it: "2 practices", "25 %", a world's name."""
        known = self.tables["world"].get(text)
        if known is not None:
            return str(known)
        number, _, word = text.partition(" ")
        if word in ("practice", "practices"):
            return f"{number}{THIN_SPACE}{self.word('words', word)}"
        if word == "%":
            decimals = len(number.partition(".")[2])
            return self.percent(float(number) / 100, decimals)
        return text.replace("_", " ")

    def under(self, rates: str) -> str:
        """Return how a title begins, with the condition that it holds under: "Under equal rates, "."""
        known = self.tables["under"].get(rates or "none")
        return str(known if known is not None else self.tables["under"]["other"].format(name=rates))

    def number(self, value: float, digits: int = 0, sign: bool = False) -> str:
        """Return a number with this language's decimal mark and thin spaces between thousands.

        ``digits`` below 0 rounds to tens, hundreds, …; ``sign`` shows a plus as well.
        """
        near = round(float(value), digits) if isfinite(value) else float(value)
        text = format_number(near, self.language, max(digits, 0))
        return f"+{text}" if sign and near > 0 else text

    def percent(self, share: float, digits: int = 1) -> str:
        """Return a share of 1 as percent."""
        return f"{self.number(100 * share, digits)}{THIN_SPACE}%"

    def duration(self, hours: float) -> str:
        """Return hours in the unit that reads best."""
        return format_duration(hours, self.language).replace(" ", THIN_SPACE)


@cache
def load_labels(language: str = "en") -> Labels:
    """Return the words of a language. Raises UsageError for one that there are no texts in."""
    if language not in LANGUAGES:
        raise UsageError(f"There are no texts in '{language}'.", did_you_mean(language, LANGUAGES))
    content = resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Labels(language, tomllib.loads(content))
